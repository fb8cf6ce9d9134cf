"""The figures that pages and commands show: the bridge, rates, lists, findings, one dossier explained.

Every figure reads the facts, states formula, age and population, and drills down to exactly its dossiers.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from motcua.catalogue.models import Agency, Field, Procedure
from motcua.inspection import bridge as bridges
from motcua.inspection import data_findings, engines, time_spent, verdicts
from motcua.inspection import rates as on_time
from motcua.inspection.causes import reads
from motcua.inspection.checks import story
from motcua.inspection.columns import Columns
from motcua.inspection.engines import Engine, Manifest
from motcua.inspection.plans import Build
from motcua.inspection.remedies import REMEDIES, SEVERITIES
from motcua.inspection.verdicts import MEASURES, Measure, Scope, flag, instant
from motcua.mirror import profiles
from motcua.oversight import extract, periods, reading, terms
from motcua.oversight.pairs import SHAPE, Builder
from motcua.oversight.periods import Period
from motcua.rules.instants import Unreadable, at_clock, from_microseconds, iso
from motcua.rules.policies import POLICIES, policy

TIME_FORMULA = "working minutes of the agency's calendar, each with one owner; v1"
_FAR = 253_402_300_799  # seconds: the year 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: which measure, period, cut and policy, of which agencies."""

    measure: Measure = "all"
    period: str | None = None
    as_of: datetime | None = None
    known_at: datetime | None = None
    agency: str | None = None
    policy: str = "default"
    engine: str = "duckdb"
    scope_of: frozenset[str] | None = None  # agencies that the viewer may see; None: all


@dataclass(frozen=True, slots=True)
class View:
    """The pairs as a question sees them."""

    engine: Engine
    pairs: nw.LazyFrame[Any]
    duplicates: nw.LazyFrame[Any]
    scope: Scope
    manifest: Manifest
    as_of: datetime
    period: Period | None

    def judged(self, some: nw.LazyFrame[Any] | None = None) -> nw.LazyFrame[Any]:
        """The pairs, or some of them, with verdicts and causes."""
        frames = {"pairs": self.pairs if some is None else some}
        return self.engine.planned("judged", frames, self.scope, lambda f, scope: bridges.judged(f["pairs"], scope))

    def planned(self, name: Hashable, build: Build) -> nw.LazyFrame[Any]:
        """What `build` makes of the `pairs` and the scope, planned once for each `name`."""
        return self.engine.planned(name, {"pairs": self.pairs}, self.scope, build)


class Facts:
    """The facts of one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.folder = extract.facts_folder(home)
        self.lock = Lock()
        self._then: dict[Hashable, _Then] = {}

    def view(self, question: Question, *, now: datetime, keep: Iterable[str] | None = None) -> View:
        """The pairs cut to the question. Raises `Unreadable`.

        `keep`: which columns are wanted beyond those that the verdicts read; None: all. A narrow frame is planned
        several times as fast as a wide one.
        """
        if question.measure not in MEASURES:
            raise Unreadable(f"no measure {question.measure!r}; there are: {', '.join(MEASURES)}")
        period = periods.parse(question.period) if question.period else None
        as_of = question.as_of or (min(period.end, now) if period else now)
        rule = profiles.current().rule
        scope = Scope(
            measure=question.measure,
            policy=policy(question.policy),
            as_of=int(as_of.timestamp()),
            start=int(period.start.timestamp()) if period else None,
            end=int(period.end.timestamp()) if period else None,
            last_nine=rule.last_nine,
            portal_as_of=int(period.end.timestamp()) if period and rule.open_until == "period_end" else None,
        )
        manifest = Manifest.read(self.folder)
        if manifest.marks.get("shape") != SHAPE:
            raise Unreadable("the facts are those of an older version: run `motcua extract`")
        engine = engines.engine(question.engine)
        pairs = engines.table(engine, self.folder, manifest, "pairs")
        duplicates = engines.table(engine, self.folder, manifest, "duplicates")
        pairs, duplicates = self._cut(engine, pairs, duplicates, manifest, as_of, question.known_at)
        pairs = pairs.filter(nw.col("linked_to") == "")
        if keep is not None:
            there = set(pairs.collect_schema().names())
            pairs = pairs.select(sorted((reads(scope) | set(keep)) & there))
        pairs = _with_duplicates(pairs, duplicates, scope)
        pairs = _with_stated(engine, pairs, engines.table(engine, self.folder, manifest, "published"), scope)
        if question.agency:
            pairs = pairs.filter(nw.col("agency") == question.agency)
        if question.scope_of is not None:
            pairs = pairs.filter(nw.col("agency").is_in(sorted(question.scope_of)))
        return View(engine, pairs, duplicates, scope, manifest, as_of, period)

    def _cut(
        self,
        engine: Engine,
        pairs: nw.LazyFrame[Any],
        duplicates: nw.LazyFrame[Any],
        manifest: Manifest,
        as_of: datetime,
        known_at: datetime | None,
    ) -> tuple[nw.LazyFrame[Any], nw.LazyFrame[Any]]:
        """Dossiers with anything stated after `as_of`, or known after `known_at`, are computed anew for then."""
        key = (manifest.generation, manifest.at_s, profiles.current().rule, as_of, known_at)
        then = self._then.get(key) or _anew(engine, pairs, as_of, known_at)
        if then is None:
            return pairs, duplicates
        if len(then.gone) <= _REMEMBERED:
            self._then = {key: then}
        gone = engine.rows({"dossier": then.gone}, like=pairs.select("dossier"))
        rebuilt, further = engine.rows(then.pairs, like=pairs), engine.rows(then.duplicates, like=duplicates)
        names, more = pairs.collect_schema().names(), duplicates.collect_schema().names()
        pairs = pairs.join(gone, on="dossier", how="anti")
        duplicates = duplicates.join(gone, left_on="of_dossier", right_on="dossier", how="anti")
        return (
            nw.concat([pairs.select(names), rebuilt.select(names)], how="vertical"),
            nw.concat([duplicates.select(more), further.select(more)], how="vertical"),
        )


@dataclass(frozen=True, slots=True)
class _Then:
    """The dossiers that stood otherwise at an instant, and their rows as they were."""

    gone: NDArray[np.object_]
    pairs: Columns
    duplicates: Columns


#: A page asks several questions as of one instant: so many dossiers computed anew are kept from one to the next.
_REMEMBERED = 10_000


def _anew(engine: Engine, pairs: nw.LazyFrame[Any], as_of: datetime, known_at: datetime | None) -> _Then | None:
    """None where no dossier stood otherwise."""
    limit = int(as_of.timestamp())
    later = nw.max_horizontal(*(nw.col(n).fill_null(0) for n in ("last_at", "t_last_at", "paid_at"))) > limit
    if known_at is not None:
        known = (nw.col(n).fill_null(0) for n in ("last_known_at", "t_stored_at", "paid_known_at"))
        later = later | (nw.max_horizontal(*known) > int(known_at.timestamp())) | _under_later_calendars(known_at)
    first = nw.min_horizontal(
        instant("submitted_at"), instant("received_at"), instant("t_received_at"), instant("t_submitted_at")
    )
    affected = engine.collect(pairs.filter(later).select("dossier", inside=first <= limit))
    if not affected:
        return None
    linked = {
        row["dossier"]: row["linked_to"]
        for row in engine.collect(pairs.filter(nw.col("linked_to") != "").select("dossier", "linked_to"))
    }
    out = _with_links({row["dossier"] for row in affected}, linked)
    codes = _with_links({row["dossier"] for row in affected if row["inside"]}, linked)
    builder = Builder(None, reading.catalogue(known_at))
    builder.add_codes(codes, as_of=as_of, known_at=known_at, with_steps=False)
    builder.file_strangers()
    builder.link([(record, dossier) for record, dossier in sorted(linked.items()) if record in codes])
    then = _Then(np.array(sorted(out), object), builder.columns("pairs"), builder.columns("duplicates"))
    builder.db.close()
    return then


#: Beyond all of these no clock of a finished dossier runs.
_CLOCK_ENDS = ("last_at", "t_last_at", "due_3", "statutory_3", "limit_due_at", "t_due_at", "t_limit_due_at")


def _under_later_calendars(known_at: datetime) -> nw.Expr:
    """The dossiers whose clock reaches a day of which something was made known after an instant."""
    own = reading.catalogue().agency_calendars
    reached = nw.lit(value=False)
    latest = nw.max_horizontal(*(nw.col(name).fill_null(0) for name in _CLOCK_ENDS))
    for name, day in terms.made_known_since(known_at).items():
        agencies = [agency for agency, calendar in own.items() if name in (calendar, "vn")]
        under = nw.col("agency").is_in(agencies) if agencies else nw.lit(value=False)
        under = ~under if name == "vn" else under
        reached = reached | (under & (nw.col("finish_at").is_null() | (latest >= int(at_clock(day, 0).timestamp()))))
    return reached


def _with_links(codes: set[str], linked: Mapping[str, str]) -> set[str]:
    """The codes with every record and dossier that belong together with one of them."""
    dossiers = codes | {linked[code] for code in codes if code in linked}
    return dossiers | {record for record, dossier in linked.items() if dossier in dossiers}


def _with_duplicates(pairs: nw.LazyFrame[Any], duplicates: nw.LazyFrame[Any], scope: Scope) -> nw.LazyFrame[Any]:
    """Adds whether a further record of the dossier is late there."""
    if scope.measure == "reception":
        return pairs.with_columns(t_duplicate_late=nw.lit(value=False))
    late = verdicts.their_late(scope, verdicts.their_record(scope))
    of_dossier = (
        duplicates.with_columns(late=late)
        .filter(nw.col("late"))
        .select(nw.col("of_dossier").alias("dossier"), nw.lit(value=True).alias("t_duplicate_late"))
        .unique("dossier")
    )
    return pairs.join(of_dossier, on="dossier", how="left").with_columns(t_duplicate_late=flag("t_duplicate_late"))


def _with_stated(
    engine: Engine, pairs: nw.LazyFrame[Any], published: nw.LazyFrame[Any], scope: Scope
) -> nw.LazyFrame[Any]:
    """Adds what the lists in force by then state of each dossier: the newest of each measure, and of each unit since.

    Of a dossier that several of them name, late in one is late.
    """
    asked = {"all": ("all", "open", "finished"), "reception": ("reception",)}.get(scope.measure, (scope.measure, "all"))
    heads = engine.collect(published.select("list", "measure", "about", "stated_at").unique())
    heads = [head for head in heads if head["measure"] in asked and head["stated_at"] <= scope.as_of]
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for head in sorted(heads, key=lambda head: (head["stated_at"], head["list"])):
        if not head["about"]:  # a list of the whole province replaces those of its units
            newest = {key: kept for key, kept in newest.items() if key[0] != head["measure"]}
        newest[head["measure"], head["about"]] = head
    # Of a source whose records there nobody has seen, lists are all that is known of the portal's side, or nothing is.
    seen = pairs.filter(flag("exists_there")).select("source", source_there=nw.lit(value=True)).unique("source")
    alone = ~flag("source_there") & (nw.col("any_delivery").fill_null("") == "")
    pairs = pairs.join(seen, on="source", how="left").with_columns(l_alone=alone).drop("source_there")
    if not newest:
        nothing = nw.lit(None)
        return pairs.with_columns(
            l_late=nothing.cast(nw.Boolean),
            l_has_due=nw.lit(value=False),
            l_has_finish=nw.lit(value=False),
            **{f"l_{name}": nothing.cast(nw.Int64) for name in ("received_at", "due_at", "finished_at")},
        )
    stated = (
        published.filter(nw.col("list").is_in(sorted(head["list"] for head in newest.values())))
        .group_by("dossier")
        .agg(
            nw.col("late").cast(nw.Int64).max().alias("late"),
            nw.col("has_due").cast(nw.Int64).max().alias("has_due"),
            nw.col("has_finish").cast(nw.Int64).max().alias("has_finish"),
            *(nw.col(name).max().alias(f"l_{name}") for name in ("received_at", "due_at", "finished_at")),
        )
        .with_columns(l_late=nw.col("late") > 0, l_has_due=nw.col("has_due") > 0, l_has_finish=nw.col("has_finish") > 0)
        .drop("late", "has_due", "has_finish")
    )
    return pairs.join(stated, on="dossier", how="left")


_OPEN: dict[Path, Facts] = {}


def facts(home: Path) -> Facts:
    """The facts of a home, one for the process."""
    if home not in _OPEN:
        _OPEN[home] = Facts(home)
    return _OPEN[home]


@contextmanager
def pinned(home: Path, folder: Path) -> Iterator[Facts]:
    """The facts of a home, held as they are now for as long as the block runs, whatever is published meanwhile.

    Links to their files lie under `folder`; who asks `folder` as a home reads them. Raises `Unreadable` where no facts
    are.
    """
    target = extract.facts_folder(folder)
    try:
        while not _linked(extract.facts_folder(home), target):
            pass  # other facts were published in between: those are taken
        _OPEN[folder] = Facts(folder)
        yield _OPEN[folder]
    finally:
        _OPEN.pop(folder, None)
        shutil.rmtree(target, ignore_errors=True)


def _linked(source: Path, target: Path) -> bool:
    """Links every file of the newest facts; False where they were no longer the newest when that was done."""
    shutil.rmtree(target, ignore_errors=True)
    manifest = Manifest.read(source)
    named = {file for table in manifest.tables.values() for file in (*table.base, *table.delta)}
    try:
        for file in (found for pattern in sorted(named) for found in source.glob(pattern)):
            link = target / file.relative_to(source)
            link.parent.mkdir(parents=True, exist_ok=True)
            _link(file, link)
    except FileNotFoundError:
        return False
    manifest.write(target)
    return Manifest.read(source) == manifest


def _link(file: Path, link: Path) -> None:
    try:
        os.link(file, link)
    except FileNotFoundError:
        raise
    except OSError:  # a file system without links
        shutil.copyfile(file, link)


def head(view: View, question: Question, formula: str, now: datetime) -> dict[str, Any]:
    """What every answer says of itself: as of when, of which period and measure, by which reading and formula."""
    return {
        "as_of": iso(view.as_of),
        "period": question.period,
        "measure": question.measure,
        "policy": POLICIES[question.policy].label,
        "formula": formula,
        "facts_age_s": max(int(now.timestamp()) - view.manifest.at_s, 0),
    }


def knows_agency(home: Path, code: str) -> bool:
    """Whether the catalogue has this agency, or any dossier is counted under it."""
    if Agency.objects.filter(code=code).exists():
        return True
    store = facts(home)
    with store.lock:
        engine = engines.engine("duckdb")
        pairs = engines.table(engine, store.folder, Manifest.read(store.folder), "pairs")
        return bool(engine.collect(pairs.filter(nw.col("agency") == code).select("agency").head(1)))


def _names(by: str | None) -> Mapping[str, str]:
    match by:
        case "agency":
            return dict(Agency.objects.values_list("code", "name"))
        case "procedure":
            return dict(Procedure.objects.values_list("code", "name"))
        case "field":
            return dict(Field.objects.values_list("code", "name"))
    return {}


def agency_names() -> Mapping[str, str]:
    """The names of the agencies by code."""
    return _names("agency")


def _known(by: str | None) -> None:
    if by is not None and by not in bridges.DIMENSIONS:
        raise Unreadable(f"no dimension {by!r}; there are: {', '.join(bridges.DIMENSIONS)}")


def bridge(home: Path, question: Question, *, now: datetime, by: str | None = None) -> dict[str, Any]:
    """The bridge as the JSON of `motcua bridge`."""
    _known(by)
    store = facts(home)
    with store.lock:
        view = store.view(question, now=now, keep=())
        frame = view.planned(("bridge", by), lambda f, scope: bridges.tally(bridges.judged(f["pairs"], scope), by))
        whole, groups = bridges.rows(view.engine.collect(frame))
    names = _names(by)
    rows = [{"key": key, "name": names.get(key, key), **row.as_dict()} for key, row in sorted(groups.items())]
    return {**head(view, question, bridges.FORMULA, now), **whole.as_dict(), "rows": rows if by else []}


def rates(
    home: Path, question: Question, *, now: datetime, by: str | None = None, verdict: str = "recorded"
) -> dict[str, Any]:
    """On-time figures as the JSON of `motcua rates`: the whole first, then the groups."""
    _known(by)
    if verdict not in on_time.SIDES:
        raise Unreadable(f"no verdict {verdict!r}; there are: {', '.join(on_time.SIDES)}")
    store = facts(home)
    with store.lock:
        view = store.view(question, now=now, keep=())
        frame = view.planned(
            ("rates", verdict, by), lambda f, scope: on_time.tally(on_time.classified(f["pairs"], scope, verdict), by)
        )
        whole, groups = on_time.rows(view.engine.collect(frame))
    names = _names(by)
    rows = [{"key": key, "name": names.get(key, key), **row} for key, row in sorted(groups.items())]
    return {
        **head(view, question, on_time.FORMULA, now),
        "verdict": verdict,
        "total": whole,
        "rows": rows if by else [{"key": "", "name": "", **whole}],
    }


_EVIDENCE = (
    "due_0", "due_3", "finish_at", "true_finish_at", "evidence_at", "finish_recorded_at", "t_due_at", "t_nine_at",
    "t_nine_last_at", "t_ten_at", "t_closed_at", "t_received_at",
)  # fmt: skip
_FACTS = ("t_status", "t_procedure", "t_unit_name", "delivery", "delivery_message", "pause_fault", "extension_fault",
          "sub_cause", "t_duplicates", "evidence_kind", "t_code")  # fmt: skip


def _finding(row: Mapping[str, Any], leg: str, cause: str, agencies: Mapping[str, str]) -> dict[str, Any]:
    late_left, late_right = (row["shown"], row["recorded"]) if leg == "sync" else (row["recorded"], row["true"])
    return {
        "dossier": row["dossier"],
        "check": cause,
        "leg": leg,
        "cause": cause,
        "direction": "removed" if late_left and not late_right else "added",
        "agency": row["agency"],
        "agency_name": agencies.get(row["agency"], row["agency"]),
        "unit": row["t_unit_name"] or "",
        "severity": SEVERITIES[cause],
        "evidence": _evidence(row, _EVIDENCE + _FACTS),
        "remedy": REMEDIES[cause],
    }


def inspect(home: Path, question: Question, *, now: datetime, checks: tuple[str, ...] = ()) -> dict[str, Any]:
    """Findings as the JSON of `motcua inspect`: each with the facts that prove it and the remedy.

    Under `data_findings`, apart: differences and doubtful records that change no verdict. `checks` chooses among both.
    """
    unknown = [check for check in checks if check not in REMEDIES and check not in data_findings.CODES]
    if unknown:
        raise Unreadable(f"no check {unknown[0]!r}; there are: {', '.join((*REMEDIES, *data_findings.CODES))}")
    data = tuple(code for code in data_findings.CODES if not checks or code in checks)
    store = facts(home)
    with store.lock:
        view = store.view(question, now=now)
        judged = view.judged()
        wanted = ["dossier", "agency", "sync_cause", "record_cause", "shown", "recorded", "true", *_EVIDENCE, *_FACTS]
        rows = view.engine.collect(bridges.findings(judged).select(wanted))
        more: list[dict[str, Any]] = []
        if data and question.measure != "reception":
            kinds = data_findings.checks(view.scope)
            columns = {"dossier", "agency", *data, *(name for code in data for name in kinds[code].evidence)}
            more = view.engine.collect(data_findings.found(judged, view.scope, data).select(sorted(columns)))
    agencies = _names("agency")
    found = [
        _finding(row, leg, row[f"{leg}_cause"], agencies)
        for row in sorted(rows, key=lambda row: row["dossier"])
        for leg in ("sync", "record")
        if row[f"{leg}_cause"] and (not checks or row[f"{leg}_cause"] in checks)
    ]
    listed = [
        {
            "dossier": row["dossier"],
            "check": code,
            "agency": row["agency"],
            "agency_name": agencies.get(row["agency"], row["agency"]),
            "severity": kinds[code].severity,
            "evidence": _evidence(row, kinds[code].evidence),
        }
        for row in sorted(more, key=lambda row: row["dossier"])
        for code in data
        if row[code]
    ]
    return {**head(view, question, bridges.FORMULA, now), "findings": found, "data_findings": listed}


def _evidence(row: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The columns that prove a finding: instants as ISO 8601, what is absent left out."""
    found: dict[str, Any] = {}
    for name in names:
        value = row[name]
        if name.endswith("_at") or name.startswith("due_"):
            if value is not None:
                found[name] = iso(from_microseconds(value * 1_000_000))
        elif value not in (None, "", 0):
            found[name] = value
    return found


#: The columns of a judged pair that lists show.
LISTED = ("dossier", "procedure", "agency", "source", "channel", "received_at", "submitted_at", "t_received_at",
           "due_0", "t_due_at", "finish_at", "true_finish_at", "shown", "recorded", "true", "sync_cause",
           "record_cause", "unproven", "disputed", "no_due")  # fmt: skip


#: Marks of a dossier that are counted beside the late ones, each with its column.
FLAGS = {
    "unproven": "unproven", "disputed": "disputed", "no_due": "no_due", "stated": "is_stated",
    "differs_from_stated": "differs_from_stated",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which dossiers of a figure: the drill-down of any number or bar."""

    side: str | None = None  # late by this side: shown | recorded | true
    leg: str | None = None
    cause: str | None = None
    direction: str | None = None  # removed | added
    by: str | None = None
    key: str | None = None
    flag: str | None = None  # one of FLAGS or MARKED
    held: str | None = None  # by whom: owner, or owner:step (`inspection.time_spent`)


def _unsynchronised(scope: Scope) -> nw.Expr:
    ended_here = instant(verdicts.our_stage(scope, 0).finish) <= scope.as_of
    ended_there = flag("exists_there") & (verdicts.their_finish(scope) <= scope.as_of)
    return flag("exists_here") & ended_here & ~ended_there


def _due_today(scope: Scope) -> nw.Expr:
    ours = verdicts.our_stage(scope, 0)
    finish, due = instant(ours.finish), instant(ours.due)
    waits = flag("exists_here") & (finish > scope.as_of) & ~flag(ours.paused)
    today = verdicts.local_day(nw.lit(scope.as_of))
    return waits & (due > scope.as_of) & (verdicts.local_day(due) == today)


#: Marks that are asked of the instant. `unsynchronised`: ended here while the portal does not know it, whatever that
#: does to a verdict; `due_today`: open, in time, no pause, due before the day of the instant is over.
MARKED: Mapping[str, Callable[[Scope], nw.Expr]] = {"unsynchronised": _unsynchronised, "due_today": _due_today}


def _filtered(frame: nw.LazyFrame[Any], chosen: Filter, scope: Scope) -> nw.LazyFrame[Any]:
    if chosen.by is not None:
        _known(chosen.by)
        frame = frame.filter(nw.col(bridges.DIMENSIONS[chosen.by]).fill_null("") == (chosen.key or ""))
    if chosen.side:
        if chosen.side not in on_time.SIDES:
            raise Unreadable(f"no side {chosen.side!r}; there are: {', '.join(on_time.SIDES)}")
        frame = frame.filter(nw.col(chosen.side))
    if chosen.flag and chosen.flag in MARKED:
        frame = frame.filter(nw.col("in_population") & MARKED[chosen.flag](scope))
    elif chosen.flag:
        if chosen.flag not in FLAGS:
            raise Unreadable(f"no flag {chosen.flag!r}")
        frame = frame.filter(nw.col(FLAGS[chosen.flag]))
    if chosen.leg or chosen.cause:
        if chosen.leg not in ("sync", "record"):
            raise Unreadable(f"no leg {chosen.leg!r}; there are: sync, record")
        frame = bridges.findings(frame, chosen.leg, chosen.cause)
        left, right = ("shown", "recorded") if chosen.leg == "sync" else ("recorded", "true")
        if chosen.direction == "removed":
            frame = frame.filter(nw.col(left) & ~nw.col(right))
        elif chosen.direction == "added":
            frame = frame.filter(~nw.col(left) & nw.col(right))
    elif not chosen.side:
        frame = frame.filter(nw.col("in_population"))
    return frame


def dossiers(
    home: Path, question: Question, chosen: Filter, *, now: datetime, after: str | None = None, limit: int = 50
) -> dict[str, Any]:
    """The dossiers behind a figure: exactly as many as it counts, a page at a time, by code."""
    store = facts(home)
    with store.lock:
        view = store.view(question, now=now, keep=LISTED)
        judged = view.judged()
        frame = _filtered(judged, chosen, view.scope)
        if chosen.held:
            owner, _, step = chosen.held.partition(":")
            holders = time_spent.held(_spent(store, view, judged, question), owner, step)
            frame = frame.join(holders, on="dossier", how="semi")
        total = int(view.engine.collect(frame.select(nw.len().alias("n")))[0]["n"])
        page = frame.filter(nw.col("dossier") > after) if after else frame
        rows = view.engine.collect(page.select(list(LISTED)).sort("dossier").head(limit + 1))
    more = len(rows) > limit
    return {
        **head(view, question, bridges.FORMULA, now),
        "total": total,
        "rows": listed_rows(rows[:limit]),
        "next": rows[limit - 1]["dossier"] if more else None,
    }


def _spent(store: Facts, view: View, judged: nw.LazyFrame[Any], question: Question) -> nw.LazyFrame[Any]:
    """Whose minutes the dossiers of the population were."""

    def table(name: str) -> nw.LazyFrame[Any]:
        return engines.table(view.engine, store.folder, view.manifest, name)

    ours = judged.filter(nw.col("in_population"), flag("exists_here"), ~nw.col("received_at").is_null())
    ours = ours.select("dossier", "agency", "received_at", "submitted_at", "true_finish_at")
    ours = ours.join(table("units").select("agency", "calendar"), on="agency", how="left")
    ours = ours.with_columns(calendar=nw.col("calendar").fill_null("vn"))
    acts = table("steps").filter(nw.col("side") == "ours", nw.col("at") <= view.scope.as_of)
    if question.known_at is not None:
        acts = acts.filter(nw.col("recorded_at") <= int(question.known_at.timestamp()))
    acts = acts.join(ours.select("dossier"), on="dossier", how="semi")
    return time_spent.spent(ours, story.effective(acts), table("days"), as_of=view.scope.as_of)


def where_time_lies(home: Path, question: Question, *, now: datetime) -> dict[str, Any]:
    """Whose working minutes the dossiers of a question were, the most first; each row drills down by `Filter.held`.

    Rows: `owner`, `step`, `minutes`, `dossiers`, `outside` the agency or within.
    """
    store = facts(home)
    with store.lock:
        view = store.view(question, now=now, keep=("submitted_at", "received_at", "true_finish_at"))
        judged = view.judged()
        rows = view.engine.collect(time_spent.totals(_spent(store, view, judged, question)))
    rows = [{**row, "outside": row["owner"] in time_spent.OUTSIDE} for row in rows]
    rows.sort(key=lambda row: (-row["minutes"], row["owner"], row["step"]))
    return {**head(view, question, TIME_FORMULA, now), "rows": rows}


def counts(home: Path, question: Question, chosen: Filter, *, by: str, now: datetime) -> dict[str, int]:
    """How many dossiers a figure counts, for each key of a dimension that has any; in sum what `dossiers` lists."""
    _known(by)
    store = facts(home)
    with store.lock:
        view = store.view(question, now=now, keep=())
        frame = _filtered(view.judged(), chosen, view.scope)
        grouped = (
            frame.select(key=nw.col(bridges.DIMENSIONS[by]).fill_null("")).group_by("key").agg(nw.len().alias("n"))
        )
        rows = view.engine.collect(grouped)
    return {row["key"]: int(row["n"]) for row in sorted(rows, key=lambda row: row["key"])}


def listed_rows(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Judged pairs, read with `LISTED`, as lists show them."""
    agencies, procedures = _names("agency"), _names("procedure")
    return [_listed(row, agencies, procedures) for row in rows]


def _listed(row: Mapping[str, Any], agencies: Mapping[str, str], procedures: Mapping[str, str]) -> dict[str, Any]:
    def at(*names: str) -> str | None:
        value = next((row[name] for name in names if row[name] is not None), None)
        return None if value is None or value > _FAR else iso(from_microseconds(value * 1_000_000))

    return {
        "dossier": row["dossier"],
        "procedure": row["procedure"],
        "procedure_name": procedures.get(row["procedure"], row["procedure"]),
        "agency": row["agency"],
        "agency_name": agencies.get(row["agency"], row["agency"]),
        "source": row["source"],
        "channel": row["channel"],
        "received_at": at("received_at", "submitted_at", "t_received_at"),
        "due_at": at("due_0", "t_due_at"),
        "finished_at": at("finish_at"),
        "true_finished_at": at("true_finish_at"),
        "shown": bool(row["shown"]),
        "recorded": bool(row["recorded"]),
        "true": bool(row["true"]),
        "sync_cause": row["sync_cause"] or None,
        "record_cause": row["record_cause"] or None,
        "unproven": bool(row["unproven"]),
        "disputed": bool(row["disputed"]),
        "no_due": bool(row["no_due"]),
    }


def one(home: Path, code: str, question: Question, *, now: datetime) -> dict[str, Any] | None:
    """The judged pair of one dossier, None where neither side has it; `further`: codes of its other records there."""
    return some(home, [code], question, now=now).get(code)


def some(home: Path, codes: Sequence[str], question: Question, *, now: datetime) -> dict[str, dict[str, Any]]:
    """The same for several dossiers by code: asked once, since planning costs more than reading them."""
    wanted = sorted(set(codes))
    store = facts(home)
    with store.lock:
        view = store.view(replace(question, measure="all"), now=now)
        among = nw.col("dossier").is_in(wanted) if len(wanted) > 1 else nw.col("dossier") == (wanted or [""])[0]
        rows = view.engine.collect(view.judged(view.pairs.filter(among)))
        extra = view.duplicates.filter(nw.col("of_dossier").is_in(wanted or [""])).select("of_dossier", "record")
        further = view.engine.collect(extra)
    found = {row["dossier"]: {**row, "as_of": view.as_of, "further": []} for row in rows}
    for each in sorted(further, key=lambda each: each["record"]):
        if each["of_dossier"] in found:
            found[each["of_dossier"]]["further"].append(each["record"])
    return found
