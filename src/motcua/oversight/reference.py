"""What checks need to know beside the dossiers: days, units, procedures, their steps and papers, accounts.

Small tables of the facts, written whole. The days carry the clock: with the working minutes before a day and its
opening times, the working time between any two instants is arithmetic over columns.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
from django.db.models import Max

from motcua.accounts.models import Post, User
from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency, ProcessStep
from motcua.inspection.checks.story import ADMINISTERS
from motcua.inspection.columns import Columns
from motcua.inspection.ours import Catalogue
from motcua.mirror.models import Pulled
from motcua.oversight import set_apart
from motcua.rules.clock import WORKDAY_MINUTES, Allotted
from motcua.rules.instants import VIET_NAM, Unreadable
from motcua.rules.workdays import Intervals
from motcua.wire.codes import procedure_core

_EPOCH = date(1970, 1, 1)
_A_DAY = timedelta(days=1)
#: The first day of the calendar table, and how many years after the extract it ends.
_FROM, _YEARS_AHEAD = date(2012, 1, 1), 3
#: So many openings a day have columns of their own; none of the calendars met has more than two.
OPENINGS = 4

#: Where a span has no end.
_NEVER, _ALWAYS = 2**53, -(2**53)
#: `since` and `until` of a procedure and its papers: the span in which the portal's catalogue was known to say so.
TABLES: dict[str, dict[str, str]] = {
    "days": {
        "calendar": "VARCHAR", "day": "BIGINT", "month": "BIGINT", "works": "BOOLEAN", "workdays_before": "BIGINT",
        "minutes_before": "BIGINT", "closing": "BIGINT",
        **{f"{edge}{n}": "BIGINT" for n in range(OPENINGS) for edge in ("from", "to")},
    },
    "units": {"agency": "VARCHAR", "name": "VARCHAR", "level": "VARCHAR", "calendar": "VARCHAR"},
    "procedures": {
        "core": "VARCHAR", "name": "VARCHAR", "limit_minutes": "BIGINT", "same_day": "BOOLEAN", "steps": "BIGINT",
        "steps_minutes": "BIGINT", "pulled": "BOOLEAN", "components": "BIGINT", "results": "BIGINT", "fee": "BIGINT",
        "lacking": "VARCHAR", "since": "BIGINT", "until": "BIGINT",
    },
    "process": {"core": "VARCHAR", "step": "VARCHAR", "minutes": "BIGINT"},
    "components": {
        "core": "VARCHAR", "component": "VARCHAR", "title": "VARCHAR", "form": "BOOLEAN", "since": "BIGINT",
        "until": "BIGINT",
    },
    "accounts": {
        "actor": "VARCHAR", "machine_from": "BIGINT", "machine_to": "BIGINT",
        **{f"administers_{edge}{n}": "BIGINT" for n in range(ADMINISTERS) for edge in ("from", "to")},
    },
    "outages": {
        "agency": "VARCHAR", "what": "VARCHAR", "from_s": "BIGINT", "to_s": "BIGINT", "caught_up_s": "BIGINT",
    },
}  # fmt: skip


def mark(catalogue: Catalogue) -> str:
    """Changes whenever one of the tables would."""
    pulled = Pulled.objects.filter(kind=Pulled.Kind.PROCEDURE).aggregate(p=Max("pulled_at"), g=Max("gone_at"))
    told = [
        repr(sorted(catalogue.procedures.items())),
        repr(sorted((name, calendar.content) for name, calendar in catalogue.calendars.items())),
        repr(_units(catalogue)),
        repr(_steps()),
        repr(_accounts()),
        repr(_outages()),
        repr(pulled),
        repr(TABLES),
    ]
    return hashlib.blake2b("\n".join(told).encode(), digest_size=8).hexdigest()


def tables(catalogue: Catalogue, at: datetime) -> dict[str, Columns]:
    """Every table of TABLES as columns."""
    whole = _wholes()
    made = {
        "days": list(_days(catalogue, at.year + _YEARS_AHEAD)),
        "units": _units(catalogue),
        "procedures": list(_procedures(catalogue, whole)),
        "process": [(core, step, minutes) for core, step, minutes in _steps() if minutes is not None],
        "components": [
            (*row, version.since, version.until)
            for core, versions in whole.items()
            for version in versions
            if version.body is not None
            for row in _components(core, version.body)
        ],
        "accounts": _accounts(),
        "outages": _outages(),
    }
    return {name: _columns(name, rows) for name, rows in made.items()}


def days(catalogue: Catalogue, at: datetime) -> Columns:
    """The table of the days alone."""
    return _columns("days", list(_days(catalogue, at.year + _YEARS_AHEAD)))


def _columns(name: str, rows: list[tuple[Any, ...]]) -> Columns:
    given = list(zip(*rows, strict=True)) if rows else [()] * len(TABLES[name])
    found: Columns = {}
    for (column, kind), values in zip(TABLES[name].items(), given, strict=True):
        match kind:
            case "BIGINT":
                found[column] = np.ma.array(
                    [0 if v is None else v for v in values], mask=[v is None for v in values], dtype=np.int64
                )
            case "BOOLEAN":
                found[column] = np.array(values, bool)
            case _:
                found[column] = np.array(values, object)
    return found


def _days(catalogue: Catalogue, until: int) -> Iterator[tuple[Any, ...]]:
    last = (date(until, 12, 31) - _FROM).days
    for name, calendar in sorted(catalogue.calendars.items()):
        workdays = minutes = 0
        special = {each.day for each in calendar.days}
        ordinary: dict[tuple[int, int], Intervals] = {}
        for n in range(last + 1):
            day = _FROM + timedelta(days=n)
            hours = day.weekday(), sum(each.valid_from <= day for each in calendar.hours)
            if day in special or hours not in ordinary:
                openings = calendar.intervals(day)
                if day not in special:
                    ordinary[hours] = openings
            else:
                openings = ordinary[hours]
            if len(openings) > OPENINGS:
                raise Unreadable(f"calendar {name!r}: more than {OPENINGS} openings on {day:%d/%m/%Y}")
            edges = [edge for opening in openings for edge in opening] + [0, 0] * (OPENINGS - len(openings))
            yield (name, (day - _EPOCH).days, day.year * 12 + day.month - 1, bool(openings), workdays, minutes,
                   openings[-1][1] if openings else None, *edges)  # fmt: skip
            workdays += bool(openings)
            minutes += sum(end - start for start, end in openings)


def _units(catalogue: Catalogue) -> list[tuple[Any, ...]]:
    rows = Agency.objects.order_by("code").values_list("code", "name", "level")
    return [(code, name, level, catalogue.calendar_name(code)) for code, name, level in rows]


def _minutes(text: str) -> int | None:
    """A limit as working minutes; None where it is none or counts calendar days."""
    if not text:
        return None
    try:
        limit = Allotted.parse(text)
    except Unreadable:
        return None
    match limit.unit:
        case "workdays":
            return limit.amount * WORKDAY_MINUTES
        case "minutes":
            return limit.amount
        case "same_day":
            return WORKDAY_MINUTES
    return None


def _steps() -> list[tuple[str, str, int | None]]:
    rows = ProcessStep.objects.order_by("procedure", "order").values_list("procedure__core", "name", "allotted")
    return [(core, name, _minutes(allotted)) for core, name, allotted in rows]


def _procedures(catalogue: Catalogue, whole: Mapping[str, Sequence[Version]]) -> Iterator[tuple[Any, ...]]:
    """A row a core and version; where several local codes share a core, the first by code."""
    limits: dict[str, list[int | None]] = {}
    for core, _, minutes in _steps():
        limits.setdefault(core, []).append(minutes)
    seen: set[str] = set()
    for _, known in sorted(catalogue.procedures.items()):
        if known.core in seen:
            continue
        seen.add(known.core)
        own = limits.get(known.core, [])
        same_day = bool(known.limit) and known.limit in ("sd", "0d")
        for version in whole.get(known.core, _NOT_PULLED):
            body = version.body
            yield (
                known.core, known.name, _minutes(known.limit), same_day, len(own),
                sum(m for m in own if m is not None) if own and all(m is not None for m in own) else None,
                body is not None,
                None if body is None else sum(1 for _ in _components(known.core, body)),
                None if body is None else len(_listed(body, "KETQUATHUCHIEN")),
                None if body is None else _fee(body),
                "" if body is None else ",".join(part for part, key in _PARTS.items() if not body.get(key)),
                version.since, version.until,
            )  # fmt: skip


#: The parts of a procedure (law: control-63, art. 8(2)) that the portal's whole has keys for.
_PARTS = {
    "name": "TENTTHC", "sequence": "TRINHTUTHUCHIEN", "method": "CACHTHUCTHUCHIEN", "components": "THANHPHANHOSO",
    "subject": "DOITUONGTHUCHIEN", "agency": "COQUANTHUCHIEN", "result": "KETQUATHUCHIEN",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """A procedure's whole as the portal's catalogue had it over a span, in seconds; None: not known, or gone."""

    body: Mapping[str, Any] | None
    since: int
    until: int


def _wholes() -> dict[str, list[Version]]:
    """Each procedure that was pulled, whole: as it is, before its last change, and until it was missed in the list."""
    found: dict[str, list[Version]] = {}
    for row in Pulled.objects.filter(kind=Pulled.Kind.PROCEDURE).exclude(body="").order_by("code"):
        changed, gone = _seconds(row.changed_at, _ALWAYS), _seconds(row.gone_at, _NEVER)
        spans = [(row.before, _ALWAYS, min(changed, gone))] if row.before and row.changed_at else []
        spans.append((row.body, changed if spans else _ALWAYS, gone))
        versions = [Version(_body(text), since, until) for text, since, until in spans if since < until]
        if gone < _NEVER:
            versions.append(Version(None, gone, _NEVER))
        found[procedure_core(row.code)] = versions
    return found


def _body(text: str) -> Mapping[str, Any] | None:
    body = json.loads(text)
    return body if isinstance(body, dict) else None


_NOT_PULLED = (Version(None, _ALWAYS, _NEVER),)


def _listed(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = body.get(key)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _components(core: str, body: Mapping[str, Any]) -> Iterator[tuple[str, str, str, bool]]:
    """The papers of a procedure; a form (an application, a declaration) is filled in anew each time."""
    for case in _listed(body, "THANHPHANHOSO"):
        for paper in _listed(case, "GIAYTO"):
            title = str(paper.get("TENGIAYTO") or "")
            form = bool(paper.get("TENMAUDON")) or fold(title).startswith(
                ("don ", "to khai", "to trinh", "ban ke khai")
            )
            yield core, str(paper.get("MAGIAYTO") or ""), fold(title), form


def _fee(body: Mapping[str, Any]) -> int:
    """The highest fee that the procedure names, đồng."""
    fees = [
        int(digits)
        for way in _listed(body, "CACHTHUCTHUCHIEN")
        for term in _listed(way, "THOIGIAN")
        for fee in _listed(term, "PHILEPHI")
        if (digits := "".join(c for c in str(fee.get("SOTIEN") or "") if c.isdigit()))
    ]
    return max(fees, default=0)


#: Roles that may end, reset or push a dossier on without handling it.
_ADMINISTRATORS = (Post.Role.OPERATOR, Post.Role.ADMINISTRATOR)


def _accounts() -> list[tuple[Any, ...]]:
    """The accounts under the names that acts carry: when a machine acts by them, and when they administer."""
    of_user: dict[int, list[tuple[int, int]]] = {}
    for user, start, end in Post.objects.filter(role__in=_ADMINISTRATORS, proposed=False).values_list(
        "user", "valid_from", "valid_to"
    ):
        of_user.setdefault(user, []).append((_midnight(start, _ALWAYS), _midnight(end and end + _A_DAY, _NEVER)))
    found: dict[str, list[tuple[int, int]]] = {}
    for key, username, name, superuser in User.objects.values_list("id", "username", "full_name", "is_superuser"):
        for known in filter(None, (username, name)):
            found.setdefault(known, []).extend([(_ALWAYS, _NEVER)] if superuser else of_user.get(key, ()))
    machines = {
        row.account: (_seconds(row.valid_from, _ALWAYS), _seconds(row.valid_to, _NEVER)) for row in set_apart.machines()
    }
    return [
        (name, *machines.get(name, (None, None)), *_edges(found.get(name, ()))) for name in sorted({*found, *machines})
    ]  # fmt: skip


def _edges(spans: Iterable[tuple[int, int]]) -> list[int | None]:
    """Spans joined where they touch, as so many edges as there are columns; what is more joins the last."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and (start <= joined[-1][1] or len(joined) == ADMINISTERS):
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return [edge for span in joined for edge in span] + [None, None] * (ADMINISTERS - len(joined))


def _midnight(day: date | None, otherwise: int) -> int:
    return otherwise if day is None else int(datetime.combine(day, time(), VIET_NAM).timestamp())


def _outages() -> list[tuple[str, str, int, int, int]]:
    return [
        (agency, what, _seconds(start, 0), _seconds(end, 0), _seconds(caught_up, 0))
        for agency, what, start, end, caught_up in set_apart.spans()
    ]  # fmt: skip


def _seconds(at: datetime | None, otherwise: int) -> int:
    return otherwise if at is None else int(at.timestamp())
