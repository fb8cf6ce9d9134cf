"""What a check is: a code, its words, its ground in law, what it looks at and where it holds.

A check sees *signs*; whether a sign is a violation a person concludes. Its titles and explanations are Vietnamese, as
the screens show them; the door translates them. Sources: law paper §6.6 (the catalogue V-01 to V-37) and §6.7
(thresholds that are law, thresholds that are ours).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import narwhals as nw

from motcua.inspection.signs import Sign, Subject
from motcua.inspection.verdicts import Scope
from motcua.rules.instants import Unreadable

if TYPE_CHECKING:
    from motcua.inspection.checks.facts import Facts

Severity = Literal["A", "B", "C"]
Kind = Literal["certain", "statistical"]
Value = int | float | str
#: The longest text that a parameter may be.
_LONGEST = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """An article of a text in force on a day; `key` is its entry in docs/law. Both ends count; None: open."""

    key: str
    text: str
    article: str
    valid_from: date | None = None
    valid_to: date | None = None

    def on(self, day: date) -> bool:
        """Whether the text was in force on a day."""
        return not (self.valid_from and day < self.valid_from) and not (self.valid_to and day > self.valid_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A threshold: its default, whether the law sets it or we do, and what it means in Vietnamese.

    `looser`: in which direction from a value that the law sets one asks less of an agency. `least`, `most`: the whole
    numbers that make sense; a share lies from 0 to 1.
    """

    name: str
    default: Value
    law: bool
    title: str
    looser: Literal["higher", "lower", ""] = ""
    least: int = 0
    most: int = 1_000_000

    def read(self, text: str) -> Value:
        """A value as somebody typed it, a decimal comma allowed. Raises `Unreadable`."""
        typed = text.strip()
        try:
            match self.default:
                case int():
                    value: Value = int(typed)
                    sensible = self.least <= int(value) <= self.most
                case float():
                    value = float(typed.replace(",", "."))
                    sensible = 0 < float(value) <= 1
                case _:
                    value, sensible = typed, len(typed) <= _LONGEST
        except ValueError:
            raise Unreadable(f"{self.name}: {text!r} is no number") from None
        if not sensible:
            span = f"{self.least} to {self.most}" if isinstance(self.default, int) else "more than 0, at most 1"
            raise Unreadable(f"{self.name}: {text!r} is out of bounds ({span})")
        return value

    def asks_less(self, value: Value) -> bool:
        """Whether a value asks less of an agency than the law does."""
        if not self.law or isinstance(value, str) or isinstance(self.default, str):
            return False
        return value > self.default if self.looser == "higher" else value < self.default


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A fact without which a check cannot look.

    `has`: a column or expression that is true where a dossier has it; None: we keep it nowhere yet. With `by_source`
    the fact counts as known in every dossier of a source that states it of at least one: a source that never keeps
    it is not scanned, one that does is held to it. `least_share`: of so many of its dossiers at least, for a fact that
    a source which keeps it states of nearly all.
    """

    fact: str
    title: str
    has: Callable[[], nw.Expr] | None = None
    by_source: bool = False
    least_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Given:
    """What a check is run with: the question's scope, and its parameters with their values."""

    scope: Scope
    values: Mapping[str, Value]

    def number(self, name: str) -> int:
        """A parameter as a whole number."""
        return int(self.values[name])

    def share(self, name: str) -> float:
        """A parameter as a share or level."""
        return float(self.values[name])

    def text(self, name: str) -> str:
        """A parameter as a text."""
        return str(self.values[name])


Rows = Callable[[Given], nw.Expr]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check.

    A check of dossiers says with `among` which of them it looks at and with `holds` where it sees its sign, over the
    judged pairs with their story (`checks.story`). Any other gives its signs itself with `signs`, and how many
    subjects it looked at. One with neither is listed with the fact that it lacks.

    `at` names the column with the instant at which what it sees came to be. `population`: of the question's period,
    unless the check looks at dossiers that no measure counts yet. `number`: its number in the catalogue of law paper
    §6.6; `leg`: the leg of the bridge whose cause it is.
    """

    code: str
    title: str
    explanation: str
    grounds: tuple[Ground, ...]
    severity: Severity
    remedy: str
    evidence: tuple[str, ...] = ()
    number: str = ""
    leg: str = ""
    concerns: Subject = "dossier"
    kind: Kind = "certain"
    parameters: tuple[Parameter, ...] = ()
    needs: tuple[Need, ...] = ()
    among: Rows | None = None
    holds: Rows | None = None
    at: str = ""
    population: bool = True
    measures: frozenset[str] = frozenset({"all", "open", "finished"})
    signs: Callable[[Facts, Given], Found] | None = None

    def given(self, scope: Scope, chosen: Mapping[str, Value] | None = None) -> Given:
        """The check's parameters: those chosen, else the defaults."""
        values = {parameter.name: parameter.default for parameter in self.parameters}
        return Given(scope, {**values, **{k: v for k, v in (chosen or {}).items() if k in values}})

    @property
    def lacks(self) -> tuple[str, ...]:
        """The facts that we keep nowhere, for want of which it is listed and not run."""
        return tuple(need.fact for need in self.needs if need.has is None)

    @property
    def runs(self) -> bool:
        """Whether it can look at all."""
        return not self.lacks and (self.holds is not None or self.signs is not None)

    def parameter(self, name: str) -> Parameter:
        """A parameter by its name. Raises `Unreadable`."""
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = ", ".join(parameter.name for parameter in self.parameters) or "none"
        raise Unreadable(f"{self.code} has no parameter {name!r}; it has: {known}")

    def valid_on(self, day: date) -> tuple[Ground, ...]:
        """Its grounds in force on a day."""
        return tuple(ground for ground in self.grounds if ground.on(day))


@dataclass(frozen=True, slots=True)
class Found:
    """What a check of units, officials or procedures gives: its signs, and how many subjects it looked at.

    `missing`: fact → how many subjects it could not look at for want of it.
    """

    signs: Iterable[Sign]
    looked_at: int
    missing: Mapping[str, int] = field(default_factory=dict)


def named(checks: Iterable[Check]) -> dict[str, Check]:
    """Checks by code. Raises `ValueError` where two have the same."""
    found: dict[str, Check] = {}
    for check in checks:
        if check.code in found:
            raise ValueError(f"two checks are called {check.code!r}")
        found[check.code] = check
    return found


def evidence_value(value: Any) -> bool:
    """Whether a column of a sign says anything."""
    return value is not None and value != ""
