"""Sends the mirror's tables to the mirror's database, and nothing else there."""

from __future__ import annotations

from typing import Any


class MirrorRouter:
    """The mirror shares neither transactions nor the write lock with the desk."""

    def db_for_read(self, model: Any, **_: Any) -> str | None:
        return "mirror" if model._meta.app_label == "mirror" else None

    db_for_write = db_for_read

    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool:
        return (db == "mirror") == (app_label == "mirror")
