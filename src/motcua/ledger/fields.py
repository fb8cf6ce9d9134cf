"""Column types of our own."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models

from motcua.rules.instants import from_microseconds, to_microseconds

if TYPE_CHECKING:
    _Stored = models.BigIntegerField[datetime | int | None, Any]
else:
    _Stored = models.BigIntegerField


class InstantField(_Stored):
    """An instant kept as an integer: microseconds since 1970, UTC.

    The same on SQLite and PostgreSQL, exact to the microsecond of the source, and read by the facts
    without parsing a text.
    """

    def from_db_value(self, value: int | None, *_: Any) -> datetime | None:
        return None if value is None else from_microseconds(value)

    def get_prep_value(self, value: Any) -> int | None:
        return to_microseconds(value) if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        return from_microseconds(value) if isinstance(value, int) else value
