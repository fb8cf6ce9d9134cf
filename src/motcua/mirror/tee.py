"""The collector's tee: a call goes on to the real portal, whose answer is relayed byte for byte.

Nothing is answered in the portal's place: where it is silent, so are we, and the sender tries again. Connections to the
portal are kept open and used again, the newest first; one that the portal has closed meanwhile is noticed before a call
is written to it, so that no call is sent twice.
"""

from __future__ import annotations

import http.client
import os
import select
import ssl
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

#: Headers that speak of one connection, not of the message (RFC 9110 §7.6.1), and those that each side writes itself.
_OF_THE_WAY = frozenset(
    {"connection", "content-length", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
     "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)  # fmt: skip
#: A connection that rested longer is not used again: servers close theirs after about as long.
_RESTED_S = 15.0
#: The server process hands its own environment over beside the headers: `HTTP_PROXY` there is nobody's header.
_NOT_HEADERS = frozenset(name for name in os.environ if name.startswith("HTTP_"))


class Silent(Exception):
    """The real portal did not answer."""


@dataclass(frozen=True, slots=True)
class Relayed:
    """The real portal's answer, its body as it came over the wire (perhaps compressed)."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Tee:
    """The way to one real portal. Threads may share it."""

    def __init__(self, url: str, *, timeout_s: float = 60.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"forward_to {url!r}: write the portal's address, https://…")
        self.url, self._path = url.rstrip("/"), parts.path.rstrip("/")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host, self._port, self._timeout_s = parts.hostname, parts.port, timeout_s
        self._rested: deque[tuple[float, http.client.HTTPConnection]] = deque()

    def relay(self, environ: Mapping[str, str], body: bytes) -> Relayed:
        """Passes a call on under its own method, path and headers. Raises `Silent`."""
        query = environ.get("QUERY_STRING", "")
        path = self._path + _path(environ) + (f"?{query}" if query else "")
        connection = self._connection()
        try:
            connection.putrequest(environ.get("REQUEST_METHOD", "POST"), path, skip_accept_encoding=True)
            for name, value in _headers(environ):
                connection.putheader(name, value)
            if body or environ.get("CONTENT_LENGTH"):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            content = answer.read()
            relayed = Relayed(answer.status, answer.reason, _kept(answer.getheaders()), content)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Silent(f"{self.url}: {type(error).__name__}") from None
        except BaseException:
            connection.close()
            raise
        if answer.will_close or not answer.isclosed():
            connection.close()
        else:
            self._rested.append((time.monotonic(), connection))
        return relayed

    def close(self) -> None:
        """Ends the connections that rest."""
        while self._rested:
            self._rested.pop()[1].close()

    def _connection(self) -> http.client.HTTPConnection:
        """One that rests and still stands, else a new one."""
        while self._rested:
            try:
                since, connection = self._rested.pop()
            except IndexError:  # another thread was quicker
                break
            rests = time.monotonic() - since < _RESTED_S
            if rests and connection.sock is not None and not select.select([connection.sock], [], [], 0)[0]:
                return connection
            connection.close()
        if self._tls is not None:
            return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)


def _path(environ: Mapping[str, str]) -> str:
    """The path, written anew: a WSGI server hands it over decoded, its bytes as Latin-1."""
    return quote(environ.get("PATH_INFO", "").encode("latin-1", "replace"), safe="/-._~!$&'()*+,;=:@")


def _headers(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """The sender's headers, but for those of its connection to us."""
    found = []
    for key, value in environ.items():
        if key.startswith("HTTP_") and key not in _NOT_HEADERS:
            name = key[5:].replace("_", "-").title()
            if name.lower() not in _OF_THE_WAY and name != "Expect":
                found.append((name, value))
    if environ.get("CONTENT_TYPE"):
        found.append(("Content-Type", environ["CONTENT_TYPE"]))
    return found


def _kept(headers: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers if name.lower() not in _OF_THE_WAY)
