"""Loads: lists that people give on a page, from the first look to their end, each in a process of its own.

A phase of a load (look, check, store, withdraw) may be killed at any point and is then done again or goes on: what it
wrote before is known by the load. While a load is being stored or withdrawn the facts are not brought up to date, so
no figure counts half of it (docs/decisions/0012).
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q

from motcua.catalogue import names
from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency, AgencyName, Procedure
from motcua.dossiers import log
from motcua.dossiers.importing import canonical, convert, grids, guess
from motcua.dossiers.importing.convert import Plan, Refused, Repeated, Taken
from motcua.dossiers.importing.guess import Kind
from motcua.dossiers.importing.run import Order, import_files
from motcua.dossiers.importing.sources import Fault, read_csv
from motcua.dossiers.models import HALF_DONE, DossierRow, Imported, Load, SourceMap
from motcua.jobs import lease
from motcua.ledger import audit
from motcua.ledger.models import EventRow
from motcua.oversight import petitions, published
from motcua.rules.events import Corrected
from motcua.rules.instants import Unreadable, iso
from motcua.wire.codes import agency_of_dossier, procedure_core

State = Load.State
Clock = Callable[[], datetime]
#: Phases that a process works on; the others wait for a person.
WORKING = (State.RECEIVED, State.CHECKING, State.LOADING, State.WITHDRAWING)
#: A process that does not renew its lease for so long is dead.
LEASE = timedelta(seconds=60)
_RENEW_S = 15.0
_TOLD = 20_000  # rows between two reports of progress
_SAMPLE = 60  # rows kept for the eyes of a person
_WORDS = 300  # distinct words of a column that a person is asked about
_LISTED = 5_000  # rows of a published list in one transaction
_VOIDED = 500  # dossiers in one transaction of a withdrawal
#: Columns whose words have a meaning that a person may correct, and the units.
WORDED = ("verdict", "state", "activity", "channel", "unit")


class Refusal(Unreadable):
    """The load is not in a state for what is asked of it."""


# ---- giving a file ----------------------------------------------------------------------------------------------


def receive(name: str, chunks: Iterator[bytes], *, home: Path, by: str, at: datetime, source: str = "") -> Load:
    """Keeps a file as it came; a process looks at it."""
    draft = home / "loads" / f"draft-{os.getpid()}-{id(chunks)}"
    draft.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.blake2b(digest_size=32), 0
    with draft.open("wb") as file:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            file.write(chunk)
    load = Load.objects.create(
        file=Path(name).name[:255], digest=digest.hexdigest(), size=size, source=source[:64], by=by, received_at=at
    )
    folder(home, load).mkdir(exist_ok=True)
    draft.replace(folder(home, load) / "original")
    return load


def folder(home: Path, load: Load) -> Path:
    """Where the files of a load lie."""
    return home / "loads" / str(load.pk)


def sample(home: Path, load: Load) -> list[tuple[int, list[str]]]:
    """The first rows below the headings, with their lines."""
    return [(line, list(cells)) for line, cells in islice(_rows(home, load), _SAMPLE)]


def same(load: Load) -> list[Load]:
    """Loads of the very same file that are in force."""
    return list(Load.objects.filter(digest=load.digest, state=State.DONE).exclude(pk=load.pk).order_by("pk"))


def confirm(load: Load, *, kind: Kind, source: str, columns: Mapping[str, int], head: Mapping[str, Any]) -> None:
    """A person said what the list is and which column holds what; a process checks every row."""
    missing = [name for name in guess.NEEDED[kind] if name not in columns]
    if missing:
        raise Refusal(f"no column for {missing[0]}")
    if not Load.objects.filter(pk=load.pk, state__in=(State.LOOKED, State.CHECKED)).exists():
        raise Refusal(f"load {load.pk} is {load.state}")
    load.kind, load.source, load.columns, load.head = kind, source[:64], dict(columns), dict(head)
    remembered = _remembered(load)
    load.values = {**remembered.values, **load.values} if remembered else load.values
    _send(load, State.CHECKING)


def reconsider(load: Load, *, values: Mapping[str, Mapping[str, str]], units: Mapping[str, str]) -> None:
    """A person corrected what words and units mean; a process checks every row again."""
    if not Load.objects.filter(pk=load.pk, state=State.CHECKED).exists():
        raise Refusal(f"load {load.pk} is {load.state}")
    load.values, load.units = {name: dict(words) for name, words in values.items()}, dict(units)
    _send(load, State.CHECKING)


def begin(load: Load, *, at: datetime) -> None:
    """A person agreed: the rows go in. The map is remembered for the source, the units' names for good."""
    with transaction.atomic():
        if not Load.objects.filter(pk=load.pk, state=State.CHECKED).update(state=State.LOADING, stored_at=at):
            raise Refusal(f"load {load.pk} is {load.state}")
        load.refresh_from_db()
        _remember(load)
    load.progress = 0
    load.save(update_fields=["progress"])


def withdraw(load: Load, *, by: str, at: datetime) -> None:
    """A person takes a load back: it stays kept, and leaves every figure."""
    with transaction.atomic():
        if not Load.objects.filter(pk=load.pk, state=State.DONE).exclude(kind=Kind.AGENCIES).update(
            state=State.WITHDRAWING, withdrawn_at=at, withdrawn_by=by, progress=0
        ):  # fmt: skip
            raise Refusal(f"load {load.pk} is {load.state}")
        audit.record(at=at, actor=by, table="load", key=str(load.pk), before={"state": "done"},
                     after={"state": "withdrawn", "file": load.file})  # fmt: skip
    load.refresh_from_db()


def _send(load: Load, state: str) -> None:
    load.state, load.progress, load.error = state, 0, ""
    load.save()


# ---- the process ------------------------------------------------------------------------------------------------


def waiting(*, at: datetime) -> list[int]:
    """Loads that a process should work on and none does, the oldest first."""
    free = Q(leased_until=None) | Q(leased_until__lt=at)
    return list(Load.objects.filter(free, state__in=WORKING).order_by("pk").values_list("pk", flat=True))


def work(home: Path, *, clock: Clock, then: Callable[[], object] = lambda: None) -> int:
    """Works on every load that waits; `then` brings the facts up to date. Returns how many phases were done."""
    done = 0
    while True:
        taken = next((load for pk in waiting(at=clock()) if (load := _take(pk, clock())) is not None), None)
        if taken is None:
            return done
        with _held(taken, clock):
            _phase(home, taken, clock)
        Load.objects.filter(pk=taken.pk).update(leased_until=None, holder="")
        done += 1
        if taken.state in (State.DONE, State.WITHDRAWN):
            then()


def _take(pk: int, at: datetime) -> Load | None:
    """Takes a load; None where another process was first."""
    holder = f"{os.uname().nodename}:{os.getpid()}"
    free = Q(leased_until=None) | Q(leased_until__lt=at)
    taken = Load.objects.filter(free, pk=pk, state__in=WORKING).update(leased_until=at + LEASE, holder=holder)
    return Load.objects.get(pk=pk) if taken else None


def _held(load: Load, clock: Clock) -> lease.Renewal:
    """Renews the lease of a load for as long as it is worked on."""
    held = Load.objects.filter(pk=load.pk)
    return lease.Renewal(lambda: held.update(leased_until=clock() + LEASE), every_s=_RENEW_S)


def _phase(home: Path, load: Load, clock: Clock) -> None:
    """Does what the load's state asks; what cannot be read ends it with the reason kept."""
    try:
        match load.state:
            case State.RECEIVED:
                _look(home, load)
            case State.CHECKING:
                _check(home, load)
            case State.LOADING:
                _store(home, load, clock)
            case State.WITHDRAWING:
                _withdraw(home, load)
    except Unreadable as error:
        # What was stored before the fault stays half done and is not counted until somebody withdraws it.
        load.error = str(error)
        load.state = State.FAILED if load.state in (State.RECEIVED, State.CHECKING) else load.state
        load.save(update_fields=["error", "state"])
        if load.state in HALF_DONE:
            raise


def _told(load: Load, rows: int) -> None:
    Load.objects.filter(pk=load.pk).update(progress=rows)


def _look(home: Path, load: Load) -> None:
    """Reads the file once, whatever it is, and keeps its rows as plain CSV; guesses what it is."""
    original, plain = folder(home, load) / "original", folder(home, load) / "rows.csv"
    named = folder(home, load) / load.file  # readers name the file in their faults
    if not named.exists():
        named.hardlink_to(original)
    count, first = 0, []
    try:
        with plain.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            for count, (line, cells) in enumerate(grids.rows(named), 1):
                if count <= _SAMPLE:
                    first.append(list(cells))
                writer.writerow((line, *cells))
                if count % _TOLD == 0:
                    _told(load, count)
    finally:
        if named != original:
            named.unlink(missing_ok=True)
    guessed = guess.sheet(first)
    load.rows = max(count - guessed.start, 0)
    load.kind, load.headings, load.start = guessed.kind, list(guessed.headings), guessed.start
    load.columns = dict(guessed.columns)
    load.state = State.LOOKED
    load.save()


def _rows(home: Path, load: Load) -> Iterator[tuple[int, list[str]]]:
    with (folder(home, load) / "rows.csv").open(encoding="utf-8", newline="") as file:
        for row in islice(csv.reader(file), load.start, None):
            yield int(row[0]), row[1:]


# ---- the map of a source ----------------------------------------------------------------------------------------


def _remembered(load: Load) -> SourceMap | None:
    return SourceMap.objects.filter(source=load.source, kind=load.kind).first()


def columns_for(load: Load, kind: Kind, source: str, data: Sequence[Sequence[str]]) -> dict[str, int]:
    """The columns as the source's last list had them, where the headings are there, else as guessed."""
    guessed = guess.columns(kind, load.headings, data)
    kept = SourceMap.objects.filter(source=source, kind=kind).first()
    if kept is None or not load.headings:
        return guessed
    headings = [guess.folded(heading) for heading in load.headings]
    known = {name: headings.index(heading) for name, heading in kept.columns.items() if heading in headings}
    return {**{name: at for name, at in guessed.items() if at not in known.values()}, **known}


def _remember(load: Load) -> None:
    columns = {name: guess.folded(load.headings[at]) for name, at in load.columns.items() if at < len(load.headings)}
    SourceMap.objects.update_or_create(
        source=load.source, kind=load.kind, defaults={"columns": columns, "values": load.values}
    )
    named = {}
    for name, code in load.units.items():
        if code:
            Agency.objects.get_or_create(code=code, defaults={"name": name, "folded": fold(name)})
            named[fold(name)[:300]] = code
    AgencyName.objects.bulk_create(
        [AgencyName(name=name, agency_id=code) for name, code in named.items()],
        update_conflicts=True, unique_fields=["name"], update_fields=["agency"],
    )  # fmt: skip


# ---- checking ---------------------------------------------------------------------------------------------------


def plan(load: Load) -> Plan:
    """How the load's rows are read."""
    by_name = {
        fold(name): code for code, name in Procedure.objects.values_list("code", "name")
    } if "procedure_name" in load.columns else {}  # fmt: skip
    return Plan(
        kind=Kind(load.kind), columns=load.columns, values=load.values, procedures=by_name, resolve=names.resolver(),
        units={name: code for name, code in load.units.items() if code}, given_at=load.received_at,
    )  # fmt: skip


def _check(home: Path, load: Load) -> None:
    """Every row by the load's map: what goes in is written down for the next phase, what does not with its reason."""
    where = folder(home, load)
    _guess_words(home, load)
    counts = {"taken": 0, "repeated": 0, "refused": 0, "events": 0}
    codes = set(DossierRow.objects.values_list("code", flat=True)) if load.kind == Kind.STEPS else None
    rules = plan(load)
    # The folder holds what came from outside: nobody else needs to read it.
    with (
        (where / "taken.csv").open("w", encoding="utf-8", newline="") as taken_file,
        (where / "events.csv").open("w", encoding="utf-8", newline="") as events_file,
        (where / "refused.csv").open("w", encoding="utf-8", newline="") as refused_file,
    ):
        taken, events, refused = csv.writer(taken_file), csv.writer(events_file), csv.writer(refused_file)
        taken.writerow(_taken_columns(rules.kind))
        events.writerow(canonical.EVENT_COLUMNS)
        for count, (made, cells) in enumerate(convert.converted(_rows(home, load), rules), 1):
            if isinstance(made, Taken) and codes is not None and made.values[0] not in codes:
                made = Refused(made.line, "code", "unknown_dossier", made.values[0])
            match made:
                case Taken():
                    counts["taken"] += 1
                    if rules.kind is Kind.PUBLISHED:
                        raw = dict(zip(load.headings, cells, strict=False)) if load.headings else {"": list(cells)}
                        taken.writerow((made.line, *made.values, json.dumps(raw, ensure_ascii=False)))
                    elif rules.kind is not Kind.STEPS:
                        taken.writerow(made.values)
                    if made.event is not None:
                        counts["events"] += 1
                        events.writerow(made.event)
                case Repeated():
                    counts["repeated"] += 1
                case Refused():
                    counts["refused"] += 1
                    refused.writerow((made.line, made.column, made.reason, made.value, *cells))
            if count % _TOLD == 0:
                _told(load, count)
    for name, value in counts.items():
        setattr(load, name, value)
    load.state, load.progress = State.CHECKED, 0
    load.save()


def _taken_columns(kind: Kind) -> tuple[str, ...]:
    if kind is Kind.PUBLISHED:
        return ("line", *convert.PUBLISHED_COLUMNS, "raw")
    columns = {Kind.AGENCIES: convert.AGENCY_COLUMNS, Kind.PETITIONS: convert.PETITION_COLUMNS}
    return columns.get(kind, canonical.DOSSIER_COLUMNS)


def _guess_words(home: Path, load: Load) -> None:
    """The words of the columns whose words mean something, and which agency each unit's name is."""
    columns = {name: at for name, at in load.columns.items() if name in WORDED}
    counts: dict[str, dict[str, int]] = {name: {} for name in columns}
    prefixes: dict[str, dict[str, int]] = {}
    code_at, unit_at = load.columns.get("code"), columns.get("unit")
    if not columns:
        load.words = {}
        return
    for _, cells in _rows(home, load):
        if not any(sign.isdigit() for cell in cells for sign in cell):
            continue  # a signature below the table
        for name, at in columns.items():
            if at < len(cells) and (text := " ".join(cells[at].split())):
                counts[name][text] = counts[name].get(text, 0) + 1
        if code_at is not None and unit_at is not None and max(code_at, unit_at) < len(cells):
            prefix = agency_of_dossier(guess.code_as_written(cells[code_at]))
            if prefix and (text := " ".join(cells[unit_at].split())):
                of = prefixes.setdefault(text, {})
                of[prefix] = of.get(prefix, 0) + 1
    load.words = {
        name: dict(sorted(words.items(), key=lambda item: (-item[1], item[0]))[:_WORDS])
        for name, words in counts.items()
    }
    resolve = names.resolver()
    known = {guess.plain_name(name): code for code, name in Agency.objects.values_list("code", "name")}
    for name in load.words.get("unit", ()):
        if name not in load.units:
            load.units[name] = resolve(name) or guess.nearest(name, known) or _by_code(prefixes.get(name, {}), resolve)


def _by_code(prefixes: Mapping[str, int], resolve: Callable[[str], str]) -> str:
    """The agency in the codes of nearly all dossiers under a name."""
    if not prefixes:
        return ""
    prefix, most = max(prefixes.items(), key=lambda item: item[1])
    return (resolve(prefix) or prefix) if most * 10 >= sum(prefixes.values()) * 9 else ""


def refused_rows(home: Path, load: Load) -> Iterator[tuple[int, str, str, str, list[str]]]:
    """The refused rows: line, column, code of the reason, what stands there, and the cells as they came."""
    file = folder(home, load) / "refused.csv"
    if not file.exists():
        return
    with file.open(encoding="utf-8", newline="") as lines:
        for line, column, reason, value, *cells in csv.reader(lines):
            yield int(line), column, reason, value, cells


# ---- storing ----------------------------------------------------------------------------------------------------


def _store(home: Path, load: Load, clock: Clock) -> None:
    assert load.stored_at is not None
    match load.kind:
        case Kind.PUBLISHED:
            _store_list(home, load)
        case Kind.AGENCIES:
            _store_agencies(home, load)
        case Kind.PETITIONS:
            rows = (row for _, row in islice(read_csv(folder(home, load) / "taken.csv"), 1, None))
            petitions.keep(rows, file=load.file, at=load.stored_at)
        case _:
            _store_dossiers(home, load)
    load.state, load.finished_at, load.error = State.DONE, clock(), ""
    load.save()


def _store_list(home: Path, load: Load) -> None:
    """The list goes in withdrawn and is put in force when it is whole; killed, it goes on after its last row."""
    assert load.stored_at is not None
    head = published.Head(
        dated_at=datetime.fromisoformat(load.head["dated_at"]), document=load.head.get("document", ""),
        unit=load.head.get("unit", ""), measure=load.head.get("measure", "all"),
        stated_count=load.head.get("stated_count"), source=load.source,
    )  # fmt: skip
    if load.published_list is None:
        load.published_list = published.open_list(head, file=load.file, digest=load.digest, at=load.stored_at)
        load.save(update_fields=["published_list"])
    stored = published.last_row(load.published_list)
    batch: list[published.Row] = []
    count = 0
    for count, (_, row) in enumerate(islice(read_csv(folder(home, load) / "taken.csv"), 1, None), 1):
        line, code, late, received, due, finished, unit, raw = row
        if int(line) <= stored:
            continue
        instants = {"received_at": received, "due_at": due, "finished_at": finished}
        batch.append(
            published.Row(
                int(line), code, late == "1",
                {name: datetime.fromisoformat(text) if text else None for name, text in instants.items()}, unit, raw,
            )
        )  # fmt: skip
        if len(batch) >= _LISTED:
            published.add_rows(load.published_list, batch)
            batch = []
            _told(load, count)
    published.add_rows(load.published_list, batch)
    load.published_list = published.put_in_force(load.published_list)
    load.dossiers = count


def _store_agencies(home: Path, load: Load) -> None:
    assert load.stored_at is not None
    created = 0
    with transaction.atomic():
        for _, (code, name, parent) in islice(read_csv(folder(home, load) / "taken.csv"), 1, None):
            before = Agency.objects.filter(code=code).values("name", "parent").first()
            after = {"name": name, "parent": parent or (before["parent"] if before else "")}
            created += before is None
            Agency.objects.update_or_create(code=code, defaults={**after, "folded": fold(name)})
            audit.record(at=load.stored_at, actor=load.by, table="agency", key=code, before=before, after=after)
    load.dossiers = created


def _store_dossiers(home: Path, load: Load) -> None:
    assert load.stored_at is not None
    where = folder(home, load)
    files = [where / "events.csv"]
    if load.kind == Kind.DOSSIERS:
        files.insert(0, where / "taken.csv")
        _name_procedures(home, load)
    before = EventRow.objects.filter(stored_at=load.stored_at).count()  # of this load, before it was killed

    def stored(events: int) -> None:
        nonlocal before
        before += events
        _told(load, before)

    result = import_files(
        Order(files=tuple(files), home=home, at=load.stored_at, source=load.source, create_missing=True,
              keep_going=True),
        stored=stored,
    )  # fmt: skip
    if result.refused:
        with (where / "refused.csv").open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            for _, (_, row, column, reason) in islice(read_csv(Path(result.refusals)), 1, None):
                writer.writerow((row or 0, column, "not_taken", reason))
        load.refused += result.refused
    of_load = EventRow.objects.filter(stored_at=load.stored_at)
    load.dossiers = of_load.filter(kind="registered").count()
    load.events = of_load.exclude(kind="registered").count()


def _name_procedures(home: Path, load: Load) -> None:
    """Procedures that only the list names: created under the names that it gives them."""
    code_at, name_at = load.columns.get("procedure"), load.columns.get("procedure_name")
    rules = plan(load)
    found: dict[str, str] = {convert.NO_PROCEDURE: "—"} if code_at is None and name_at is None else {}
    for _, cells in _rows(home, load) if name_at is not None else ():
        name = cells[name_at].strip() if name_at < len(cells) else ""
        given = cells[code_at].strip()[:64] if code_at is not None and code_at < len(cells) else ""
        found.setdefault(given or convert.procedure_of(name, rules.procedures), name or given or "—")
    known = set(Procedure.objects.values_list("code", flat=True))
    known_cores = set(Procedure.objects.values_list("core", flat=True))
    Procedure.objects.bulk_create(
        [
            Procedure(code=code, core=procedure_core(code), name=name[:2000], folded=fold(name)[:2000])
            for code, name in found.items()
            if code not in known and procedure_core(code) not in known_cores
        ],
        ignore_conflicts=True,
    )


# ---- taking back ------------------------------------------------------------------------------------------------


def _withdraw(home: Path, load: Load) -> None:
    """Kept, and out of every figure: published lists and petitions by their mark, events by corrections."""
    assert load.withdrawn_at is not None
    if load.published_list is not None:
        with suppress(Unreadable):  # it was withdrawn before this process was killed
            published.withdraw(load.published_list, at=load.withdrawn_at)
    elif load.kind == Kind.PETITIONS and load.stored_at is not None:
        petitions.withdraw(stored_at=load.stored_at, at=load.withdrawn_at)
    elif load.stored_at is not None:
        _void(home, load)
    load.state = State.WITHDRAWN
    load.save(update_fields=["state"])


def _void(home: Path, load: Load) -> None:
    """Voids every event of the load, dossiers at once in batches; killed, it goes on with those that still stand."""
    assert load.stored_at is not None and load.withdrawn_at is not None
    digests, heads = _digests_of(home, load)
    codes = sorted(
        EventRow.objects.filter(stored_at=load.stored_at).exclude(kind="corrected").values_list("dossier", flat=True)
        .distinct()
    )  # fmt: skip
    for start in range(0, len(codes), _VOIDED):
        part = codes[start : start + _VOIDED]
        with transaction.atomic():
            log.hold_turn()
            gone = _voided(part, load)
            wrong = EventRow.objects.filter(dossier__in=part, stored_at=load.stored_at).exclude(kind="corrected")
            acts: dict[str, list[Corrected]] = {}
            for row in wrong.order_by("dossier", "seq").only("dossier", "seq", "at"):
                if (row.dossier, row.seq) not in gone:
                    # From the instant of what it voids on: no earlier as-of counts it either.
                    acts.setdefault(row.dossier, []).append(
                        Corrected(at=row.at, recorded_at=load.withdrawn_at, seq=0, actor=load.withdrawn_by,
                                  corrects=row.seq, void=True, note=f"load {load.pk} withdrawn")
                    )  # fmt: skip
            log.store_many(
                [(code, f"load:{load.pk}", list(events)) for code, events in acts.items()],
                stored_at=load.withdrawn_at,
            )
            _forget(list(acts), digests, heads)
        _told(load, start + len(part))


def _voided(codes: Sequence[str], load: Load) -> set[tuple[str, int]]:
    """(dossier, seq) of the events that corrections of this withdrawal voided before it was killed."""
    rows = EventRow.objects.filter(dossier__in=codes, kind="corrected", origin=f"load:{load.pk}")
    return {(row.dossier, int(json.loads(row.body)["corrects"])) for row in rows.only("dossier", "body")}


def _digests_of(home: Path, load: Load) -> tuple[dict[str, list[bytes]], dict[str, bytes]]:
    """The identities under which the importer knows the load's rows: of events, and of dossiers."""
    where = folder(home, load)
    digests: dict[str, list[bytes]] = {}
    lines = read_csv(where / "events.csv")
    head = canonical.header("events.csv", next(lines)[1])
    for line, row in lines:
        event = canonical.event_row(head, line, row, load.source)
        digests.setdefault(event.dossier, []).append(event.digest)
    heads: dict[str, bytes] = {}
    if load.kind == Kind.DOSSIERS:
        lines = read_csv(where / "taken.csv")
        head = canonical.header("taken.csv", next(lines)[1])
        for line, row in lines:
            with suppress(Fault):
                dossier = canonical.dossier_row(head, line, row, load.source)
                heads[dossier.dossier] = dossier.digest
    return digests, heads


def _forget(codes: Sequence[str], digests: Mapping[str, Sequence[bytes]], heads: Mapping[str, bytes]) -> None:
    """The importer no longer knows the rows of these dossiers: given again, they are stored again."""
    marks = list(Imported.objects.filter(dossier__in=codes))
    for mark in marks:
        left = [bytes(mark.rows)[n : n + 16] for n in range(0, len(bytes(mark.rows)), 16)]
        for digest in digests.get(mark.dossier, ()):
            with suppress(ValueError):
                left.remove(digest)
        mark.rows = b"".join(left)
        if bytes(mark.header) == heads.get(mark.dossier):
            mark.header = b""
    left_over = [mark for mark in marks if mark.rows or mark.header]
    Imported.objects.filter(dossier__in=codes).exclude(dossier__in=[mark.dossier for mark in left_over]).delete()
    Imported.objects.bulk_create(
        left_over, update_conflicts=True, unique_fields=["dossier"], update_fields=["header", "rows"]
    )


# ---- telling ----------------------------------------------------------------------------------------------------


def told(load: Load) -> dict[str, Any]:
    """A load as the command line tells it."""
    return {
        "load": load.pk, "state": load.state, "file": load.file, "kind": load.kind, "source": load.source,
        "by": load.by, "received_at": iso(load.received_at), "rows": load.rows, "taken": load.taken,
        "repeated": load.repeated, "refused": load.refused, "dossiers": load.dossiers, "events": load.events,
        "error": load.error,
    }  # fmt: skip


def program() -> list[str]:
    """The command that works on the loads that wait, as a process of its own."""
    return [sys.executable, "-m", "motcua.cli", "loads", "work"]


def start(home: Path) -> None:
    """Starts that process; it outlives the request, the server and the worker."""
    subprocess.Popen(
        program(), env={**os.environ, "MOTCUA_HOME": str(home)}, start_new_session=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
