"""The frozen figures of a round: both sides of every dossier of its population, as they were, for ever.

They lie under `rounds/<number>` of the home as Parquet, with a manifest of SHA-256 digests whose own digest stands in
the audit. Whoever reads a round reads them, never the facts of today. Personal values are not among them: the events
hold their commitments, and a look at a value is an act of its own (`reading.look`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import numpy as np
from django.db import connections, transaction

from motcua.catalogue.models import Agency, Procedure
from motcua.inspection import bridge as bridges
from motcua.inspection import sampling
from motcua.inspection.remedies import SEVERITIES
from motcua.inspection.sampling import Unit
from motcua.ledger import audit, cursors
from motcua.ledger.chain import canonical
from motcua.ledger.models import Change
from motcua.oversight import figures, reading, scan
from motcua.oversight.figures import View
from motcua.rounds import plan
from motcua.rounds.models import Round
from motcua.rounds.refusals import lead, locked
from motcua.rules.instants import iso
from motcua.rules.moves import Refused

_CODES_AT_ONCE = 2_000
_GRAVE = frozenset(cause for cause, severity in SEVERITIES.items() if severity == "A")
_EVIDENT = frozenset({"late_entry", "step_skipped"})
_MISSING = frozenset({"not_enough_data", "unexplained"})
FORMULA = "population of the question, cut to the plan; " + bridges.FORMULA


def folder(home: Path, number: int) -> Path:
    """Where the frozen figures of a round lie."""
    return home / "rounds" / str(number)


def freeze(number: int, *, home: Path, by: str, at: datetime) -> Round:
    """Freezes both sides of the population (Chốt số liệu). Raises `Refused`, `Unreadable`.

    The files are whole before the round says that it is frozen; what a broken attempt left is thrown away.
    """
    round_ = plan_of(number, by)
    target = folder(home, number)
    draft = target.with_name(f"{number}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    made = _write(draft, round_, home=home, at=at)
    with transaction.atomic():
        round_ = locked(number)
        if round_.frozen_at is not None:
            raise Refused("round.is_frozen", at=round_.frozen_at)
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
    return round_


def plan_of(number: int, by: str) -> Round:
    """The round that is to be frozen, for its lead. Raises `Refused`."""
    with transaction.atomic():
        round_ = locked(number)
        lead(round_, by)
        if round_.frozen_at is not None:
            raise Refused("round.is_frozen", at=round_.frozen_at)
        return round_


@dataclass(frozen=True, slots=True)
class _Made:
    population: int
    population_digest: str
    digest: str
    generation: int
    as_of: datetime


def _write(target: Path, round_: Round, *, home: Path, at: datetime) -> _Made:
    store, question = figures.facts(home), plan.question(round_)
    position = cursors.head()
    with store.lock:
        view = store.view(question, now=at)
        frame = _population(view, round_)
        with view.engine.kept(frame) as kept:
            _parquet(kept.sort("dossier"), target / "pairs.parquet")
            names = kept.select(of_dossier=nw.col("dossier"))
            _parquet(view.duplicates.join(names, on="of_dossier", how="semi").sort("record"),
                     target / "duplicates.parquet")  # fmt: skip
    codes = [row["dossier"] for row in rows(target, "pairs", ("dossier",))]
    if not codes:
        raise Refused("round.empty", period=round_.period)
    looked = scan.scan(home, question, now=at, checks=list(round_.checks))
    known = set(codes)
    signs = [
        {"check": sign.check, "dossier": sign.subject, "confidence": sign.confidence, "evidence": dict(sign.evidence)}
        for sign in looked.signs
        if sign.kind == "dossier" and sign.subject in known
    ]
    signs.sort(key=lambda sign: (sign["dossier"], sign["check"]))
    (target / "signs.ndjson").write_text(
        "".join(json.dumps(sign, ensure_ascii=False, sort_keys=True, default=str) + "\n" for sign in signs)
    )
    _write_logs(target, codes, position=position, generation=view.manifest.generation)
    units = list(population(target, round_))
    lines = [f"{u.code}\t{u.stratum}\t{u.risk}\n" for u in sorted(units)]
    (target / "population.txt").write_text(f"{sampling.ALGORITHM} population\n" + "".join(lines), encoding="utf-8")
    manifest = {
        "round": round_.pk,
        "frozen_at": iso(at),
        "as_of": iso(view.as_of),
        "facts": {"generation": view.manifest.generation, "position": view.manifest.position,
                  "at": view.manifest.at_s},
        "log_position": position,
        "side": reading.their_side(),
        "formula": FORMULA,
        "checks": {one.check: {"looked_at": one.looked_at, "asked": one.asked} for one in looked.checks},
        "check_formula": scan.FORMULA,
        "plan": plan.document(round_),
        "files": {file.name: {"sha256": sha256(file), "bytes": file.stat().st_size}
                  for file in sorted(target.iterdir())},
    }  # fmt: skip
    (target / "manifest.json").write_bytes(canonical(manifest))
    return _Made(len(units), sampling.population_digest(units), sha256(target / "manifest.json"),
                 view.manifest.generation, view.as_of)  # fmt: skip


def _population(view: View, round_: Round) -> nw.LazyFrame[Any]:
    """The dossiers of the question, cut to the plan's fields and procedures."""
    frame = bridges.judged(view.pairs, view.scope).filter(nw.col("in_population"))
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


#: What is copied of the log, of the portal's steps and of the deliveries: alias, table, columns, by which code.
_LOGS: Mapping[str, tuple[str, str, Mapping[str, str], str]] = {
    "events": ("default", "ledger_event", {
        "position": "BIGINT", "dossier": "VARCHAR", "seq": "INTEGER", "kind": "VARCHAR", "at": "BIGINT",
        "recorded_at": "BIGINT", "stored_at": "BIGINT", "actor": "VARCHAR", "unit": "VARCHAR", "step": "VARCHAR",
        "body": "VARCHAR", "hash": "VARCHAR",
    }, "dossier"),
    "their_steps": ("mirror", "mirror_step", {
        "id": "BIGINT", "side": "VARCHAR", "code": "VARCHAR", "status": "VARCHAR", "at": "BIGINT",
        "stored_at": "BIGINT", "digest": "VARCHAR",
    }, "code"),
    "deliveries": ("default", "exchange_delivery", {
        "position": "BIGINT", "dossier": "VARCHAR", "seq": "INTEGER", "kind": "VARCHAR", "status": "SMALLINT",
        "state": "VARCHAR", "attempts": "INTEGER", "sent_at": "BIGINT", "done_at": "BIGINT", "error": "VARCHAR",
    }, "dossier"),
    "due_changes": ("default", "oversight_due_change", {
        "id": "BIGINT", "dossier": "VARCHAR", "found_at": "BIGINT", "before_at": "BIGINT", "after_at": "BIGINT",
    }, "dossier"),
}  # fmt: skip


def _write_logs(target: Path, codes: Sequence[str], *, position: int, generation: int) -> None:
    """What tells each dossier's story, in a few set statements: our events, the portal's steps, the deliveries."""
    records = [*codes, *(r["record"] for r in rows(target, "duplicates", ("record",)))]
    records += [r["t_code"] for r in rows(target, "pairs", ("t_code",)) if r["t_code"]]
    db = duckdb.connect()
    try:
        for name, (alias, table, columns, key) in _LOGS.items():
            db.execute(f"CREATE TABLE {name} ({', '.join(f'{_q(c)} {kind}' for c, kind in columns.items())})")
            for part in _chunks(records if name == "their_steps" else codes):
                found = _fetch(alias, table, list(columns), key, part, position if name == "events" else None)
                if found:
                    db.register("part", _columns(columns, found))
                    db.execute(f"INSERT INTO {name} SELECT * FROM part")
                    db.unregister("part")
            db.execute(f"COPY (SELECT * FROM {name} ORDER BY 1) TO '{_path(target / f'{name}.parquet')}'"
                       " (FORMAT parquet)")  # fmt: skip
    finally:
        db.close()


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


def _fetch(
    alias: str, table: str, columns: Sequence[str], key: str, codes: Sequence[str], position: int | None
) -> list[tuple[Any, ...]]:
    sql = f"SELECT {', '.join(map(_q, columns))} FROM {table} WHERE {key} IN ({', '.join(['%s'] * len(codes))})"
    values: list[Any] = list(codes)
    if position is not None:
        sql, values = f"{sql} AND position <= %s", [*values, position]
    if table == "mirror_step":
        sql, values = f"{sql} AND side = %s", [*values, reading.their_side()]
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, values)
        return [tuple(map(_text, row)) for row in cursor.fetchall()]


def _text(value: Any) -> Any:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def _chunks(codes: Iterable[str]) -> Iterator[list[str]]:
    every = sorted(set(codes))
    for start in range(0, len(every), _CODES_AT_ONCE):
        yield every[start : start + _CODES_AT_ONCE]


def _q(name: str) -> str:
    return f'"{name}"'


def _path(path: Path) -> str:
    return str(path).replace("'", "''")


# ---- read --------------------------------------------------------------------------------------------------------


def rows(
    at: Path, name: str, columns: Sequence[str] = (), *, of: tuple[str, Sequence[str]] | None = None
) -> list[dict[str, Any]]:
    """Rows of one frozen table; `of`: a column and the values to keep."""
    chosen = ", ".join(map(_q, columns)) or "*"
    sql, values = f"SELECT {chosen} FROM read_parquet('{_path(at / f'{name}.parquet')}')", []
    if of is not None:
        sql, values = f"{sql} WHERE {_q(of[0])} IN (SELECT unnest(?))", [list(of[1])]
    db = duckdb.connect()
    try:
        answer = db.execute(f"{sql} ORDER BY 1", values)
        heads = [column[0] for column in answer.description or ()]
        return [dict(zip(heads, row, strict=True)) for row in answer.fetchall()]
    finally:
        db.close()


#: Columns of the judged pairs that lists, sorting and risk read.
MARKED = ("dossier", "agency", "field", "procedure", "shown", "recorded", "true", "unproven", "disputed", "no_due",
           "sync_cause", "record_cause")  # fmt: skip


def signs(at: Path) -> dict[str, list[dict[str, Any]]]:
    """The signs of the frozen scan by dossier."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in (at / "signs.ndjson").read_text(encoding="utf-8").splitlines():
        sign = json.loads(line)
        found.setdefault(sign["dossier"], []).append(sign)
    return found


def population(at: Path, round_: Round) -> Iterator[Unit]:
    """The dossiers as the draw takes them: their stratum, and the risk that the plan states for their marks."""
    signed = set(signs(at))
    for row in rows(at, "pairs", MARKED):
        marks = {
            "grave": row["record_cause"] in _GRAVE or row["sync_cause"] in _GRAVE,
            "unproven": row["unproven"], "late_true": row["true"], "late_recorded": row["recorded"],
            "disputed": row["disputed"], "late_shown": row["shown"], "sign": row["dossier"] in signed,
        }  # fmt: skip
        stratum = (row[round_.stratify] or "") if round_.stratify else ""
        yield Unit(row["dossier"], stratum, sampling.risk(marks, round_.weights))


def sort(row: Mapping[str, Any], *, signed: bool) -> str:
    """Under which of the four heads of a remote inspection a dossier falls (law paper §6.5, step 4), or neither."""
    if row["recorded"] and not row["true"] and row["record_cause"] in _EVIDENT:
        return "in_time"  # evidence decides here, not a reading of the law
    if row["disputed"]:
        return "disputed"
    if row["true"]:
        return "true_late"
    if row["no_due"] or row["unproven"] or row["sync_cause"] in _MISSING or row["record_cause"] in _MISSING:
        return "no_data"
    if row["recorded"] or row["shown"]:
        return "in_time"
    return "other" if signed else "clean"


def sorted_rows(at: Path) -> list[dict[str, Any]]:
    """Every dossier of the population with its head (`sort`)."""
    signed = set(signs(at))
    return [{**row, "sort": sort(row, signed=row["dossier"] in signed)} for row in rows(at, "pairs", MARKED)]


def names() -> tuple[dict[str, str], dict[str, str]]:
    """Names of agencies and of procedures by code."""
    return dict(Agency.objects.values_list("code", "name")), dict(Procedure.objects.values_list("code", "name"))


# ---- proof -------------------------------------------------------------------------------------------------------


def sha256(file: Path) -> str:
    """The digest of a file (hexadecimal)."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of(document: Mapping[str, Any]) -> str:
    """SHA-256 of a document in canonical form (hexadecimal)."""
    return hashlib.sha256(canonical(document)).hexdigest()


def verify(home: Path, round_: Round) -> list[str]:
    """What is not as it was frozen: files, manifest, the audit that names it. Empty: everything is."""
    at, faults = folder(home, round_.pk), []
    manifest = at / "manifest.json"
    if not manifest.is_file():
        return [f"{manifest}: missing"]
    if sha256(manifest) != round_.manifest_digest:
        faults.append(f"{manifest}: altered")
    for name, said in json.loads(manifest.read_bytes())["files"].items():
        file = at / name
        if not file.is_file():
            faults.append(f"{file}: missing")
        elif sha256(file) != said["sha256"]:
            faults.append(f"{file}: altered")
    kept = Change.objects.filter(table="rounds_round", key=str(round_.pk), after__frozen=round_.manifest_digest)
    if not kept.exists():
        faults.append(f"round {round_.pk}: the audit names no such manifest")
    if not faults and sha256(at / "population.txt") != round_.population_digest:
        faults.append(f"round {round_.pk}: the population is not the one that was sealed")
    return faults
