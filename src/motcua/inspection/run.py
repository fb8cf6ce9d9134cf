"""The checks that an inspection runs: a list you can read, and what running them over the facts means.

A province's own checks come as plug-ins beside them (`oversight.plugins`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import narwhals as nw

from motcua.inspection.checks import (
    catalogue,
    causes,
    deadlines,
    entries,
    petitions,
    reception,
    records,
    results,
    series,
    supplements,
    synchronised,
    units,
)
from motcua.inspection.checks.check import Check, Found, Given, Need, named
from motcua.inspection.checks.facts import Facts
from motcua.inspection.plans import Build, Frames
from motcua.inspection.signs import Sign
from motcua.inspection.verdicts import Scope
from motcua.rules.instants import from_microseconds, iso

CHECKS: tuple[Check, ...] = (
    *causes.CHECKS,
    *records.CHECKS,
    *reception.CHECKS,
    *supplements.CHECKS,
    *deadlines.CHECKS,
    *entries.CHECKS,
    *series.CHECKS,
    *synchronised.CHECKS,
    *results.CHECKS,
    *catalogue.CHECKS,
    *units.CHECKS,
    *petitions.CHECKS,
)

BY_CODE: dict[str, Check] = named(CHECKS)

Frame = nw.LazyFrame[Any]
Collect = Callable[[Frame], list[dict[str, Any]]]
Each = Callable[[Frame], Iterator[dict[str, Any]]]
Planned = Callable[[Hashable, Frames, Build], Frame]
State = Literal["scanned", "partly", "not_scanned"]
#: What names a dossier's sign and files it.
_IDENTITY = ("dossier", "agency", "source", "unit")


@dataclass(slots=True)
class Looked:
    """What one check looked at: never "zero" where nothing was scanned.

    `looked_at` subjects had all facts; of those, `found` bear its sign. `missing`: fact → how many subjects could not
    be looked at for want of it; `where`: fact → those subjects by source.
    """

    check: str
    looked_at: int = 0
    found: int = 0
    missing: dict[str, int] = field(default_factory=dict)
    where: dict[str, dict[str, int]] = field(default_factory=dict)
    asked: bool = True  # whether the question's measure is one of the check's

    @property
    def state(self) -> State:
        """Whether it saw all, a part or nothing of what it is about."""
        if not self.asked or (self.missing and not self.looked_at):
            return "not_scanned"
        return "partly" if self.missing else "scanned"

    def lack(self, fact: str, source: str, count: int) -> None:
        """Counts subjects that could not be looked at."""
        if count:
            self.missing[fact] = self.missing.get(fact, 0) + count
            by_source = self.where.setdefault(fact, {})
            by_source[source] = by_source.get(source, 0) + count


def of_dossiers(
    frame: Frame,
    checks: Sequence[Check],
    given: Mapping[str, Given],
    collect: Collect,
    each: Each | None = None,
    planned: Planned | None = None,
) -> tuple[list[Looked], Iterable[Sign]]:
    """Runs checks of dossiers over the judged pairs: one pass for the counts, one for the signs, whatever their number.

    `given`: code → what the check is run with. Signs come in the order of dossiers, then of the checks; with `each`
    one after another while they are read, so that any number of them fits in memory. `planned`: how a question is
    planned once; only for checks whose code stands for them.
    """
    if not checks:
        return [], []
    sources = _sources(frame, checks, collect)
    asked = (
        tuple((check.code, tuple(sorted(given[check.code].values.items()))) for check in checks),
        tuple(sorted(sources.items())),
    )

    def counted(f: Frames, scope: Scope) -> Frame:
        marks = _marks(checks, {code: replace(one, scope=scope) for code, one in given.items()}, sources)
        # Never the whole width of the frame: an engine plans a wide projection many times as slowly.
        grouped = f["dossiers"].select("source", **marks).group_by("source")
        return grouped.agg(*(nw.col(name).cast(nw.Int64).sum().alias(f"n_{name}") for name in marks))

    scope = given[checks[0].code].scope
    plan = planned or (lambda _, frames, build: build(frames, scope))
    counts = collect(plan(("counts", asked), {"dossiers": frame}, counted))
    looked = [Looked(check.code) for check in checks]
    for row in counts:
        for n, check in enumerate(checks):
            looked[n].looked_at += int(row[f"n_l{n}"] or 0)
            looked[n].found += int(row[f"n_h{n}"] or 0)
            for k, need in enumerate(check.needs):
                looked[n].lack(need.fact, row["source"] or "", int(row[f"n_m{n}_{k}"] or 0))
    if not any(one.found for one in looked):
        return looked, []
    hits = [f"h{n}" for n in range(len(checks)) if looked[n].found]
    there = set(frame.collect_schema().names())
    wanted = {*_IDENTITY, *(c.at for c in checks if c.at), *(name for c in checks for name in c.evidence)} & there

    def found(f: Frames, scope: Scope) -> Frame:
        marks = _marks(checks, {code: replace(one, scope=scope) for code, one in given.items()}, sources)
        marked = f["dossiers"].select(*sorted(wanted), **{hit: marks[hit] for hit in hits})
        return marked.filter(nw.any_horizontal(*(nw.col(hit) for hit in hits), ignore_nulls=True))

    hit = plan(("signs", asked, tuple(hits)), {"dossiers": frame}, found)
    ordered = sorted(collect(hit), key=lambda row: str(row["dossier"])) if each is None else each(hit.sort("dossier"))
    return looked, _signs(ordered, checks)


def _marks(
    checks: Sequence[Check], given: Mapping[str, Given], sources: Mapping[str, frozenset[str]]
) -> dict[str, nw.Expr]:
    """Of each check by its place: what lacks a fact (`m`), what it looked at (`l`), where it sees its sign (`h`)."""
    marks: dict[str, nw.Expr] = {}
    for n, check in enumerate(checks):
        assert check.holds is not None
        among = check.among(given[check.code]) if check.among else nw.lit(value=True)
        if check.population:
            among = among & nw.col("in_population")
        seen = among
        for k, need in enumerate(check.needs):
            has = _has(need, sources)
            marks[f"m{n}_{k}"] = (seen & ~has).fill_null(value=False)
            seen = seen & has
        marks[f"l{n}"] = seen.fill_null(value=False)
        marks[f"h{n}"] = (seen & check.holds(given[check.code])).fill_null(value=False)
    return marks


def _signs(rows: Iterable[Mapping[str, Any]], checks: Sequence[Check]) -> Iterator[Sign]:
    for row in rows:
        for n, check in enumerate(checks):
            if row.get(f"h{n}"):
                yield Sign(
                    check=check.code,
                    subject=row["dossier"],
                    agency=row["agency"] or "",
                    unit=row.get("unit") or "",
                    at_s=_instant(row.get(check.at)),
                    evidence=evidence(row, check.evidence),
                )


def _sources(frame: Frame, checks: Iterable[Check], collect: Collect) -> dict[str, frozenset[str]]:
    """For each fact that is known source by source: the sources that state it of enough of their dossiers."""
    needs = {need.fact: need for check in checks for need in check.needs if need.by_source and need.has}
    if not needs:
        return {}
    columns = {
        f"k{n}": need.has().fill_null(value=False) for n, need in enumerate(needs.values()) if need.has
    }  # fmt: skip
    rows = collect(
        frame.select("source", **columns)
        .group_by("source")
        .agg(
            nw.len().cast(nw.Int64).alias("n"),
            *(nw.col(name).cast(nw.Int64).sum().alias(f"n_{name}") for name in columns),
        )
    )
    return {
        fact: frozenset(
            row["source"] or "" for row in rows if row[f"n_k{n}"] and row[f"n_k{n}"] >= need.least_share * row["n"]
        )
        for n, (fact, need) in enumerate(needs.items())
    }


def _has(need: Need, sources: Mapping[str, frozenset[str]]) -> nw.Expr:
    assert need.has is not None
    if need.by_source:
        return nw.col("source").fill_null("").is_in(sorted(sources[need.fact]))
    return need.has().fill_null(value=False)


def of_others(facts: Facts, check: Check, given: Given) -> tuple[Looked, list[Sign]]:
    """Runs a check that gives its signs itself."""
    assert check.signs is not None
    found: Found = check.signs(facts, given)
    signs = sorted(found.signs, key=lambda sign: sign.subject)
    looked = Looked(check.code, looked_at=found.looked_at, found=len(signs))
    for fact, count in found.missing.items():
        looked.lack(fact, "", count)
    return looked, signs


def out_of_reach(check: Check, population: int) -> Looked:
    """A check whose facts we keep nowhere: it looked at nothing."""
    looked = Looked(check.code)
    for fact in check.lacks:
        looked.lack(fact, "", population)
        looked.missing.setdefault(fact, 0)
    return looked


def failed(check: Check, population: int) -> Looked:
    """A check that broke while it ran: it looked at nothing."""
    looked = Looked(check.code)
    looked.lack("working_check", "", max(population, 1))
    return looked


def evidence(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The columns that prove a sign, as JSON values: instants as ISO 8601, what says nothing left out."""
    found: dict[str, Any] = {}
    for name in names:
        value = row.get(name)
        if name.endswith("_at") or name.startswith("due_"):
            if value is not None and (at := _instant(value)) is not None:
                found[name] = iso(from_microseconds(at * 1_000_000))
        elif value not in (None, "", 0):
            found[name] = value
    return found


_FAR = 253_402_300_799  # seconds: the year 9999


def _instant(value: Any) -> int | None:
    return None if value is None or not -_FAR < int(value) < _FAR else int(value)
