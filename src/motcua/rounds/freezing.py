"""Chốt số liệu: writes the frozen figures of a round, from one generation of the facts, in a process of its own.

The facts are pinned first and the log is read no further than they were, so that whatever is published meanwhile,
population, signs and stories are of one and the same moment. A process that is killed leaves a draft that the next one
throws away.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
from django.db import connections, transaction
from django.db.models import Q, QuerySet

from motcua.findings.spool import Spool
from motcua.inspection import bridge as bridges
from motcua.inspection import sampling
from motcua.inspection.engines import Manifest
from motcua.inspection.signs import Sign
from motcua.jobs import lease
from motcua.ledger import audit
from motcua.ledger.chain import canonical
from motcua.oversight import figures, reading, scan
from motcua.oversight.figures import Question, View
from motcua.rounds import frozen, plan
from motcua.rounds.frozen import path_in_sql, quoted
from motcua.rounds.models import Round
from motcua.rounds.refusals import lead, locked, plain, unfrozen
from motcua.rules.instants import Unreadable, from_microseconds, iso
from motcua.rules.moves import Refused

#: What is done one after another, as progress is told.
STAGES = ("population", "signs", "logs", "proof")
#: A process that does not renew its lease for so long is dead.
LEASE = timedelta(seconds=60)
_RENEW_S = 15.0
_CODES_AT_ONCE = 2_000
FORMULA = "population of the question, cut to the plan; " + bridges.FORMULA

Clock = Callable[[], datetime]
Told = Callable[[str, int, int], None]


# ---- asked for, and done by a process ------------------------------------------------------------------------------


@transaction.atomic
def ask(number: int, *, by: str, at: datetime) -> Round:
    """The lead has the population frozen: a process does it (`work`). Raises `Refused`."""
    round_ = locked(number)
    lead(round_, by)
    unfrozen(round_)
    round_.freezing_at, round_.freezing_by, round_.freezing_error = at, by, {}
    round_.freezing_stage, round_.freezing_done, round_.freezing_of = "", 0, 0
    round_.save(update_fields=["freezing_at", "freezing_by", "freezing_error", "freezing_stage", "freezing_done",
                               "freezing_of"])  # fmt: skip
    return round_


def waiting(*, at: datetime) -> list[int]:
    """Rounds that a process should freeze and none does."""
    free = Q(leased_until=None) | Q(leased_until__lt=at)
    asked = Round.objects.filter(free, freezing_at__isnull=False, frozen_at=None, closed_at=None)
    return list(asked.order_by("freezing_at").values_list("pk", flat=True))


def stands_still(round_: Round, *, at: datetime) -> bool:
    """Whether a round was to be frozen a while ago and nobody works on it: its process was killed."""
    if round_.freezing_at is None or round_.freezing_at > at - LEASE:
        return False
    return round_.leased_until is None or round_.leased_until < at


@transaction.atomic
def go_on(number: int, *, by: str, at: datetime) -> None:
    """The lead has a freeze that stands still taken up again. Raises `Refused`."""
    round_ = locked(number)
    lead(round_, by)
    if stands_still(round_, at=at):
        round_.freezing_at = at
        round_.save(update_fields=["freezing_at"])


def work(home: Path, *, clock: Clock, told: Told = lambda *_: None, only: int | None = None) -> int:
    """Freezes every round that waits, or one. Returns how many were frozen; why one was not stays on the round."""
    done = 0
    for number in waiting(at=clock()) if only is None else [only]:
        free = Q(leased_until=None) | Q(leased_until__lt=clock())
        if not Round.objects.filter(free, pk=number).update(leased_until=clock() + LEASE):
            continue
        mine = Round.objects.filter(pk=number)
        try:
            with _held(mine, clock):
                _freeze(number, home=home, at=clock(), told=told)
            done += 1
        except (Refused, Unreadable) as fault:
            mine.update(freezing_error=_kept(fault))
            if only is not None:
                raise
        finally:
            mine.update(freezing_at=None, leased_until=None)
    return done


def _kept(fault: Refused | Unreadable) -> dict[str, Any]:
    if isinstance(fault, Refused):
        return {"code": fault.code, "facts": {name: plain(value) for name, value in fault.facts.items()}}
    return {"text": str(fault)}


def _held(mine: QuerySet[Round, Round], clock: Clock) -> lease.Renewal:
    """Renews the lease of a round for as long as it is being frozen."""
    return lease.Renewal(lambda: mine.update(leased_until=clock() + LEASE), every_s=_RENEW_S)


def start(home: Path) -> None:
    """Starts a process that freezes what waits; it outlives the request, the server and the worker."""
    subprocess.Popen(
        [sys.executable, "-m", "motcua.cli", "round", "freeze"], env={**os.environ, "MOTCUA_HOME": str(home)},
        start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def freeze(number: int, *, home: Path, by: str, at: datetime, told: Told = lambda *_: None) -> Round:
    """Asks and does it at once, here. Raises `Refused`, `Unreadable`."""
    ask(number, by=by, at=at)
    work(home, clock=lambda: at, told=told, only=number)
    return Round.objects.get(pk=number)


def _freeze(number: int, *, home: Path, at: datetime, told: Told) -> None:
    """The files are whole before the round says that it is frozen; what a broken attempt left is thrown away."""
    round_ = Round.objects.get(pk=number)
    target = frozen.folder(home, number)
    draft = target.with_name(f"{number}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)

    def tell(stage: str, done: int = 0, of: int = 0) -> None:
        Round.objects.filter(pk=number).update(freezing_stage=stage, freezing_done=done, freezing_of=of)
        told(stage, done, of)

    made = _write(draft, round_, home=home, at=at, told=tell)
    with transaction.atomic():
        round_ = locked(number)
        by = round_.freezing_by
        round_.frozen_at, round_.as_of, round_.generation = at, made.as_of, made.generation
        round_.population, round_.population_digest = made.population, made.population_digest
        round_.manifest_digest = made.digest
        round_.save(update_fields=["frozen_at", "as_of", "generation", "population", "population_digest",
                                   "manifest_digest"])  # fmt: skip
        audit.record(
            at=at, actor=by, table="rounds_round", key=str(number), before={"frozen": None},
            after={"frozen": made.digest, "population": made.population, "population_digest": made.population_digest,
                   "generation": made.generation, "as_of": iso(made.as_of)},
        )  # fmt: skip
        shutil.rmtree(target, ignore_errors=True)
        draft.rename(target)


# ---- the files -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Made:
    population: int
    population_digest: str
    digest: str
    generation: int
    as_of: datetime


def _write(target: Path, round_: Round, *, home: Path, at: datetime, told: Told) -> _Made:
    told("population", 0, 0)
    with figures.pinned(home, target) as store:
        facts = Manifest.read(store.folder)
        question = plan.question(round_, known_at=from_microseconds(_known(facts)))
        view = store.view(question, now=at)
        _write_pairs(target, view, round_)
        codes = [row["dossier"] for row in frozen.each(target, "pairs", ("dossier",))]
        if not codes:
            raise Refused("round.empty", period=round_.period)
        _large_enough(target, round_)
        told("signs", 0, 0)
        checks = _write_signs(target, question, round_, now=at, codes=codes)
    _write_logs(target, codes, facts=facts, told=told)
    told("proof", 0, 0)
    units = sorted(frozen.population(target, round_))
    frozen.write_units(target, units)
    manifest = {
        "round": round_.pk,
        "frozen_at": iso(at),
        "as_of": iso(view.as_of),
        "facts": {"generation": facts.generation, "position": facts.position, "at": facts.at_s},
        "log_position": facts.position,
        "side": reading.their_side(),
        "formula": FORMULA,
        "checks": checks,
        "check_formula": scan.FORMULA,
        "heads": frozen.count_heads(target),
        "plan": plan.document(round_),
        "files": {file.name: {"sha256": frozen.sha256(file), "bytes": file.stat().st_size}
                  for file in sorted(target.iterdir()) if file.is_file()},
    }  # fmt: skip
    (target / "manifest.json").write_bytes(canonical(manifest))
    return _Made(len(units), sampling.population_digest(units), frozen.sha256(target / "manifest.json"),
                 facts.generation, view.as_of)  # fmt: skip


def _large_enough(target: Path, round_: Round) -> None:
    """Told before the plan stands for ever. Raises `Refused` where the sample has no room for every group."""
    if not round_.stratify:
        return
    strata = Counter(row[round_.stratify] or "" for row in frozen.each(target, "pairs", (round_.stratify,)))
    needed = sum(min(max(round_.least, 1), count) for count in strata.values())
    if needed > round_.size:
        raise Refused("round.sample_too_small", size=round_.size, groups=len(strata), needed=needed)


def _write_pairs(target: Path, view: View, round_: Round) -> None:
    with view.engine.kept(_population(view, round_)) as kept:
        _parquet(kept.sort("dossier"), target / "pairs.parquet")
        names = kept.select(of_dossier=nw.col("dossier"))
        _parquet(view.duplicates.join(names, on="of_dossier", how="semi").sort("record"),
                 target / "duplicates.parquet")  # fmt: skip


def _write_signs(
    target: Path, question: Question, round_: Round, *, now: datetime, codes: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The signs of the plan's checks in the population; what each check looked at."""
    known = set(codes)
    with Spool() as spool, (target / "signs.ndjson").open("w", encoding="utf-8") as out:

        def keep(signs: Iterable[Sign]) -> None:
            spool.keep(sign for sign in signs if sign.kind == "dossier" and sign.subject in known)

        looked = scan.scan(target, question, now=now, checks=list(round_.checks), keep=keep)
        for sign in spool.by_subject():
            line = {
                "check": sign.check, "dossier": sign.subject, "confidence": sign.confidence,
                "evidence": dict(sign.evidence), "values": dict(sign.values), "own": list(sign.own),
            }  # fmt: skip
            out.write(json.dumps(line, ensure_ascii=False, sort_keys=True, default=str) + "\n")
    return {one.check: {"looked_at": one.looked_at, "asked": one.asked} for one in looked.checks}


def _population(view: View, round_: Round) -> nw.LazyFrame[Any]:
    """The dossiers of the question, cut to the plan's fields and procedures."""
    frame = view.judged().filter(nw.col("in_population"))
    for column, codes in (("field", round_.fields), ("procedure", round_.procedures)):
        if codes:
            frame = frame.filter(nw.col(column).is_in(codes))
    return frame


def count(home: Path, round_: Round, *, now: datetime) -> int:
    """How many dossiers would be frozen now. Raises `Unreadable`."""
    store = figures.facts(home)
    with store.lock:
        view = store.view(plan.question(round_), now=now, keep=("field", "procedure"))
        found = view.engine.collect(_population(view, round_).select(nw.len().alias("n")))
    return int(found[0]["n"])


def _parquet(frame: nw.LazyFrame[Any], file: Path) -> None:
    nw.to_native(frame).write_parquet(str(file))


@dataclass(frozen=True, slots=True)
class _Log:
    """A table of which the rows of the population are copied: its columns, by which code, and what is too new."""

    alias: str
    table: str
    columns: Mapping[str, str]
    key: str
    until: Callable[[Manifest], tuple[str, Sequence[Any]]]


def _known(manifest: Manifest) -> int:
    """The instant of the facts, in microseconds: their last second whole."""
    return (manifest.at_s + 1) * 1_000_000 - 1


#: What is copied of the log, of the portal's steps and of the deliveries.
_LOGS: Mapping[str, _Log] = {
    "events": _Log("default", "ledger_event", {
        "position": "BIGINT", "dossier": "VARCHAR", "seq": "INTEGER", "kind": "VARCHAR", "at": "BIGINT",
        "recorded_at": "BIGINT", "stored_at": "BIGINT", "actor": "VARCHAR", "unit": "VARCHAR", "step": "VARCHAR",
        "body": "VARCHAR", "hash": "VARCHAR",
    }, "dossier", lambda facts: ("position <= %s", [facts.position])),
    "their_steps": _Log("mirror", "mirror_step", {
        "id": "BIGINT", "side": "VARCHAR", "code": "VARCHAR", "status": "VARCHAR", "at": "BIGINT",
        "stored_at": "BIGINT", "digest": "VARCHAR",
    }, "code", lambda facts: ("side = %s AND id <= %s", [facts.marks["side"], facts.marks["step"]])),
    "deliveries": _Log("default", "exchange_delivery", {
        "position": "BIGINT", "dossier": "VARCHAR", "seq": "INTEGER", "kind": "VARCHAR", "status": "SMALLINT",
        "state": "VARCHAR", "attempts": "INTEGER", "sent_at": "BIGINT", "done_at": "BIGINT", "error": "VARCHAR",
    }, "dossier", lambda facts: ("position <= %s", [facts.position])),
    "due_changes": _Log("default", "oversight_due_change", {
        "id": "BIGINT", "dossier": "VARCHAR", "found_at": "BIGINT", "before_at": "BIGINT", "after_at": "BIGINT",
    }, "dossier", lambda facts: ("found_at <= %s", [_known(facts)])),
}  # fmt: skip


def _write_logs(target: Path, codes: Sequence[str], *, facts: Manifest, told: Told) -> None:
    """What tells each dossier's story, in a few set statements: our events, the portal's steps, the deliveries."""
    records = [*codes, *(r["record"] for r in frozen.each(target, "duplicates", ("record",)))]
    records += [r["t_code"] for r in frozen.each(target, "pairs", ("t_code",)) if r["t_code"]]
    records = sorted(set(records))
    done, of = 0, len(codes) * (len(_LOGS) - 1) + len(records)
    with duckdb.connect() as db:
        for name, log in _LOGS.items():
            made = ", ".join(f"{quoted(column)} {kind}" for column, kind in log.columns.items())
            db.execute(f"CREATE TABLE {name} ({made})")
            for part in _chunks(records if log.key == "code" else codes):
                found = _fetch(log, part, facts)
                if found:
                    db.register("part", _columns(log.columns, found))
                    db.execute(f"INSERT INTO {name} SELECT * FROM part")
                    db.unregister("part")
                done += len(part)
                told("logs", done, of)
            file = path_in_sql(target / f"{name}.parquet")
            db.execute(f"COPY (SELECT * FROM {name} ORDER BY 1) TO '{file}' (FORMAT parquet)")
            db.execute(f"DROP TABLE {name}")


def _columns(kinds: Mapping[str, str], found: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    """Rows as columns: what is absent is masked in numbers, None in texts."""
    made: dict[str, Any] = {}
    for (name, kind), values in zip(kinds.items(), zip(*found, strict=True), strict=True):
        if kind == "VARCHAR":
            made[name] = np.array(values, object)
        else:
            absent = [value is None for value in values]
            made[name] = np.ma.masked_array(np.array([value or 0 for value in values], np.int64), absent)
    return made


def _fetch(log: _Log, codes: Sequence[str], facts: Manifest) -> list[tuple[Any, ...]]:
    until, values = log.until(facts)
    marks = ", ".join(["%s"] * len(codes))
    sql = f"SELECT {', '.join(map(quoted, log.columns))} FROM {log.table} WHERE {log.key} IN ({marks}) AND {until}"
    with connections[log.alias].cursor() as cursor:
        cursor.execute(sql, [*codes, *values])
        return [tuple(map(_text, row)) for row in cursor.fetchall()]


def _text(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def _chunks(codes: Sequence[str]) -> Iterator[Sequence[str]]:
    for start_ in range(0, len(codes), _CODES_AT_ONCE):
        yield codes[start_ : start_ + _CODES_AT_ONCE]
