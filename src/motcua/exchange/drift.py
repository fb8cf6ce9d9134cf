"""How our catalogue has drifted from the portal's: abolished, changed, unmapped there, offered here and unknown there.

Reads what `catalogue_pull` kept. A fact that one side does not state, or states in words that no clock runs by, is no
drift; procedures are compared by their national core.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from django.db.models import Max, Q

from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency, Field, Procedure
from motcua.mirror.models import Pulled
from motcua.rules.instants import Unreadable
from motcua.wire import published
from motcua.wire.codes import agency_forms, procedure_core
from motcua.wire.published import Published

_NATIONAL = re.compile(r"^\d\.\d{6}$")


class Kind(StrEnum):
    """What kind of drift a row is."""

    ABOLISHED = "abolished"  # was listed there, or is no longer public
    UNKNOWN_THERE = "unknown_there"  # offered here, never listed there
    CHANGED = "changed"  # stands otherwise there than here
    CHANGED_SINCE = "changed_since"  # stands otherwise there than at an earlier pull
    UNMAPPED_PROCEDURE = "unmapped_procedure"  # a local code without national core
    UNMAPPED_FIELD = "unmapped_field"
    UNMAPPED_AGENCY = "unmapped_agency"
    UNREADABLE = "unreadable"  # listed, and its whole could not be had or read


@dataclass(frozen=True, slots=True)
class Row:
    """One drift. `about`: the code here; `fact`: name, limit, fee, level or field; `since`: first noticed there."""

    kind: Kind
    about: str
    name: str
    fact: str = ""
    ours: str = ""
    there: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All rows, how old the pull is, how much of it there is."""

    rows: list[Row]
    pulled_at: datetime | None  # of the lists; None: never
    compared: int  # procedures of ours held against a whole
    not_yet: int  # of ours, listed there, whose whole was not pulled yet
    not_here: int  # public there for a province or commune, not offered here

    def document(self) -> dict[str, Any]:
        """The JSON of `motcua exchange catalogue drift`."""
        counts = {kind: sum(row.kind is kind for row in self.rows) for kind in Kind}
        return {
            "pulled_at": self.pulled_at, "compared": self.compared, "not_yet": self.not_yet,
            "not_here": self.not_here, "counts": counts, "rows": [asdict(row) for row in self.rows],
        }  # fmt: skip


def report(*, on: date) -> Report:
    """The drift of what we offer `on` a day."""
    pulled_at = Pulled.objects.aggregate(m=Max("listed_at"))["m"]
    if pulled_at is None:
        return Report([], None, 0, 0, 0)
    ours = list(
        Procedure.objects.filter(
            Q(valid_from=None) | Q(valid_from__lte=on), Q(valid_to=None) | Q(valid_to__gte=on)
        ).order_by("code")
    )
    listed: dict[str, list[Pulled]] = {}
    for row in Pulled.objects.filter(kind=Pulled.Kind.PROCEDURE).order_by("code"):
        listed.setdefault(procedure_core(row.code), []).append(row)
    field_names = dict(Field.objects.values_list("code", "name"))
    rows: list[Row] = []
    compared = not_yet = 0
    for procedure in ours:
        there = _best(procedure.code, listed.get(procedure.core, ()))
        if there is None:
            national = _NATIONAL.match(procedure.core)
            kind = Kind.UNKNOWN_THERE if national else Kind.UNMAPPED_PROCEDURE
            rows.append(Row(kind, procedure.code, procedure.name))
            continue
        whole = _whole(there)
        if there.gone_at is not None or (whole is not None and not whole.is_public):
            rows.append(Row(Kind.ABOLISHED, procedure.code, procedure.name, since=there.gone_at or there.pulled_at))
        elif whole is None and there.pulled_at is None:
            not_yet += 1
            rows += _name_of_list(procedure, there)
        elif whole is None:
            rows.append(Row(Kind.UNREADABLE, procedure.code, procedure.name, there=there.error))
            rows += _name_of_list(procedure, there)
        else:
            compared += 1
            rows += _changed(procedure, whole, field_names)
            rows += _since(procedure, whole, there)
    rows += _unmapped_fields(ours, field_names)
    rows += _unmapped_agencies(on)
    cores = {procedure.core for procedure in ours}
    elsewhere = (_whole(_best("", group)) for core, group in listed.items() if core not in cores)
    not_here = sum(
        whole is not None and whole.is_public and bool({published.PROVINCE, published.COMMUNE} & set(whole.levels))
        for whole in elsewhere
    )
    return Report(sorted(rows, key=lambda row: (list(Kind).index(row.kind), row.about, row.fact)), pulled_at,
                  compared, not_yet, not_here)  # fmt: skip


def _best(code: str, group: Iterable[Pulled]) -> Pulled | None:
    """The row of the same code, else one that is still listed, else any."""
    return min(group, key=lambda row: (row.code != code, row.gone_at is not None, row.code), default=None)


def _whole(row: Pulled | None) -> Published | None:
    try:
        return published.parse(json.loads(row.body)) if row is not None and row.body else None
    except Unreadable:
        return None


def _name_of_list(procedure: Procedure, there: Pulled) -> Iterator[Row]:
    name = str(json.loads(there.listed).get("TENTTHC") or "")
    if name and fold(name) != fold(procedure.name):
        yield Row(Kind.CHANGED, procedure.code, procedure.name, "name", procedure.name, name)


def _changed(procedure: Procedure, there: Published, field_names: Mapping[str, str]) -> Iterator[Row]:
    """What stands otherwise there than here. Our catalogue holds no fees: those are compared between pulls."""

    def row(fact: str, ours: str, theirs: str) -> Row:
        return Row(Kind.CHANGED, procedure.code, procedure.name, fact, ours, theirs)

    if there.name and fold(there.name) != fold(procedure.name):
        yield row("name", procedure.name, there.name)
    if procedure.allotted and there.limits and _same_limit(procedure.allotted) not in map(_same_limit, there.limits):
        yield row("limit", procedure.allotted, ", ".join((*there.limits, *there.limits_unread)))
    levels = published.levels_of(procedure.level)
    if levels and there.levels and not levels <= set(there.levels):
        yield row("level", procedure.level, ", ".join(there.levels))
    codes, names = zip(*there.fields, strict=True) if there.fields else ((), ())
    known = fold(field_names.get(procedure.field, ""))
    if procedure.field and codes and procedure.field not in codes and known not in map(fold, names):
        yield row("field", procedure.field, ", ".join(codes))


def _same_limit(limit: str) -> str:
    """Eight working hours are a working day."""
    return f"{float(limit[:-1]) / 8:g}d" if re.fullmatch(r"[\d.]+h", limit) else limit


def _since(procedure: Procedure, there: Published, row: Pulled) -> Iterator[Row]:
    """What another pull found otherwise before."""
    if not row.before:
        return
    try:
        before = published.parse(json.loads(row.before))
    except Unreadable:
        return
    for fact, old, new in (
        ("name", (before.name,), (there.name,)),
        ("limit", (*before.limits, *before.limits_unread), (*there.limits, *there.limits_unread)),
        ("fee", (*before.fees, *before.fees_unread), (*there.fees, *there.fees_unread)),
        ("level", before.levels, there.levels),
        ("field", tuple(code for code, _ in before.fields), tuple(code for code, _ in there.fields)),
    ):
        if old != new:
            yield Row(Kind.CHANGED_SINCE, procedure.code, procedure.name, fact, ", ".join(map(str, old)),
                      ", ".join(map(str, new)), row.changed_at)  # fmt: skip


def _unmapped_fields(ours: Iterable[Procedure], names: Mapping[str, str]) -> Iterator[Row]:
    there = set(Pulled.objects.filter(kind=Pulled.Kind.FIELD, gone_at=None).values_list("code", flat=True))
    if there:
        for code in sorted({procedure.field for procedure in ours if procedure.field} - there):
            yield Row(Kind.UNMAPPED_FIELD, code, names.get(code, code))


def _unmapped_agencies(on: date) -> Iterator[Row]:
    there: set[str] = set()
    names: set[str] = set()
    for code, listed in Pulled.objects.filter(kind=Pulled.Kind.AGENCY, gone_at=None).values_list("code", "listed"):
        there.update(agency_forms(code))
        names.add(fold(str(json.loads(listed).get("TENDONVI") or "")))
    if not there:
        return
    for agency in Agency.objects.filter(Q(valid_to=None) | Q(valid_to__gte=on)).order_by("code"):
        if not there & set(agency_forms(agency.code)) and fold(agency.name) not in names:
            yield Row(Kind.UNMAPPED_AGENCY, agency.code, agency.name)
