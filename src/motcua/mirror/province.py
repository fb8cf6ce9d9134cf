"""The portal's calls into a province (contract §3.11): dossiers filed here are pushed until they are acknowledged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx2 as httpx

from motcua.mirror.models import Entry

FILED, PROMOTION, TAX = "nhanhsdvcqg", "addtthcKhuyenMai", "nhantbthuedvcqg"
_KIND = "filed"
#: The acknowledgements after which a dossier is not pushed again.
_DONE = (0, 1)


class Province:
    """A province's door at an address, and the dossiers that citizens filed for it on the portal."""

    def __init__(self, url: str, *, token: str = "", timeout_s: float = 30.0) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(timeout=timeout_s, trust_env=False, headers=headers)

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def file(self, data: Mapping[str, Any], *, at: datetime, door: str = FILED) -> None:
        """A citizen files a dossier: it is kept here, and pushed by `push`."""
        body = json.dumps({"door": door, "data": data}, ensure_ascii=False)
        Entry.objects.update_or_create(
            kind=_KIND, code=str(data["MaHoSoQG"]), defaults={"body": body, "stored_at": at, "done_at": None}
        )

    def push(self, *, at: datetime) -> tuple[int, int]:
        """Sends what is not acknowledged yet. Returns (acknowledged, still waiting)."""
        done = left = 0
        for entry in Entry.objects.filter(kind=_KIND, done_at=None).order_by("pk"):
            kept = json.loads(entry.body)
            reply = self.call(kept["door"], {"service": "NhanHoSoDVCQG", "isUpdating": "False", "data": kept["data"]})
            if reply is not None and reply.get("error_code") in _DONE:
                entry.done_at = at
                entry.save(update_fields=["done_at"])
                done += 1
            else:
                left += 1
        return done, left

    def call(self, door: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """One call; None where no answer can be read."""
        try:
            response = self._http.post(
                f"{self.url}/{door}",
                content=json.dumps(body, ensure_ascii=False).encode(),
                headers={"Content-Type": "application/json"},
            )
            answer = response.json()
        except (httpx.HTTPError, ValueError):
            return None
        return answer if isinstance(answer, dict) else None
