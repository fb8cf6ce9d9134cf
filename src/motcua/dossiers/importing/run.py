"""An import: the first pass reads and checks everything and writes nothing to the log; the second stores whole
dossiers, batch by batch. Killed in between, the same command goes on where it stopped."""

from __future__ import annotations

import csv
import gc
import gzip
import hashlib
import json
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from motcua.catalogue.models import Agency, Procedure
from motcua.dossiers import log
from motcua.dossiers.importing import anomalies, canonical, mapping, sources
from motcua.dossiers.importing.sources import Fault
from motcua.dossiers.importing.staging import Staging
from motcua.dossiers.models import Anomaly, DossierRow, Imported, ImportRun
from motcua.ledger.models import EventRow
from motcua.rules import events as e
from motcua.rules.enclosures import LISTS, from_values
from motcua.rules.instants import Unreadable, from_microseconds, to_microseconds
from motcua.wire.codes import procedure_core

#: Dossiers stored in one transaction.
BATCH = 2_000
#: The line of an event that no line of a file states: the end that a case states as an attribute.
_DERIVED = 0
Report = Callable[[int], None]


@dataclass(slots=True)
class Result:
    """What an import did."""

    dossiers: int = 0
    events: int = 0
    derived: int = 0
    refused: int = 0
    refusals: str = ""
    anomalies: Counter[str] = field(default_factory=Counter)
    absent: list[str] = field(default_factory=list)  # optional columns that the map names and a file lacks


class Refusal(Unreadable):
    """The files cannot be taken as they are; nothing was stored. The first fault is in the text."""

    def __init__(self, faults: Sequence[Fault], refusals: str) -> None:
        more = f" (and {len(faults) - 1} more faults, listed in {refusals})" if len(faults) > 1 else ""
        super().__init__(f"{faults[0]}{more}")
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked of an import."""

    files: tuple[Path, ...]
    home: Path
    at: datetime
    map: mapping.Map | None = None
    source: str = ""
    create_missing: bool = False
    keep_going: bool = False


class _Import:
    def __init__(self, order: Order, checked: Report, stored: Report) -> None:
        self.order, self.checked, self.stored = order, checked, stored
        self.folder = order.home / "imports"
        self.name = f"{os.getpid()}-{secrets.token_hex(4)}"  # of this import's scratch files
        self.folder.mkdir(parents=True, exist_ok=True)
        self.faults: list[Fault] = []
        self.refused: set[str] = set()
        self.nameless = 0  # refused rows that name no dossier
        self.ends: dict[str, canonical.EventRow] = {}
        self.source = order.source or (order.map.source if order.map else "")
        self.create = order.create_missing or bool(order.map and order.map.create_missing)
        self.procedures = set(Procedure.objects.values_list("code", flat=True))
        self.cores = set(Procedure.objects.values_list("core", flat=True))
        self.agencies = set(Agency.objects.values_list("code", flat=True))
        self.missing: dict[str, set[str]] = {"procedure": set(), "agency": set()}
        self.result = Result()

    # ---- first pass --------------------------------------------------------------------------------------------

    def run(self) -> Result:
        digest = self._keep_raw()
        self._clear_away()
        self.staging = Staging(self.folder / f"staging-{self.name}.sqlite3")
        try:
            if self.order.map is not None:
                reader = mapping.Reader(self.order.map, self.source)
                self._read_mapped(reader)
                self.result.absent = reader.absent
            else:
                self._read_canonical()
            self.staging.done()
            self._check_references()
            self._judge_faults()
            self._store(digest)
        finally:
            self.staging.close()
        return self.result

    def _keep_raw(self) -> str:
        """What came from outside is kept before it is interpreted."""
        raw = self.folder / "raw"
        raw.mkdir(exist_ok=True)
        whole = hashlib.sha256(self.source.encode())
        for file in self.order.files:
            digest = hashlib.sha256()
            try:
                with file.open("rb") as stream:
                    while block := stream.read(1 << 20):
                        digest.update(block)
            except OSError as error:
                raise Unreadable(f"{file}: cannot be read: {error.strerror}") from None
            kept = raw / f"{digest.hexdigest()}.gz"
            if not kept.exists():
                draft = kept.with_suffix(f".{self.name}.part")
                with file.open("rb") as stream, gzip.open(draft, "wb", compresslevel=1) as packed:
                    shutil.copyfileobj(stream, packed, 1 << 20)
                draft.replace(kept)
            whole.update(digest.digest())
        return whole.hexdigest()

    def _clear_away(self) -> None:
        """What a killed import left: its scratch files hold personal values."""
        for scratch in (*self.folder.glob("staging-*.sqlite3"), *self.folder.glob("raw/*.part")):
            try:
                os.kill(int(scratch.stem.replace(".", "-").split("-")[1]), 0)
            except ProcessLookupError:
                scratch.unlink(missing_ok=True)
            except (PermissionError, ValueError, OverflowError):
                continue

    def _fault(self, fault: Fault, code: str = "") -> None:
        """A row is refused, and with it its whole dossier; beyond reason, the reading stops."""
        self.faults.append(fault)
        if code:
            self.refused.add(code)
        else:
            self.nameless += 1
        if not self.order.keep_going and len(self.faults) >= 1000:
            raise _Enough

    def _read_canonical(self) -> None:
        try:
            for path in self.order.files:
                if path.suffix.lower() in (".xlsx", ".xls", ".parquet") or ".xes" in path.suffixes:
                    raise Fault(
                        path.name, 0, "", "this form needs a map: --map MAP.toml (see docs/reference/mapping.md)"
                    )
                self._read_canonical_file(path)
        except _Enough:
            pass
        except Fault as fault:
            self.faults.append(fault)
            raise Refusal(self.faults, self._write_refusals()) from None

    def _read_canonical_file(self, path: Path) -> None:
        def refuse(fault: Fault, row: Sequence[str]) -> None:
            self._refuse_misfit(fault, row[code_at].strip() if code_at < len(row) else "")

        rows = sources.read_csv(path, refuse=refuse)
        first = next(rows, None)
        if first is None:
            raise Fault(path.name, 0, "", "the file is empty")
        head = canonical.header(path.name, first[1])
        name, source, staging = path.name, self.source, self.staging
        is_events = "kind" in head.at
        code_at = head.at["dossier"]
        for count, (line, row) in enumerate(rows, 1):
            try:
                if is_events:
                    staging.event(name, line, canonical.event_row(head, line, row, source))
                elif not staging.dossier(name, line, canonical.dossier_row(head, line, row, source)):
                    raise Fault(name, line, "dossier", f"{row[code_at].strip()!r} stands twice; keep one row of it")
            except Fault as fault:
                self._fault(fault, row[code_at].strip())
            if count % 5_000 == 0:
                self.checked(5_000)

    def _refuse_misfit(self, fault: Fault, code: str) -> None:
        """A row that is no event refuses its dossier; where it does not say which, no dossier of the file is safe."""
        if not code:
            raise fault
        self._fault(fault, code)

    def _read_mapped(self, reader: mapping.Reader) -> None:
        headed: set[str] = set()

        def case_of(row: Mapping[str, Any]) -> str:
            return reader.map.case["id"].of(row, reader.map.null, {})

        def refuse(fault: Fault, row: Mapping[str, Any]) -> None:
            self._refuse_misfit(fault, case_of(row))

        try:
            for path in self.order.files:
                for count, (line, row) in enumerate(reader.rows(path, refuse), 1):
                    try:
                        event = reader.event(path, line, row)
                        if event.dossier not in headed:
                            headed.add(event.dossier)
                            first_at = from_microseconds(event.at).isoformat()
                            self.staging.dossier(path.name, line, reader.dossier(path, line, row, first_at))
                            if (end := reader.end(path, line, row)) is not None:
                                self.ends[event.dossier] = end
                        self.staging.event(path.name, line, event)
                    except Fault as fault:
                        self._fault(fault, case_of(row))
                    if count % 5_000 == 0:
                        self.checked(5_000)
        except _Enough:
            pass
        except Fault as fault:
            self.faults.append(fault)
            raise Refusal(self.faults, self._write_refusals()) from None
        for end in self.ends.values():
            self.staging.event("", _DERIVED, end)

    def _check_references(self) -> None:
        db = self.staging.db
        for column, known in (("procedure", self.procedures), ("agency", self.agencies)):
            for (code,) in db.execute(f"SELECT DISTINCT {column} FROM d").fetchall():
                if code in known or (column == "procedure" and procedure_core(code) in self.cores):
                    continue
                if self.create:
                    self.missing[column].add(code)
                    continue
                for file, line, dossier in db.execute(
                    f"SELECT file, line, code FROM d WHERE {column} = ? ORDER BY n LIMIT 1000", (code,)
                ):
                    reason = f"{code!r} is not in the catalogue; load it there, or use --create-missing"
                    self._fault_quietly(Fault(file, line, column, reason), dossier)
        headless = [code for code, n in self.staging.numbers.items() if n not in self.staging.headed]
        known_codes: set[str] = set()
        for start in range(0, len(headless), 500):
            known_codes.update(
                DossierRow.objects.filter(code__in=headless[start : start + 500])
                .exclude(procedure="", agency="")  # withdrawn
                .values_list("code", flat=True)
            )
        for code in headless:
            if code in known_codes or code in self.refused:
                continue
            n = self.staging.numbers[code]
            file, line = db.execute("SELECT file, line FROM e WHERE d = ? LIMIT 1", (n,)).fetchone()
            reason = f"an event of {code!r}, which is neither in dossiers.csv nor known; add its row"
            self._fault_quietly(Fault(file, line, "dossier", reason), code)

    def _fault_quietly(self, fault: Fault, code: str) -> None:
        self.faults.append(fault)
        self.refused.add(code)

    def _judge_faults(self) -> None:
        if not self.faults:
            return
        self.faults.sort(key=lambda fault: (fault.file, fault.row))
        refusals = self._write_refusals()
        if not self.order.keep_going:
            raise Refusal(self.faults, refusals)
        self.result.refused, self.result.refusals = len(self.refused) + self.nameless, refusals

    def _write_refusals(self) -> str:
        path = self.folder / f"refusals-{self.order.at:%Y%m%d-%H%M%S-%f}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("file", "row", "column", "reason"))
            writer.writerows((f.file, f.row or "", f.column, f.reason) for f in self.faults)
        return str(path)

    # ---- second pass -------------------------------------------------------------------------------------------

    def _store(self, digest: str) -> None:
        run = ImportRun.objects.create(
            source=self.source, digest=digest, files=[file.name for file in self.order.files],
            started_at=self.order.at, refused=self.result.refused, refusals=self.result.refusals,
        )  # fmt: skip
        self._create_missing()
        batch: list[tuple[str, tuple[Any, ...] | None, list[tuple[Any, ...]]]] = []
        for group in self.staging.groups():
            if group[0] in self.refused:
                continue
            batch.append(group)
            if len(batch) >= BATCH:
                self._store_batch(batch)
                batch = []
        self._store_batch(batch)
        run.dossiers, run.events = self.result.dossiers, self.result.events
        run.anomalies = dict(self.result.anomalies)
        run.finished_at = self.order.at
        run.save()

    def _create_missing(self) -> None:
        """The procedures and agencies of the dossiers that go in; another import may be creating the same ones."""
        needed: dict[str, set[str]] = {"procedure": set(), "agency": set()}
        for code, procedure, agency in self.staging.db.execute("SELECT code, procedure, agency FROM d"):
            if code not in self.refused:
                needed["procedure"].add(procedure)
                needed["agency"].add(agency)
        procedures = sorted(self.missing["procedure"] & needed["procedure"])
        agencies = sorted(self.missing["agency"] & needed["agency"])
        Procedure.objects.bulk_create(
            [Procedure(code=code, core=procedure_core(code), name=code) for code in procedures], ignore_conflicts=True
        )
        Agency.objects.bulk_create([Agency(code=code, name=code) for code in agencies], ignore_conflicts=True)

    def _store_batch(self, batch: list[tuple[str, tuple[Any, ...] | None, list[tuple[Any, ...]]]]) -> None:
        if not batch:
            return
        with transaction.atomic():
            log.hold_turn()
            odd = self._store_turn(batch)
        self.result.anomalies.update(anomaly.code for anomaly in odd)
        self.stored(sum(len(acts) for _, _, acts in batch))

    def _store_turn(self, batch: list[tuple[str, tuple[Any, ...] | None, list[tuple[Any, ...]]]]) -> list[Anomaly]:
        """Stores what of a batch is not there yet: asked inside the turn, for another import may bring the same."""
        codes = [code for code, _, _ in batch]
        known: dict[str, Imported] = {}
        for start in range(0, len(codes), 500):
            for row in Imported.objects.filter(dossier__in=codes[start : start + 500]):
                known[row.dossier] = row
        there: dict[str, DossierRow] = {}
        for start in range(0, len(codes), 500):
            part = DossierRow.objects.filter(code__in=codes[start : start + 500]).only(
                "seq", "accepted_at", "procedure", "agency"
            )
            # A dossier whose load was withdrawn is in the log and not registered any more.
            there.update((d.code, d) for d in part if d.procedure or d.agency)
        stored: list[tuple[str, str, list[e.Event]]] = []
        marks: dict[str, Imported] = {}
        odd: list[Anomaly] = []
        events = derived = dossiers = 0
        fresh_of: list[tuple[str, tuple[Any, ...] | None, list[tuple[Any, ...]]]] = []
        for code, header, acts in batch:
            mark = known.get(code)
            if mark is None:
                if header is not None or code in there:
                    fresh_of.append((code, header, acts))
                continue
            told, known_by = _told(header), bytes(mark.header)
            if told and told != known_by:
                if known_by:
                    odd.append(Anomaly(dossier=code, seq=1, code="header_differs"))
                mark.header = told
                marks[code] = mark
            fresh = _not_yet(acts, bytes(mark.rows))
            if fresh or (header is not None and code not in there):
                fresh_of.append((code, header, fresh))
        before = _before([code for code, _, _ in fresh_of if code in there])
        for code, header, fresh in fresh_of:
            stands = there.get(code)
            mark = marks[code] = known.get(code) or Imported(dossier=code, header=_told(header), rows=b"")
            first = [] if stands is not None or header is None else [_registered(header, fresh)]
            received_at = header[9] if header is not None else _microseconds(stands.accepted_at) if stands else None
            first_seq = (stands.seq if stands else 0) + len(first) + 1
            rows = bytes(mark.rows)
            odd.extend(
                Anomaly(dossier=code, seq=seq, code=kind, detail=detail)
                for seq, kind, detail in anomalies.find(
                    received_at, fresh, first_seq, before=before.get(code, ()), rows=_digests(rows)
                )
            )
            acts_of = [*first, *(_event(act, seq) for seq, act in enumerate(fresh, first_seq))]
            if acts_of:
                stored.append((code, f"import:{self.source}"[:64], acts_of))
            ends = sum(1 for act in fresh if act[2] == _DERIVED)
            events += len(fresh) - ends
            derived += ends
            dossiers += len(first)
            mark.rows = rows + b"".join(act[13] for act in fresh)
        if stored:
            log.store_many(stored, stored_at=self.order.at)
        Imported.objects.bulk_create(
            marks.values(), update_conflicts=True, unique_fields=["dossier"], update_fields=["header", "rows"]
        )
        Anomaly.objects.bulk_create(odd, batch_size=1000)
        self.result.dossiers += dossiers
        self.result.events += events
        self.result.derived += derived
        return odd


class _Enough(Exception):
    """So many faults that reading on tells nothing new."""


def _told(header: tuple[Any, ...] | None) -> bytes:
    """The identity of a dossier's row; empty where the files have none."""
    return b"" if header is None else header[14]


def _digests(rows: bytes) -> list[bytes]:
    return [rows[n : n + 16] for n in range(0, len(rows), 16)]


def _before(codes: Sequence[str]) -> dict[str, list[anomalies.Before]]:
    """What the log holds of these dossiers, in the order of the log."""
    found: dict[str, list[anomalies.Before]] = {}
    for start in range(0, len(codes), 500):
        rows = EventRow.objects.filter(dossier__in=codes[start : start + 500]).order_by("dossier", "seq")
        for row in rows.only("dossier", "kind", "at").exclude(kind="registered"):
            found.setdefault(row.dossier, []).append(anomalies.Before(row.kind, to_microseconds(row.at)))
    return found


def _microseconds(at: datetime | None) -> int | None:
    return None if at is None else to_microseconds(at)


def _not_yet(acts: list[tuple[Any, ...]], rows: bytes) -> list[tuple[Any, ...]]:
    """The rows that are not stored yet, told by hash and ordinal among equals."""
    there = Counter(_digests(rows))
    fresh = []
    for act in acts:
        if there[act[13]] > 0:
            there[act[13]] -= 1
        else:
            fresh.append(act)
    return fresh


def _instant(value: int | None) -> datetime | None:
    return None if value is None else from_microseconds(value)


def _registered(row: tuple[Any, ...], acts: list[tuple[Any, ...]]) -> e.Registered:
    submitted, received = row[8], row[9]
    first = min((act[4] for act in acts), default=0)
    at = from_microseconds(next((value for value in (submitted, received) if value is not None), first))
    return e.Registered(
        at=at, recorded_at=at, seq=1, unit=row[5], procedure=row[4], agency=row[5], channel=row[6], source=row[12],
        allotted=row[10], submitted_at=_instant(submitted), accepted_at=_instant(received), due_at=_instant(row[11]),
        applicant=row[7], submitter=row[13], **_enclosed(row[15]),
    )  # fmt: skip


def _event(row: tuple[Any, ...], seq: int) -> e.Event:
    """A staged row as the event that it states."""
    kind = row[3]
    values: dict[str, Any] = {}
    if kind in ("step_started", "step_finished"):
        values["step"] = row[8]
    if kind == "extended":
        values["due_at"] = from_microseconds(row[9])
    if row[10] is not None:
        values["evidence_at"] = from_microseconds(row[10])
    if row[11] is not None and kind in _WITH_DOCUMENT:
        values["document"] = bool(row[11])
    if row[14]:
        values.update(_enclosed(row[14]))
    at = from_microseconds(row[4])
    recorded_at = at if row[5] == row[4] else from_microseconds(row[5])
    return e.KINDS[kind](at=at, recorded_at=recorded_at, seq=seq, actor=row[7], unit=row[6], note=row[12], **values)


def _enclosed(text: str) -> dict[str, Any]:
    """What an event encloses, from its staged JSON."""
    body = json.loads(text) if text else {}
    return {name: tuple(from_values(LISTS[name], item) for item in items) for name, items in body.items()}


_WITH_DOCUMENT = frozenset({"supplement_requested", "suspended", "payment_requested", "extended"})


def import_files(order: Order, *, checked: Report = lambda n: None, stored: Report = lambda n: None) -> Result:
    """Imports files. Raises `Refusal`, `Unreadable`: then nothing was stored."""
    with _no_search_for_cycles():
        return _Import(order, checked, stored).run()


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """Millions of small values that form no cycles: looking for some would take an eighth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
