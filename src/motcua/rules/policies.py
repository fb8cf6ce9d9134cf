"""Readings of the law: where it leaves room, each reading is a named, versioned policy.

Source: law paper §2.4 (due instants), §2.6 (supplement), §2.10 (extension), §2.11 (basis), §2.14, §8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from motcua.rules.instants import Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One reading of the law, as a report states it."""

    name: str
    version: int = 1
    title: str
    basis: Literal["instant", "date"] = "instant"
    due: Literal["current", "slip", "statutory"] = "current"
    supplement: Literal["restart", "subtract"] = "restart"

    @property
    def label(self) -> str:
        """The policy as reports print it: name and version."""
        return f"{self.name}/{self.version}"

    @property
    def reading(self) -> Literal["default", "slip", "statutory", "subtract"]:
        """Which set of due instants this policy judges by."""
        if self.due != "current":
            return self.due
        return "subtract" if self.supplement == "subtract" else "default"


POLICIES: dict[str, Policy] = {
    policy.name: policy
    for policy in (
        Policy(name="default", title="So thời điểm với hẹn trả hiện hành"),
        Policy(name="date", title="So ngày với hẹn trả hiện hành", basis="date"),
        Policy(name="slip", title="So thời điểm với hẹn trả ghi trên phiếu", due="slip"),
        Policy(name="statutory", title="So với hết giờ làm việc của ngày cuối theo thời hạn công bố", due="statutory"),
        Policy(name="subtract", title="Chờ bổ sung: trừ thời gian, không tính lại từ đầu", supplement="subtract"),
    )
}


def policy(name: str) -> Policy:
    """The policy of this name. Raises `Unreadable`, naming those there are."""
    try:
        return POLICIES[name]
    except KeyError:
        raise Unreadable(f"no policy {name!r}; there are: {', '.join(POLICIES)}") from None
