"""The frozen figures of a round: both sides of every dossier of its population, as they were, for ever.

They lie under `rounds/<number>` of the home as Parquet, with a manifest of SHA-256 digests whose own digest stands in
the audit (`freezing` writes them). Whoever reads a round reads them, never the facts of today. Personal values are not
among them: the events hold their commitments, and a look at a value is an act of its own (`reading.look`).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from motcua.catalogue.models import Agency, Procedure
from motcua.inspection import sampling
from motcua.inspection.remedies import SEVERITIES
from motcua.inspection.sampling import Unit
from motcua.ledger.chain import canonical
from motcua.ledger.models import Change
from motcua.rounds.models import Item, Round

_GRAVE = frozenset(cause for cause, severity in SEVERITIES.items() if severity == "A")
_EVIDENT = frozenset({"late_entry", "step_skipped"})
_MISSING = frozenset({"not_enough_data", "unexplained"})
_FETCHED = 10_000


def folder(home: Path, number: int) -> Path:
    """Where the frozen figures of a round lie."""
    return home / "rounds" / str(number)


# ---- read --------------------------------------------------------------------------------------------------------


def rows(
    at: Path, name: str, columns: Sequence[str] = (), *, of: tuple[str, Sequence[str]] | None = None
) -> list[dict[str, Any]]:
    """Rows of one frozen table; `of`: a column and the values to keep."""
    return list(each(at, name, columns, of=of))


def each(
    at: Path, name: str, columns: Sequence[str] = (), *, of: tuple[str, Sequence[str]] | None = None
) -> Iterator[dict[str, Any]]:
    """The same, one after another: a population may be large."""
    chosen = ", ".join(map(quoted, columns)) or "*"
    yield from _asked(f"SELECT {chosen} FROM read_parquet('{path_in_sql(at / f'{name}.parquet')}')", of)


def _asked(sql: str, of: tuple[str, Sequence[str]] | None) -> Iterator[dict[str, Any]]:
    values: list[Any] = []
    if of is not None:
        sql, values = f"{sql} WHERE {quoted(of[0])} IN (SELECT unnest(?))", [list(of[1])]
    with duckdb.connect() as db:
        answer = db.execute(f"{sql} ORDER BY 1", values)
        heads = [column[0] for column in answer.description or ()]
        while part := answer.fetchmany(_FETCHED):
            for row in part:
                yield dict(zip(heads, row, strict=True))


def quoted(name: str) -> str:
    """A column inside a text of SQL."""
    return f'"{name}"'


def path_in_sql(path: Path) -> str:
    """A path inside a text of SQL."""
    return str(path).replace("'", "''")


#: Columns of the judged pairs that lists, sorting and risk read.
MARKED = ("dossier", "agency", "field", "procedure", "shown", "recorded", "true", "unproven", "disputed", "no_due",
           "sync_cause", "record_cause")  # fmt: skip


#: How the signs of the frozen scan lie in their file, a line each.
_SIGN = {"dossier": "VARCHAR", "check": "VARCHAR", "confidence": "DOUBLE", "evidence": "JSON", "values": "JSON",
         "own": "JSON"}  # fmt: skip

_OF_JSON = {"evidence": "{}", "values": "{}", "own": "[]"}


def signs(at: Path, codes: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The signs that the frozen scan saw of these dossiers, by dossier."""
    found: dict[str, list[dict[str, Any]]] = {}
    for sign in _asked(_signs(at, _SIGN), ("dossier", codes)):
        told = {name: json.loads(sign[name] or default) for name, default in _OF_JSON.items()}
        found.setdefault(sign["dossier"], []).append({**sign, **told})
    return {code: sorted(seen, key=lambda sign: sign["check"]) for code, seen in found.items()}


def signed(at: Path) -> set[str]:
    """The dossiers of which the frozen scan saw any sign."""
    return {row["dossier"] for row in _asked(_signs(at, ("dossier",), "DISTINCT"), None)}


def _signs(at: Path, columns: Iterable[str], distinct: str = "") -> str:
    named = ", ".join(map(quoted, columns))
    shape = ", ".join(f"'{name}': '{kind}'" for name, kind in _SIGN.items())
    return f"SELECT {distinct} {named} FROM read_ndjson('{path_in_sql(at / 'signs.ndjson')}', columns={{{shape}}})"


def population(at: Path, round_: Round) -> Iterator[Unit]:
    """The dossiers as the draw takes them: their stratum, and the risk that the plan states for their marks."""
    with_sign = signed(at)
    for row in each(at, "pairs", MARKED):
        marks = {
            "grave": row["record_cause"] in _GRAVE or row["sync_cause"] in _GRAVE,
            "unproven": row["unproven"], "late_true": row["true"], "late_recorded": row["recorded"],
            "disputed": row["disputed"], "late_shown": row["shown"], "sign": row["dossier"] in with_sign,
        }  # fmt: skip
        stratum = (row[round_.stratify] or "") if round_.stratify else ""
        yield Unit(row["dossier"], stratum, sampling.risk(marks, round_.weights))


def write_units(at: Path, units: Iterable[Unit]) -> None:
    """The population as it is sealed: a line each, in the order of the codes. Its digest is `population_digest`."""
    with (at / "population.txt").open("w", encoding="utf-8", newline="\n") as out:
        out.write(f"{sampling.ALGORITHM} population\n")
        out.writelines(f"{unit.code}\t{unit.stratum}\t{unit.risk}\n" for unit in units)


def units(at: Path) -> Iterator[Unit]:
    """The same, read."""
    with (at / "population.txt").open(encoding="utf-8", newline="\n") as lines:
        next(lines)
        for line in lines:
            code, stratum, risk = line.removesuffix("\n").split("\t")
            yield Unit(code, stratum, int(risk))


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


def heads(at: Path) -> dict[str, int]:
    """Under each head (`sort`), how many dossiers of the population: as the manifest counted them when it was made."""
    told: dict[str, int] | None = _manifest(at).get("heads")
    return count_heads(at) if told is None else {name: told.get(name, 0) for name in Item.Sort.values}


def count_heads(at: Path) -> dict[str, int]:
    """The same, counted."""
    with_sign = signed(at)
    found = Counter(sort(row, signed=row["dossier"] in with_sign) for row in each(at, "pairs", MARKED))
    return {name: found[name] for name in Item.Sort.values}


def facts_of(at: Path) -> dict[str, Any]:
    """On which facts a round was frozen. Keys: `generation`, `position` of the log, `at` in seconds."""
    told: dict[str, Any] = _manifest(at)["facts"]
    return told


def _manifest(at: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((at / "manifest.json").read_bytes())
    return told


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
