"""Holds the findings against the data: opens what a check sees anew, closes what it no longer sees, with the proof why.

Runs when data change and when only time passes. A sign has one row for ever, so nothing is found twice: what closes
is reopened with its history. What a person concluded stays concluded, whatever the data say afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q

from motcua.findings import record
from motcua.findings.models import Act, Finding, Scan
from motcua.findings.spool import Spool, digest
from motcua.inspection import life, standing
from motcua.inspection.checks.check import Check, Value
from motcua.inspection.engines import Manifest
from motcua.inspection.life import OPEN, SCAN, State
from motcua.inspection.run import Looked
from motcua.inspection.signs import Sign
from motcua.oversight import extract, named, thresholds
from motcua.oversight import scan as scans
from motcua.oversight.figures import Question
from motcua.rules.instants import from_microseconds, iso, to_microseconds

#: Signs of a true lateness that the record hides: putting them right takes nothing off a figure.
_ADDS = frozenset({"back_dated", "closed_early_there", "due_moved", "pause_unlawful"})
_AT_ONCE = 900


@dataclass(slots=True)
class Report:
    """What a run did."""

    signs: int = 0
    opened: int = 0
    changed: int = 0
    closed: int = 0
    reopened: int = 0
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)


def run(home: Path, *, at: datetime, round_: int | None = None) -> Report:
    """One scan of the whole province as of now, and what follows from it. Raises `Unreadable` where no facts are."""
    library = scans.library()
    of_reception = [code for code, check in library.items() if "all" not in check.measures]
    with Spool() as spool:
        found = scans.scan(home, Question(), now=at, keep=spool.keep)
        looked, broken = {one.check: one for one in found.checks}, dict(found.broken)
        if of_reception:
            question = Question(measure="reception")
            more = scans.scan(home, question, now=at, checks=of_reception, keep=spool.keep)
            looked |= {one.check: one for one in more.checks}
            broken |= more.broken
        seen = {code for code, one in looked.items() if one.state != "not_scanned" and code not in broken}
        manifest = Manifest.read(extract.facts_folder(home))
        own = thresholds.values(thresholds.in_force(as_of=at))
        report = _settle(home, spool, seen=seen, library=library, at=at, round_=round_, own=own)
    report.checks = {code: _told(one, code in broken) for code, one in looked.items()}
    report.broken = broken
    Scan.objects.create(
        at=at, as_of=datetime.fromisoformat(found.head["as_of"]), facts_at=from_microseconds(manifest.at_s * 1_000_000),
        generation=manifest.generation, formula=found.head["formula"], signs=report.signs, opened=report.opened,
        changed=report.changed, closed=report.closed, reopened=report.reopened, checks=report.checks,
    )  # fmt: skip
    return report


def _told(one: Looked, broken: bool) -> dict[str, Any]:
    state = "broken" if broken else one.state
    return {"state": state, "looked_at": one.looked_at, "found": one.found, "missing": dict(one.missing)}


def last() -> Scan | None:
    """The newest scan."""
    return Scan.objects.order_by("-pk").first()


# ---- signs against rows -----------------------------------------------------------------------------------------


def settle(
    home: Path, signs: Iterable[Sign], *, seen: Iterable[str], library: Mapping[str, Check], at: datetime,
    round_: int | None = None, own: Mapping[str, Mapping[str, Value]] | None = None,
) -> Report:  # fmt: skip
    """Opens, changes, closes and reopens findings so that they are what these signs say.

    `seen`: the checks that really looked: only theirs are closed where their sign is gone; `own`: the province's
    parameters in force, kept with what is closed. Safe to run again, and to
    be killed: each block is one transaction, and a second run finds what is left to do.
    """
    with Spool() as spool:
        spool.keep(signs)
        return _settle(home, spool, seen=seen, library=library, at=at, round_=round_, own=own or {})


def _settle(
    home: Path, spool: Spool, *, seen: Iterable[str], library: Mapping[str, Check], at: datetime, round_: int | None,
    own: Mapping[str, Mapping[str, Value]],
) -> Report:  # fmt: skip
    report, looked = Report(signs=len(spool)), frozenset(seen)
    for number, check, subject, state, proof, by_data in _rows():
        there = spool.met(check, subject)
        if there is None:
            if state in OPEN and check in looked:
                spool.note("gone", number)
        elif (proof != there and state in (*OPEN, State.CLOSED)) or (state == State.CLOSED and by_data):
            spool.note("held", number, check, subject)
    for block in _blocks(spool.new()):
        report.opened += _open(block, library, at, round_)
    for pairs in _blocks(spool.held()):
        changed, reopened = _change(dict(pairs), library, at)
        report.changed += changed
        report.reopened += reopened
    for numbers in _blocks(spool.gone()):
        report.closed += _close(home, numbers, at, own)
    _grow(at)
    return report


def _rows() -> Iterator[tuple[int, str, str, str, str, bool]]:
    """Every finding, shortly."""
    columns = ("pk", "check_code", "subject", "state", "digest", "closed_by_data")
    yield from Finding.objects.order_by("pk").values_list(*columns).iterator(chunk_size=10_000)


def _blocks(items: Iterable[Any]) -> Iterator[list[Any]]:
    waiting = iter(items)
    while block := list(islice(waiting, record.AT_ONCE)):
        yield block


def _facts(sign: Sign, library: Mapping[str, Check], at: datetime) -> dict[str, Any]:
    """The columns of a finding that come from the sign."""
    check = library.get(sign.check)
    severity = check.severity if check else "C"
    evidence = dict(sign.evidence)
    minutes = _stake(sign.check, evidence, severity, check.leg if check else "", at).minutes()
    return {
        "kind": sign.kind, "agency": sign.agency, "unit": sign.unit[:300], "severity": severity,
        "leg": (check.leg if check else "")[:8], "confidence": sign.confidence,
        "came_at": None if sign.at_s is None else from_microseconds(sign.at_s * 1_000_000),
        "evidence": evidence, "parameters": dict(sign.values), "digest": digest(sign), "stake_minutes": minutes,
        "rank": standing.rank(minutes, sign.confidence),
    }  # fmt: skip


def _stake(check: str, facts: Mapping[str, Any], severity: str, leg: str, at: datetime) -> standing.Stake:
    """Only a cause of the bridge or a dossier late by the law is worth its lateness: any other sign, its severity."""

    def seconds(*names: str) -> int | None:
        text = next((facts[name] for name in names if name in facts), None)
        return None if text is None else to_microseconds(datetime.fromisoformat(text)) // 1_000_000

    end = seconds("t_nine_at", "t_closed_at", "t_ten_at", "finish_at", "best_finish_at")
    return standing.Stake(
        severity=severity, removes=bool(leg) and check not in _ADDS,
        open=end is None and (bool(leg) or check == "overdue"), due_s=seconds("t_due_at", "due_0"),
        end_s=to_microseconds(at) // 1_000_000 if end is None else end,
    )  # fmt: skip


def _grow(at: datetime) -> None:
    """What still grows late weighs more at every scan, though its sign says nothing new."""
    late = Finding.objects.filter(~Q(leg="") | Q(check_code="overdue"), state__in=[str(state) for state in OPEN])
    grown = []
    for row in late.only("check_code", "evidence", "severity", "leg", "confidence", "stake_minutes").iterator(_AT_ONCE):
        minutes = _stake(row.check_code, row.evidence, row.severity, row.leg, at).minutes()
        if abs(minutes - row.stake_minutes) >= 60:  # not every row at every scan
            row.stake_minutes, row.rank = minutes, standing.rank(minutes, row.confidence)
            grown.append(row)
    for block in _blocks(grown):
        with transaction.atomic():
            list(record.locked(row.pk for row in block))  # in the order in which everybody takes them
            Finding.objects.bulk_update(block, ["stake_minutes", "rank"])


@transaction.atomic
def _open(signs: Sequence[Sign], library: Mapping[str, Check], at: datetime, round_: int | None) -> int:
    rows, acts = [], []
    for sign in signs:
        facts = _facts(sign, library, at)
        act = life.opened(
            agency=sign.agency, at=at, evidence=facts["evidence"], parameters=facts["parameters"]
        )  # fmt: skip
        row = Finding(
            check_code=sign.check, subject=sign.subject, opened_at=at, round=round_, last_at=at, **facts
        )  # fmt: skip
        record.project(row, life.apply(life.Life(), act))
        rows.append(row)
        acts.append(act)
    there = {
        key for key in Finding.objects.filter(subject__in=[row.subject for row in rows])
        .select_for_update().values_list("check_code", "subject")
    }  # fmt: skip
    new = [(row, act) for row, act in zip(rows, acts, strict=True) if (row.check_code, row.subject) not in there]
    Finding.objects.bulk_create([row for row, _ in new], batch_size=record.AT_ONCE)
    Act.objects.bulk_create([record.as_row(row.pk, act) for row, act in new], batch_size=record.AT_ONCE)
    return len(new)


@transaction.atomic
def _change(signs: Mapping[int, Sign], library: Mapping[str, Check], at: datetime) -> tuple[int, int]:
    """New facts of a sign: kept as an act; a closed finding whose sign is back is reopened."""
    kept, columns = [], ("kind", "unit", "severity", "leg", "confidence", "came_at", "evidence", "parameters",
                         "digest", "stake_minutes", "rank")  # fmt: skip
    reopened = 0
    for row in record.locked(signs):
        facts = _facts(signs[row.pk], library, at)
        kind = "reopened_by_data" if row.state == State.CLOSED else "changed"
        body = {"evidence": facts["evidence"], "before": row.evidence}
        if facts["parameters"]:
            body["parameters"] = facts["parameters"]
        act = life.decide(record.as_life(row), kind, by=SCAN, at=max(at, row.last_at), body=body)
        for name in columns:
            setattr(row, name, facts[name])
        reopened += kind == "reopened_by_data"
        kept.append((row, act))
    record.keep(kept, also=columns)
    return len(kept) - reopened, reopened


def _close(home: Path, numbers: Sequence[int], at: datetime, own: Mapping[str, Mapping[str, Value]]) -> int:
    """Findings whose sign is gone: closed with what proved it, and what the data say of the dossier now."""
    subjects = dict(Finding.objects.filter(pk__in=numbers).values_list("pk", "subject"))
    now_ = _told_now(home, sorted(set(subjects.values())), at)
    with transaction.atomic():
        kept = []
        for row in record.locked(numbers):
            if State(row.state) not in OPEN:
                continue  # somebody concluded it meanwhile
            body = {"evidence": row.evidence, "now": now_.get(row.subject, {}), "as_of": iso(at)}
            if row.check_code in own:
                body["parameters"] = dict(own[row.check_code])
            kept.append((row, life.decide(record.as_life(row), "closed_by_data", by=SCAN, at=max(at, row.last_at),
                                          body=body)))  # fmt: skip
        record.keep(kept)
    return len(kept)


def _told_now(home: Path, subjects: Sequence[str], at: datetime) -> dict[str, dict[str, Any]]:
    """The verdicts, causes and instants of dossiers as they stand: why a sign is gone."""
    names = ("shown", "recorded", "true", "sync_cause", "record_cause", "due_at", "finished_at", "true_finished_at")
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(subjects), _AT_ONCE):
        rows = named.look_up(home, Question(), subjects[start : start + _AT_ONCE], now=at)["rows"]
        found |= {row["asked"]: {name: row[name] for name in names} for row in rows}
    return found


def facts_age_s(scan: Scan, *, now: datetime) -> int:
    """How old the facts were that a scan read, seen from now."""
    return max(int((now - scan.facts_at).total_seconds()), 0)
