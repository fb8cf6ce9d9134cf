"""A client of the portal's contract: one session, used until it expires, and replies as values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx

LOGIN_PATH, DATA_PATH = "/mapi/login", "/mapi/g"


#: HTTP statuses that speak of the way there (address, gate, limit), not of the message.
_OF_THE_WAY = frozenset({403, 404, 405, 407, 408, 429})


class PortalUnreachable(Exception):
    """The portal did not answer, or not in a way that tells what became of the message: try again.

    `connected`: something was there, so the message itself may be what it stumbles over.
    """

    def __init__(self, text: str, *, connected: bool = True) -> None:
        super().__init__(text)
        self.connected = connected


class LoginRefused(Exception):
    """The portal answers, and does not know us."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the portal. Success is `error_code` 0 (contract §2.3)."""

    error_code: int
    message: str
    result: list[Any] | None = None
    items: tuple[tuple[str, int, str], ...] = ()
    raw: str = ""

    @property
    def ok(self) -> bool:
        return self.error_code == 0

    @property
    def exists(self) -> bool:
        """Whether the portal says that the dossier is there already."""
        return "đã tồn tại" in self.message


class Portal:
    """The national portal, or our stand-in for it, at an address."""

    def __init__(
        self, url: str, username: str, password: str, unit: str, *, dstcode: str = "", timeout_s: float = 30.0
    ) -> None:
        self.url, self.username, self.password, self.unit = url.rstrip("/"), username, password, unit
        headers = {"dstcode": dstcode} if dstcode else {}
        self._http = httpx.Client(timeout=timeout_s, headers=headers, trust_env=False)
        self._session = ""

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def call(self, service: str, **arguments: Any) -> Reply:
        """One call of a service; logs in at first, and once more where the session has expired.

        Raises `PortalUnreachable`, `LoginRefused`.
        """
        if not self._session:
            self._login()
        reply = self._post(service, arguments)
        if reply.error_code != 0 and "phiên làm việc" in reply.message.lower():
            self._login()
            reply = self._post(service, arguments)
        return reply

    def _login(self) -> None:
        document = self._send(LOGIN_PATH, {"username": self.username, "password": self.password})
        self._session = str(document.get("session") or "")
        if not self._session or _code(document) != 0:
            self._session = ""
            raise LoginRefused(f"{self.url} refuses {self.username}: {document.get('message')}")

    def _post(self, service: str, arguments: dict[str, Any]) -> Reply:
        document = self._send(
            DATA_PATH, {"session": self._session, "madonvi": self.unit, "service": service, **arguments}
        )
        result = document.get("result")
        items: tuple[tuple[str, int, str], ...] = ()
        if service in ("DongBoHoSoMC", "CapNhatTienDoHoSoMC") and isinstance(result, list):
            items = tuple(
                (str(r.get("MaHoSo")), int(r.get("error_code", -1)), str(r.get("message", ""))) for r in result
            )
        raw = json.dumps({k: v for k, v in document.items() if k != "result"}, ensure_ascii=False)
        return Reply(_code(document), str(document.get("message") or ""), result, items, raw)

    def _send(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        try:
            response = self._http.post(
                self.url + path,
                content=json.dumps(document, ensure_ascii=False).encode(),
                headers={"Content-Type": "application/json", "Accept": "application/json"},
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise PortalUnreachable(f"{self.url}: {type(error).__name__}: {error}", connected=False) from None
        except httpx.HTTPError as error:
            raise PortalUnreachable(f"{self.url}: {type(error).__name__}: {error}") from None
        if response.status_code >= 500:
            raise PortalUnreachable(f"{self.url}: HTTP {response.status_code}")
        if response.status_code in _OF_THE_WAY:
            raise PortalUnreachable(f"{self.url}: HTTP {response.status_code}", connected=False)
        try:
            answer = response.json()
        except ValueError:
            raise PortalUnreachable(f"{self.url}: HTTP {response.status_code}, not JSON") from None
        if not isinstance(answer, dict):
            raise PortalUnreachable(f"{self.url}: the answer is not an object")
        if "error_code" not in answer:
            raise PortalUnreachable(f"{self.url}: HTTP {response.status_code}, an answer without error_code")
        return answer


def _code(document: dict[str, Any]) -> int:
    """The error code as a number; a missing one is a failure."""
    try:
        return int(document.get("error_code", -1))
    except (TypeError, ValueError):
        return -1
