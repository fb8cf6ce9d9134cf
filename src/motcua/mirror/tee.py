"""The collector's tee: a message goes on to the real portal, whose answer is relayed as it came; both are kept.

Nothing is answered in the portal's place: where it is silent, so are we, and the sender tries again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import httpx2 as httpx

#: Headers of the sender that the portal must see.
_CARRIED = ("CONTENT_TYPE", "HTTP_ACCEPT", "HTTP_DSTCODE", "HTTP_CHARSET", "HTTP_AUTHORIZATION")


class Silent(Exception):
    """The real portal did not answer."""


@dataclass(frozen=True, slots=True)
class Relayed:
    """The real portal's answer."""

    status: int
    body: bytes


class Tee:
    """The way to one real portal."""

    def __init__(self, url: str, *, timeout_s: float = 60.0) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(timeout=timeout_s, trust_env=False)

    def relay(self, environ: Mapping[str, str], body: bytes) -> Relayed:
        """Passes a request on under its own path. Raises `Silent`."""
        query = environ.get("QUERY_STRING", "")
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").title(): environ[name]
            for name in _CARRIED
            if environ.get(name)
        }
        try:
            answer = self._http.request(
                environ.get("REQUEST_METHOD", "POST"),
                self.url + environ.get("PATH_INFO", "") + (f"?{query}" if query else ""),
                content=body,
                headers=headers,
            )
        except httpx.HTTPError as error:
            raise Silent(f"{self.url}: {type(error).__name__}") from None
        return Relayed(answer.status_code, answer.content)
