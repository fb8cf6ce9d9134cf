"""A petition of a citizen (phản ánh, kiến nghị), as a check sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Petition:
    """Days are working days of the agency's calendar since the day of receipt, which does not count itself.

    `days`: "refused", "asked", "answered", whichever happened; "published" since the answer; "waiting" where none of
    the first three happened yet. One that was passed on to another agency has none.
    """

    code: str
    agency: str
    received_s: int
    days: Mapping[str, int] = field(default_factory=dict)
