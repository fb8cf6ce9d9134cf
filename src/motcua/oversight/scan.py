"""The scan: every check over the facts of a question, and for each what it looked at and what it could not see.

"Zero signs" and "not scanned" are two things: a check that lacks a fact says which, and in which source.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np

from motcua.inspection import data_findings, engines, run
from motcua.inspection.checks import downtime, papers, story, synchronised
from motcua.inspection.checks.check import Check, Given, Value
from motcua.inspection.checks.facts import Facts
from motcua.inspection.plans import Build, Frames
from motcua.inspection.run import Looked
from motcua.inspection.signs import Sign
from motcua.inspection.verdicts import Scope
from motcua.oversight import asked, figures, petitions, plugins, reading, reference, terms, thresholds
from motcua.oversight.figures import Question, View
from motcua.oversight.pairs import Builder
from motcua.rules.instants import Unreadable

FORMULA = "sign = the check holds where all its facts are known; not scanned is not zero; v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One scan: its signs, and per check what was looked at. `broken`: plug-in or check → what went wrong with it."""

    head: Mapping[str, Any]  # as_of, period, measure, policy, formula, facts_age_s
    population: int
    checks: tuple[Looked, ...]
    signs: tuple[Sign, ...]
    broken: Mapping[str, str] = field(default_factory=dict)

    def looked(self, code: str) -> Looked:
        """What a check looked at. Raises `KeyError` where it was not asked for."""
        return {looked.check: looked for looked in self.checks}[code]

    @property
    def codes(self) -> frozenset[str]:
        """The checks that were asked for."""
        return frozenset(looked.check for looked in self.checks)


def library() -> dict[str, Check]:
    """Every check by code: the built-in ones and a province's own."""
    return {**run.BY_CODE, **plugins.load().checks}


def chosen(checks: Sequence[str]) -> list[Check]:
    """The checks named by code or by number ("V-05"); all where none is named. Raises `Unreadable`."""
    known = library()
    if not checks:
        return list(known.values())
    wanted: dict[str, Check] = {}
    for name in checks:
        found = [known[name]] if name in known else [c for c in known.values() if name and c.number == name.upper()]
        if not found:
            raise Unreadable(f"no check {name!r}; `motcua checks` lists them")
        wanted |= {check.code: check for check in found}
    return list(wanted.values())


def scan(
    home: Path,
    question: Question,
    *,
    now: datetime,
    checks: Sequence[str] = (),
    parameters: Mapping[str, Mapping[str, Value]] | None = None,
    keep: Callable[[Iterable[Sign]], object] | None = None,
) -> Scan:
    """Runs the checks named (by code or number; none: all) over the facts of a question.

    `parameters`: code → name → value, instead of those that are in force (`thresholds`) at the question's `as_of`, as
    known then. `keep` is given the signs while they are read, and the scan holds none: a province may have hundreds of
    thousands. A check that fails is reported by name under `broken` and stops no other. Raises `Unreadable` where the
    question or a name cannot be understood.
    """
    wanted = chosen(checks)
    broken = dict(plugins.load().broken) if not checks else {}
    store = figures.facts(home)
    with store.lock:
        view = store.view(question, now=now)
        head = figures.head(view, question, FORMULA, now)
        asked = [check for check in wanted if question.measure in check.measures]
        own = thresholds.values(thresholds.in_force(as_of=view.as_of, known_at=question.known_at))
        for code, more in (parameters or {}).items():
            own[code] = {**own.get(code, {}), **more}
        given = {check.code: check.given(view.scope, own.get(check.code)) for check in asked}
        with ExitStack() as kept:
            facts = _facts(store.folder, view, question, kept)
            counted = facts.dossiers.filter(nw.col("in_population")).select(nw.len().cast(nw.Int64).alias("n"))
            population = int(view.engine.collect(counted)[0]["n"])
            rows = [check for check in asked if check.runs and check.holds is not None]
            ours = [check for check in rows if check.code in run.BY_CODE]
            signs: list[Sign] = []
            by_code = {check.code: check for check in asked}
            take = keep or signs.extend
            looks, seen = run.of_dossiers(
                facts.dossiers, ours, given, view.engine.collect, view.engine.each,
                planned=lambda name, frames, build: view.engine.planned(name, frames, view.scope, build),
            )  # fmt: skip
            take(_with_values(seen, by_code, given))
            looked = {one.check: one for one in looks}
            for check in asked:
                if check.code in looked:
                    continue
                try:
                    looked[check.code], found = _alone(check, facts, given, population)
                except Exception as error:
                    if check.code in run.BY_CODE:
                        raise  # ours: a bug, it crashes, loudly
                    broken[check.code] = f"{type(error).__name__}: {error}"
                    looked[check.code] = run.failed(check, population)
                    found = []
                take(_with_values(found, by_code, given))
    for check in wanted:
        looked.setdefault(check.code, Looked(check.code, asked=False))
    return Scan(
        head=head,
        population=population,
        checks=tuple(looked[check.code] for check in wanted),
        signs=tuple(signs),
        broken=broken,
    )


def _with_values(
    signs: Iterable[Sign], checks: Mapping[str, Check], given: Mapping[str, Given]
) -> Iterator[Sign]:  # fmt: skip
    """The signs, each with the parameters that its check ran with."""
    own = {
        code: tuple(p.name for p in check.parameters if given[code].values[p.name] != p.default)
        for code, check in checks.items()
    }
    for sign in signs:
        values = given[sign.check].values
        yield replace(sign, values=values, own=own[sign.check]) if values else sign


def _alone(check: Check, facts: Facts, given: Mapping[str, Given], population: int) -> tuple[Looked, list[Sign]]:
    """One check by itself: of units and officials, a province's own, or one that lacks its facts."""
    if not check.runs:
        return run.out_of_reach(check, population), []
    if check.signs is not None:
        return run.of_others(facts, check, given[check.code])
    [looked], signs = run.of_dossiers(facts.dossiers, [check], given, facts.collect)
    return looked, list(signs)


def _facts(folder: Path, view: View, question: Question, kept: ExitStack) -> Facts:
    """The facts of the question, each frame computed once for as long as `kept` is open."""
    engine = view.engine

    def table(name: str) -> nw.LazyFrame[Any]:
        return engines.table(engine, folder, view.manifest, name)

    units, days, accounts = (table(name) for name in ("units", "days", "accounts"))
    known = reading.catalogue(question.known_at)
    if question.known_at is not None and terms.made_known_since(question.known_at):
        days = engine.rows(reference.days(known, view.as_of), like=days)
    procedures, components = (
        _then(table(name), question.known_at or view.as_of) for name in ("procedures", "components")
    )
    questions = asked.of(view.as_of)
    complaints = petitions.known(known, as_of=view.as_of, known_at=question.known_at)
    judged = kept.enter_context(engine.kept(view.judged()))
    if question.measure == "reception":
        return Facts(
            judged, judged, view.scope, engine.collect, units, procedures, days, accounts, None, questions, complaints
        )

    def planned(name: Hashable, frames: Frames, build: Build) -> nw.LazyFrame[Any]:
        return kept.enter_context(engine.kept(engine.planned(name, frames, view.scope, build)))

    placed = planned(
        "situated", {"judged": judged, "units": units, "procedures": procedures, "days": days},
        lambda f, scope: story.situated(f["judged"], f["units"], f["procedures"], f["days"], scope),
    )  # fmt: skip
    down = engine.collect(table("outages").select(nw.len().cast(nw.Int64).alias("n")))[0]["n"]
    outages = kept.enter_context(engine.kept(downtime.placed(table("outages"), units, days))) if down else None
    acts = table("steps").filter(nw.col("side") == "ours", nw.col("at") <= view.scope.as_of)
    if question.known_at is not None:
        acts = acts.filter(nw.col("recorded_at") <= int(question.known_at.timestamp()))
    of_outages = {} if outages is None else {"outages": outages}
    acts = planned(
        "dated", {"acts": acts, "judged": judged, "placed": placed, "days": days, "accounts": accounts, **of_outages},
        lambda f, _: story.dated(
            story.effective(f["acts"]), f["judged"], f["placed"], f["days"], f["accounts"], f.get("outages")
        ),
    )  # fmt: skip
    documents = _documents(table("documents"), table("pairs"), view, question.known_at)
    theirs = table("steps").filter(nw.col("side") == "theirs")
    told = planned(
        "told",
        {
            "judged": judged, "placed": placed, "acts": acts, "process": table("process"), "documents": documents,
            "components": components, "theirs": theirs, "deliveries": table("deliveries"), **of_outages,
        },
        _told_of_each,
    )  # fmt: skip
    return Facts(
        told, acts, view.scope, engine.collect, units, procedures, days, accounts, outages, questions, complaints
    )


def _told_of_each(f: Frames, scope: Scope) -> nw.LazyFrame[Any]:
    """The judged pairs with their place, their story, their papers and their synchronisation."""
    told = f["placed"]
    for part in (
        story.told(f["judged"], f["acts"], f["process"]),
        papers.told(f["judged"], f["documents"], f["components"]),
        synchronised.told(f["acts"], f["theirs"], f["deliveries"], f.get("outages"), scope.as_of),
    ):
        told = told.join(part, on="dossier", how="left")
    return f["judged"].join(told, on="dossier", how="left")


def _then(frame: nw.LazyFrame[Any], at: datetime) -> nw.LazyFrame[Any]:
    """What the catalogue was known to say at an instant."""
    second = int(at.timestamp())
    return frame.filter(nw.col("since") <= second, nw.col("until") > second).drop("since", "until")


def _documents(
    documents: nw.LazyFrame[Any], pairs: nw.LazyFrame[Any], view: View, known_at: datetime | None
) -> nw.LazyFrame[Any]:  # fmt: skip
    """The papers as they were stated by the question's `as_of` and known then: read anew where anything came later."""
    engine, as_of = view.engine, int(view.as_of.timestamp())
    known = int((known_at or view.as_of).timestamp())
    if view.manifest.at_s <= min(as_of, known):
        return documents
    later = (nw.col("last_at") > as_of) | (nw.col("last_known_at") > known) | (nw.col("t_stored_at") > known)
    named = pairs.filter(later.fill_null(value=False)).select("dossier")
    changed = {row["dossier"] for row in engine.collect(named.join(documents, on="dossier", how="semi"))}
    if not changed:
        return documents
    builder = Builder(None, reading.catalogue())
    builder.add_documents(changed, as_of=view.as_of, known_at=known_at)
    gone = engine.rows({"dossier": np.array(sorted(changed), object)}, like=documents.select("dossier"))
    then = engine.rows(builder.columns("documents"), like=documents)
    builder.db.close()
    names = documents.collect_schema().names()
    kept = documents.join(gone, on="dossier", how="anti")
    return nw.concat([kept.select(names), then.select(names)], how="vertical")


def inspect(home: Path, question: Question, *, now: datetime, checks: Sequence[str] = ()) -> dict[str, Any]:
    """Findings as the JSON of `motcua inspect`: causes, data findings, the signs of every other check.

    Under `checks`: what each of those asked for looked at, and which facts it lacks where.
    """
    wanted = chosen(checks)
    told = [c.code for c in wanted if c.leg or c.code in data_findings.CODES]
    if told:
        document = figures.inspect(home, question, now=now, checks=tuple(told) if checks else ())
    found = scan(home, question, now=now, checks=checks)
    known = {check.code: check for check in wanted}
    names = figures.agency_names()
    listed = [_told(sign, known[sign.check], names) for sign in found.signs if sign.check not in told]
    if not told:
        document = {**found.head, "findings": [], "data_findings": []}
    return {
        **document,
        "findings": document["findings"] + listed,
        "checks": [
            {"check": looked.check, "number": known[looked.check].number, "state": looked.state,
             "looked_at": looked.looked_at, "found": looked.found, "missing": looked.missing, "where": looked.where}
            for looked in found.checks
        ],
        "broken": dict(found.broken),
    }  # fmt: skip


def _told(sign: Sign, check: Check, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "dossier": sign.subject if sign.kind == "dossier" else None,
        "subject": sign.subject,
        "kind": sign.kind,
        "check": check.code,
        "number": check.number,
        "title": check.title,
        "leg": None,
        "cause": None,
        "agency": sign.agency,
        "agency_name": names.get(sign.agency, sign.agency),
        "unit": sign.unit,
        "severity": check.severity,
        "confidence": sign.confidence,
        "evidence": dict(sign.evidence),
        "parameters": dict(sign.values),
        "remedy": check.remedy,
    }
