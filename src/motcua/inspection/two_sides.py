"""Province and portal side by side, beside the dossiers themselves: procedures, online services, online payment.

Law paper §6.4 asks for each of them. As in the bridge, whatever stands on one side only has exactly one cause, and

    ours − Σ only ours + Σ only there = there

What stands on both sides is equal, or differs for one cause, the gravest first. A fact that a side does not state is
no difference: it is listed as such.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Kind = Literal["procedures", "online-services", "online-payment"]
KINDS: tuple[Kind, ...] = ("procedures", "online-services", "online-payment")
Where = Literal["only_ours", "only_there", "differs", "equal"]
#: Where a cause lets a thing stand. The order is that in which they are looked for and listed.
CAUSES: Mapping[Kind, Mapping[str, Where]] = {
    "procedures": {
        "abolished": "only_ours", "unknown_there": "only_ours", "unmapped": "only_ours", "not_offered": "only_there",
        "ended_here": "only_there", "limit_differs": "differs", "level_differs": "differs", "field_differs": "differs",
        "name_differs": "differs", "not_read": "equal",
    },
    "online-services": {
        "procedure_unknown_there": "only_ours", "not_online_there": "only_ours", "procedure_unknown_here": "only_there",
        "not_online_here": "only_there", "level_differs": "differs", "level_unstated": "equal",
    },
    "online-payment": {
        "absent_there": "only_ours", "on_the_way": "only_ours", "refused": "only_ours", "not_carried": "only_ours",
        "paid_at_desk": "only_there", "unpaid_here": "only_there", "no_payment_here": "only_there",
        "gateway_differs": "differs",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing: on our side, there, or on both. `ours` and `there` state it in short; None: it is not on that side.

    `cause`: of CAUSES; empty where both sides agree.
    """

    key: str
    name: str
    ours: str | None
    there: str | None
    cause: str = ""
    agency: str = ""

    @property
    def where(self) -> Where:
        """On which side it stands."""
        if self.ours is None:
            return "only_there"
        if self.there is None:
            return "only_ours"
        return "differs" if self.cause and self.cause not in _UNSTATED else "equal"


_UNSTATED = frozenset(cause for causes in CAUSES.values() for cause, where in causes.items() if where == "equal")


@dataclass(frozen=True, slots=True)
class Comparison:
    """All lines of a comparison, with how old each side is; `basis` says what the portal's side was taken from."""

    kind: Kind
    lines: list[Line]
    ours_at: datetime | None = None
    there_at: datetime | None = None  # None: that side was never had
    basis: str = ""
    counts: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", counted(self.kind, self.lines))

    def chosen(self, *, where: str = "", cause: str = "") -> list[Line]:
        """The lines behind a figure: exactly as many as it says."""
        return [line for line in self.lines if where in ("", line.where) and cause in ("", line.cause)]


def counted(kind: Kind, lines: Iterable[Line]) -> dict[str, Any]:
    """The figures. Raises `ValueError` where a line's cause does not fit the side on which it stands."""
    where: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    for line in lines:
        side = line.where
        if line.cause and CAUSES[kind][line.cause] != side:
            raise ValueError(f"{line.key}: {line.cause} does not leave it {side}")
        if side in ("only_ours", "only_there") and not line.cause:
            raise ValueError(f"{line.key} is {side} without a cause")
        where[side] += 1
        causes[line.cause] += bool(line.cause)
    both = where["differs"] + where["equal"]
    return {
        "ours": where["only_ours"] + both, "there": where["only_there"] + both, "both": both,
        **{side: where[side] for side in ("only_ours", "only_there", "differs", "equal")},
        "causes": {cause: causes[cause] for cause in CAUSES[kind]},
    }  # fmt: skip
