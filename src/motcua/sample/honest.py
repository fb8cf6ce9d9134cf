"""Dossiers on whose lateness all three sides agree: what the portal shows, what the record says, what is true.

Lifelike: arrivals by hour and weekday with a dip around Tết, steps, waits, late clicks, true lateness, and
dossiers that are still open when the plan ends.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

from motcua.rules.clock import Allotted, due_at
from motcua.rules.instants import local_day
from motcua.rules.verdicts import SUPPLEMENT_WORKDAYS
from motcua.rules.workdays import WorkCalendar, viet_nam
from motcua.sample.acts import Act, Planned
from motcua.sample.province import Agency, Procedure, Province, person

_HOURS = (7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 13, 14, 14, 14, 15, 15, 15, 16)
_WEEKDAYS = (1.35, 1.1, 1.0, 0.95, 0.9)
#: Around a closure of a week and more (Tết) fewer people come.
_LONG_CLOSURE, _AROUND, _DIP = 7, 8, 0.5
_CHANNELS = (("online", 0.7), ("desk", 0.27), ("post", 0.03))


class Desk:
    """Draws dossiers and their acts; the same for the same seed."""

    def __init__(self, province: Province, *, seed: int, since: datetime, until: datetime) -> None:
        self.province, self.since, self.until = province, since, until
        self.draw = random.Random(f"plan {seed}")
        self.calendar: WorkCalendar = viet_nam()
        self.serial: dict[tuple[str, str], int] = {}
        every = [local_day(since) + timedelta(days=n) for n in range((local_day(until) - local_day(since)).days)]
        self.days = [day for day in every if self.calendar.is_workday(day)]
        self.day_weights = list(accumulate(_weights(self.days)))
        self.agencies = {
            level: [a for a in province.agencies if a.level == level] for level in ("department", "commune")
        }
        self.agency_weights = {level: list(accumulate(a.weight for a in own)) for level, own in self.agencies.items()}
        self.officials = {a.code: [person(self.draw) for _ in range(3)] for a in province.agencies}
        kinds: tuple[tuple[Callable[[], Planned | None], float], ...] = (
            (self._handled, 0.72), (self._truly_late, 0.03), (self._supplemented, 0.1), (self._asked_twice, 0.01),
            (self._suspended, 0.03), (self._paid, 0.02), (self._extended, 0.02), (self._withdrawn, 0.02),
            (self._refused, 0.01), (self._refused_at_intake, 0.01), (self._unproven, 0.015), (self._pending, 0.01),
        )  # fmt: skip
        self._kinds = [kind for kind, _ in kinds]
        self._shares = list(accumulate(share for _, share in kinds))

    def honest(self) -> Planned:
        """A dossier without any fault."""
        kind = self.draw.choices(self._kinds, cum_weights=self._shares)[0]
        return kind() or self._handled()

    # ---- pieces ------------------------------------------------------------------------------------------------

    def after(self, at: datetime, low: int, high: int) -> datetime:
        """Some working minutes later."""
        return self.calendar.advance(self.calendar.opening_at_or_after(at), self.draw.randint(low, max(low, high)))

    def act(self, verb: str, at: datetime, *, recorded_at: datetime | None = None, **facts: Any) -> Act:
        """An act that is entered when it happens, unless said otherwise."""
        return Act(verb=verb, at=at, recorded_at=recorded_at or at, facts=facts)

    def clicked(self, verb: str, at: datetime, **facts: Any) -> Act:
        """An act that is mostly entered at once, sometimes a little later: a click is not an act."""
        late = 0 if self.draw.random() < 0.8 else self.draw.randint(1, 45)
        return self.act(verb, at, recorded_at=at + timedelta(minutes=late), **facts)

    def start(self, *, spare_days: int = 0, days: tuple[int, int] = (1, 99), pays: bool = False) -> Planned:
        """A dossier that is accepted; `days` bounds its limit, `spare_days` are left before the plan's end."""
        fitting = [
            procedure
            for procedure in self.province.procedures
            if days[0] <= limit_days(procedure) <= days[1] and (not pays or procedure.payment_pauses)
        ]
        procedure = self.draw.choice(fitting)
        received = self._arrival(max(len(self.days) - spare_days, 2))
        return self._opened(procedure, received)

    def _opened(self, procedure: Procedure, received: datetime) -> Planned:
        agency: Agency = self.draw.choices(
            self.agencies[procedure.level], cum_weights=self.agency_weights[procedure.level]
        )[0]
        channel = self.draw.choices([c for c, _ in _CHANNELS], [w for _, w in _CHANNELS])[0]
        submitted = received
        if channel == "online":  # a few wait for days: late at reception, on every side
            waits = self.draw.random() < 0.04
            submitted -= timedelta(minutes=self.draw.randint(3 * 1440, 6 * 1440) if waits else self.draw.randint(2, 90))
        day = f"{local_day(received):%y%m%d}"
        number = self.serial[agency.code, day] = self.serial.get((agency.code, day), 0) + 1
        return Planned(
            code=f"{agency.code}-{day}-{number:04}", procedure=procedure, agency=agency, channel=channel,
            applicant=person(self.draw), official=self.draw.choice(self.officials[agency.code]),
            submitted_at=submitted, due_at=self.due(received, procedure), acts=(self.act("receive", received),),
        )  # fmt: skip

    def _arrival(self, among: int) -> datetime:
        while True:
            day = self.draw.choices(self.days[:among], cum_weights=self.day_weights[:among])[0]
            hour, minute = self.draw.choice(_HOURS), self.draw.randint(0, 29)
            at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.since.tzinfo)
            at = self.calendar.opening_at_or_after(at)
            if at < self.until:
                return at

    def due(self, at: datetime, procedure: Procedure) -> datetime:
        """The whole limit from this instant."""
        return due_at(at, Allotted.parse(procedure.allotted), calendar=self.calendar, mode=procedure.mode)

    def between(self, dossier: Planned, low: float, high: float) -> datetime:
        """An instant at such a share of the time from receipt to the due instant."""
        received = dossier.acts[0].at
        total = max(self.calendar.minutes_between(received, dossier.due_at), 10)
        return self.calendar.advance(received, max(int(total * self.draw.uniform(low, high)), 5))

    def part(self, start: datetime, end: datetime, low: float, high: float) -> datetime:
        """An instant at such a share of the working time between two."""
        total = max(self.calendar.minutes_between(start, end), 12)
        return self.calendar.advance(start, max(int(total * self.draw.uniform(low, high)), 2))

    def days_later(self, at: datetime, days: int) -> datetime:
        """The closing some working days later."""
        return self.calendar.closing(self.calendar.add_workdays(local_day(at), days))

    def asked_by(self, received: datetime) -> datetime:
        """Until when a supplement may be asked for with effect on the clock."""
        return self.days_later(self.calendar.normalise(received), SUPPLEMENT_WORKDAYS)

    def cut(self, dossier: Planned, acts: Sequence[Act]) -> Planned:
        """The dossier with these acts, as far as they happen before the plan ends."""
        kept: list[Act] = []
        for act in (*dossier.acts, *acts):
            if act.recorded_at > self.until:
                break
            kept.append(act)
        return replace(dossier, acts=tuple(kept))

    def whole(self, dossier: Planned, acts: Sequence[Act]) -> Planned | None:
        """The dossier with all these acts, or None where the plan ends before."""
        return None if acts[-1].recorded_at > self.until else replace(dossier, acts=(*dossier.acts, *acts))

    def steps(self, dossier: Planned, start: datetime, end: datetime) -> list[Act]:
        """The internal steps between two instants, evenly spread over the working time; sometimes nobody clicks."""
        names = dossier.procedure.steps
        total = self.calendar.minutes_between(start, end)
        if total < 4 * len(names) or self.draw.random() < 0.1:
            return []
        acts, at = [], start
        for name in names:
            begin = self.calendar.advance(at, max(total // (6 * len(names)), 1))
            at = self.calendar.advance(begin, max(total // (2 * len(names)), 1))
            acts += [self.act("start_step", begin, step=name), self.act("finish_step", at, step=name)]
        return acts

    def supplement(self, dossier: Planned, *, wait: tuple[int, int] = (300, 2000)) -> tuple[list[Act], datetime]:
        """One lawful round, and the due instant after it."""
        asked = self.after(dossier.acts[0].at, 60, 600)
        answered = self.after(asked, *wait)
        acts = [self.act("request_supplement", asked, document=True), self.act("receive_supplement", answered)]
        return acts, max(dossier.due_at, self.due(answered, dossier.procedure))

    # ---- kinds -------------------------------------------------------------------------------------------------

    def _handled(self) -> Planned:
        dossier = self.start()
        end = self.between(dossier, 0.25, 0.92)
        acts = self.steps(dossier, dossier.acts[0].at, end)
        if dossier.agency.level == "department" and self.draw.random() < 0.08:  # consulted while the clock goes on
            asked, back = self.part(acts[-1].at if acts else dossier.acts[0].at, end, 0.1, 0.3), end
            if asked < back:
                acts += [self.act("send_leg", asked, to=self.draw.choice(self.agencies["department"]).code),
                         self.act("return_leg", back)]  # fmt: skip
        acts.append(self.clicked("finish", end, evidence_at=end if self.draw.random() < 0.5 else None))
        if self.draw.random() < 0.85:
            acts.append(self.clicked("return_result", self.after(end, 60, 900)))
        return self.cut(dossier, acts)

    def _truly_late(self) -> Planned:
        dossier = self.start()
        end = self.between(dossier, 1.1, 1.9)
        acts = [*self.steps(dossier, dossier.acts[0].at, end), self.act("finish", end)]
        return self.cut(dossier, [*acts, self.act("return_result", self.after(end, 60, 500))])

    def _supplemented(self) -> Planned:
        dossier = self.start(days=(2, 99))
        acts, due = self.supplement(dossier)
        end = self.part(acts[-1].at, due, 0.3, 0.9)
        return self.cut(dossier, [*acts, *self.steps(dossier, acts[-1].at, end), self.act("finish", end)])

    def _asked_twice(self) -> Planned | None:
        """A repeated request earns nothing; the work is done in time without it."""
        dossier = self.start(days=(3, 99), spare_days=15)
        acts, due = self.supplement(dossier)
        again = self.part(acts[-1].at, due, 0.1, 0.2)
        answered = self.part(again, due, 0.1, 0.3)
        end = self.part(answered, due, 0.2, 0.6)
        acts += [self.act("request_supplement", again, document=True, exception=True),
                 self.act("receive_supplement", answered), self.act("finish", end)]  # fmt: skip
        return self.whole(dossier, acts)

    def _suspended(self) -> Planned | None:
        dossier = self.start(days=(5, 99))
        begin = self.after(dossier.acts[0].at, 100, 700)
        over = self.after(begin, 200, 1500)
        due = self.calendar.advance(dossier.due_at, self.calendar.minutes_between(begin, over))
        end = self.part(over, due, 0.4, 0.8)
        acts = [self.act("suspend", begin, reason="chờ cơ quan phối hợp", document=True), self.act("resume", over)]
        return self.whole(dossier, [*acts, self.act("finish", end)])

    def _paid(self) -> Planned | None:
        """Paid and finished within the first due instant, so that nobody need credit the wait."""
        dossier = self.start(days=(2, 99), pays=True)
        asked = self.between(dossier, 0.2, 0.4)
        paid = self.part(asked, dossier.due_at, 0.1, 0.4)
        end = self.part(paid, dossier.due_at, 0.2, 0.8)
        acts = [self.act("request_payment", asked, document=True), self.act("pay", paid), self.act("finish", end)]
        return self.whole(dossier, acts)

    def _extended(self) -> Planned | None:
        dossier = self.start(days=(7, 99))
        said = self.between(dossier, 0.4, 0.6)
        end = self.calendar.advance(dossier.due_at, self.draw.randint(200, 1200))
        new = self.days_later(dossier.due_at, 5)
        return self.whole(dossier, [self.act("extend", said, due_at=new, document=True), self.act("finish", end)])

    def _withdrawn(self) -> Planned:
        dossier = self.start(days=(2, 99))
        return self.cut(dossier, [self.act("withdraw", self.between(dossier, 0.2, 0.7))])

    def _refused(self) -> Planned:
        dossier = self.start(days=(2, 99))
        return self.cut(dossier, [self.act("refuse", self.between(dossier, 0.3, 0.8), reason="không đủ điều kiện")])

    def _refused_at_intake(self) -> Planned:
        dossier = self.start()
        return replace(dossier, acts=(self.act("refuse", dossier.acts[0].at, reason="không thuộc thẩm quyền"),))

    def _unproven(self) -> Planned | None:
        """Stated on time, entered after the due instant, no document either way: counted apart."""
        dossier = self.start()
        end = self.between(dossier, 0.7, 0.95)
        entered = self.calendar.advance(dossier.due_at, self.draw.randint(30, 400))
        return self.whole(dossier, [self.act("finish", end, recorded_at=entered)])

    def _pending(self) -> Planned:
        """Submitted online in the last days, not yet answered."""
        commune = [procedure for procedure in self.province.procedures if procedure.level == "commune"]
        submitted = self.until - timedelta(minutes=self.draw.randint(5, 4 * 1440))
        dossier = self._opened(self.draw.choice(commune), submitted)
        return replace(dossier, channel="online", submitted_at=submitted, acts=())


def limit_days(procedure: Procedure) -> int:
    """The working days of a procedure's limit."""
    return int(procedure.allotted.removesuffix("d"))


def _weights(days: Sequence[date]) -> list[float]:
    """How many come on each working day: Monday most, few around Tết."""
    weights = [_WEEKDAYS[min(day.weekday(), 4)] for day in days]
    for n in range(1, len(days)):
        if (days[n] - days[n - 1]).days > _LONG_CLOSURE:
            for near in range(max(n - _AROUND, 0), min(n + _AROUND, len(days))):
                weights[near] *= _DIP
    return weights
