"""What the clock needs of a dossier's procedure and agency, read once for many dossiers."""

from __future__ import annotations

from dataclasses import dataclass, field

from motcua.catalogue import calendars
from motcua.catalogue.models import Agency, Procedure
from motcua.rules import verdicts
from motcua.rules.clock import Mode, cutoff_minutes
from motcua.rules.workdays import WorkCalendar, viet_nam


@dataclass(slots=True)
class Terms:
    """The terms of every procedure and agency, as the catalogue has them now."""

    procedures: dict[str, Procedure] = field(default_factory=dict)
    agencies: dict[str, str] = field(default_factory=dict)
    calendars: dict[str, WorkCalendar] = field(default_factory=dict)

    @staticmethod
    def load() -> Terms:
        """Reads the whole catalogue."""
        return Terms(
            {p.code: p for p in Procedure.objects.all()},
            dict(Agency.objects.values_list("code", "calendar")),
            calendars.load_all(),
        )

    @staticmethod
    def of_one(procedure: str, agency: str) -> verdicts.Terms:
        """The terms of a single dossier, without reading the rest of the catalogue."""
        name = Agency.objects.filter(code=agency).values_list("calendar", flat=True).first() or "vn"
        return Terms(
            {p.code: p for p in Procedure.objects.filter(code=procedure)}, {agency: name}, {name: calendars.load(name)}
        ).of(procedure, agency)

    def of(self, procedure: str, agency: str) -> verdicts.Terms:
        """The terms of a dossier of this procedure and agency."""
        known = self.procedures.get(procedure)
        calendar = self.calendars.get(self.agencies.get(agency, "vn"), viet_nam())
        if known is None:
            return verdicts.Terms(calendar=calendar)
        return verdicts.Terms(
            calendar=calendar,
            mode=Mode(known.mode),
            cutoff=cutoff_minutes(known.cutoff),
            limit=known.allotted,
            payment_pauses=known.payment_pauses,
        )
