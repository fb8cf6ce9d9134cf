"""Terms: what the clock read of the catalogue when the facts were made, and which dossiers a change of it reaches.

A calendar corrected afterwards, a new published limit, another unit map or another reading of the portal's rule
changes facts without any event. Source: architecture §5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import duckdb

from motcua.catalogue.models import Agency, AgencyName
from motcua.inspection.ours import Catalogue
from motcua.mirror import profiles
from motcua.oversight import reading
from motcua.rules.instants import local_day

_NAMES = ("procedures", "calendars", "units", "alternatives", "rule")


def _digest(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=6).hexdigest()


def marks(catalogue: Catalogue) -> dict[str, Any]:
    """The terms as digests: of each procedure, each agency's calendar, the unit map, further codes, the rule there."""
    calendars = {name: _digest(calendar.content) for name, calendar in catalogue.calendars.items()}
    units = sorted([*Agency.objects.values_list("code", "name"), *AgencyName.objects.values_list("name", "agency_id")])
    return {
        "procedures": {code: _digest(facts) for code, facts in catalogue.procedures.items()},
        "calendars": {"": calendars["vn"]}
        | {agency: calendars[catalogue.calendar_name(agency)] for agency in catalogue.agency_calendars},
        "units": _digest(units),
        "alternatives": _digest(sorted(reading.alternative_codes())),
        "rule": _digest(profiles.current().rule.completed_rounds_count),
    }


def comparable(then: Any) -> bool:
    """Whether these marks are of this shape."""
    return isinstance(then, Mapping) and all(name in then for name in _NAMES)


def affected(db: duckdb.DuckDBPyConnection, then: Mapping[str, Any], now: Mapping[str, Any]) -> set[str]:
    """The codes of the view `published` whose facts the changed terms reach; `alternative` is loaded."""
    found: set[str] = set()

    def codes(condition: str, *values: Any) -> None:
        rows = db.execute(f"SELECT dossier FROM published WHERE {condition}", list(values)).fetchall()
        found.update(code for (code,) in rows)

    if then["rule"] != now["rule"]:
        codes("exists_there")
    if procedures := _differing(then["procedures"], now["procedures"]):
        codes("procedure IN (SELECT unnest(?)) OR t_procedure IN (SELECT unnest(?))"
              " OR t_core IN (SELECT unnest(?))", *[procedures] * 3)  # fmt: skip
    if agencies := _differing(then["calendars"], now["calendars"]):
        if "" in agencies:
            codes("true")
        else:
            codes("agency IN (SELECT unnest(?))", agencies)
    if then["units"] != now["units"]:
        codes("NOT exists_here")
    if then["alternatives"] != now["alternatives"]:
        codes("linked_to <> '' OR dossier IN (SELECT code FROM alternative)")
    return found


def made_known_since(known_at: datetime) -> dict[str, date]:
    """The calendars of which something was made known after an instant, with the first day that it touches."""
    day = local_day(known_at)
    found = {}
    for name, calendar in reading.catalogue().calendars.items():
        touched = [h.valid_from for h in calendar.hours if h.known_on > day]
        touched += [d.day for d in calendar.days if d.known_on > day]
        if touched:
            found[name] = min(touched)
    return found


def _differing(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    keys: Iterable[str] = {*then, *now}
    return sorted(key for key in keys if then.get(key) != now.get(key))
