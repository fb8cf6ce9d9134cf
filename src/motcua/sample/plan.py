"""Plans what happens to each dossier, and which faults are planted where, and how they really happen.

Honest dossiers come out without any cause: what the portal shows by its rule, what the record says and what is
true agree. Each fault stands at a known dossier with the leg and cause under which it must be found.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from motcua.rules.clock import Allotted, due_at
from motcua.rules.instants import local_day
from motcua.rules.workdays import WorkCalendar, viet_nam
from motcua.sample.province import Agency, Procedure, Province, person


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act at the desk: a verb of `rules.moves`, when it is stated to have happened, when it was entered."""

    verb: str
    at: datetime
    recorded_at: datetime
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A dossier and what is going to happen to it."""

    code: str
    procedure: Procedure
    agency: Agency
    channel: str
    applicant: str
    official: str
    submitted_at: datetime
    due_at: datetime
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A planted fault: where, and as what it must be found. `how` names what really goes wrong on the wire."""

    dossier: str
    leg: str
    cause: str
    how: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole province's months."""

    province: Province
    dossiers: tuple[Planned, ...]
    faults: tuple[Fault, ...]
    since: datetime
    until: datetime


#: What goes wrong on the wire, or at a client; the record leg's faults go wrong at the desk.
_WIRE = (
    "update_not_sent", "update_refused", "accepted_not_shown", "step_lost", "only_return_sent", "status_unmapped",
    "clock_shift", "clock_shift_12", "closed_early_there", "finish_differs", "pause_not_carried", "due_not_carried",
    "rule_differs_supplement", "rule_differs_payment", "missing_there", "duplicate_there", "misplaced_there",
)  # fmt: skip
_DESK = (
    "late_entry", "step_skipped", "back_dated", "due_moved_late", "due_moved_no_letter", "due_moved_again",
    "pause_unlawful_no_document", "pause_unlawful_late", "pause_unlawful_again",
)  # fmt: skip
KINDS = (*_WIRE, *_DESK)

_HOURS = (7, 7, 8, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 13, 14, 14, 14, 15, 15, 15, 16)
_WEEKDAYS = (1.35, 1.1, 1.0, 0.95, 0.9)


class _Planner:
    def __init__(self, province: Province, count: int, seed: int, since: datetime, until: datetime, each: int) -> None:
        self.province, self.count, self.since, self.until, self.each = province, count, since, until, each
        self.draw = random.Random(f"plan {seed}")
        self.calendar: WorkCalendar = viet_nam()
        self.serial: dict[tuple[str, str], int] = {}
        self.faults: list[Fault] = []
        days = (local_day(until) - local_day(since)).days
        all_days = [local_day(since) + timedelta(days=n) for n in range(days)]
        self.days = [day for day in all_days if self.calendar.is_workday(day)]
        self.day_weights = [_WEEKDAYS[min(day.weekday(), 4)] for day in self.days]
        self.by_level = {
            level: [a for a in province.agencies if a.level == level] for level in ("department", "commune")
        }
        self.officials = {a.code: [person(self.draw) for _ in range(3)] for a in province.agencies}

    # ---- small pieces ------------------------------------------------------------------------------------------

    def _after(self, at: datetime, low: int, high: int) -> datetime:
        """Some working minutes later."""
        return self.calendar.advance(self.calendar.opening_at_or_after(at), self.draw.randint(low, max(low, high)))

    def _entered(self, at: datetime) -> datetime:
        """Mostly at once, sometimes a little later: a click is not an act."""
        late = self.draw.random()
        return at if late < 0.8 else at + timedelta(minutes=self.draw.randint(1, 45))

    def _act(self, verb: str, at: datetime, *, recorded_at: datetime | None = None, **facts: Any) -> Act:
        return Act(verb=verb, at=at, recorded_at=recorded_at or self._entered(at), facts=facts)

    def _arrival(self, latest: int | None = None) -> datetime:
        days = self.days[:latest] if latest is not None else self.days
        day = self.draw.choices(days, self.day_weights[: len(days)])[0]
        at = datetime(day.year, day.month, day.day, self.draw.choice(_HOURS), self.draw.randint(0, 29),
                      tzinfo=self.since.tzinfo)  # fmt: skip
        return self.calendar.opening_at_or_after(at)

    def _start(self, *, latest: int | None = None, days: tuple[int, int] = (1, 99), pays: bool = False) -> Planned:
        """A dossier that has been accepted; `days` bounds its limit."""
        fitting = [
            p
            for p in self.province.procedures
            if days[0] <= int(p.allotted[:-1]) <= days[1] and (not pays or p.payment_pauses)
        ]
        procedure = self.draw.choice(fitting)
        agencies = self.by_level[procedure.level]
        agency = self.draw.choices(agencies, [a.weight for a in agencies])[0]
        received = self._arrival(latest)
        channel = self.draw.choices(("online", "desk", "post"), (0.7, 0.27, 0.03))[0]
        submitted = received
        if channel == "online":
            submitted = received - timedelta(minutes=self.draw.randint(2, 200))
        day = f"{local_day(received):%y%m%d}"
        serial = self.serial[agency.code, day] = self.serial.get((agency.code, day), 0) + 1
        due = due_at(received, Allotted.parse(procedure.allotted), calendar=self.calendar, mode=procedure.mode)
        official = self.draw.choice(self.officials[agency.code])
        return Planned(
            code=f"{agency.code}-{day}-{serial:04}", procedure=procedure, agency=agency, channel=channel,
            applicant=person(self.draw), official=official, submitted_at=submitted, due_at=due,
            acts=(self._act("receive", received, recorded_at=received),),
        )  # fmt: skip

    def _with(self, dossier: Planned, acts: list[Act]) -> Planned:
        """The dossier with these acts, as far as they happen before the end of the plan."""
        kept = [act for act in (*dossier.acts, *acts) if act.recorded_at <= self.until]
        return Planned(**{**{n: getattr(dossier, n) for n in Planned.__slots__}, "acts": tuple(kept)})

    def _steps(self, dossier: Planned, start: datetime, end: datetime) -> list[Act]:
        """The internal steps between two instants, evenly spread over the working time."""
        names = dossier.procedure.steps
        total = self.calendar.minutes_between(start, end)
        if total < 4 * len(names):
            return []
        acts, at = [], start
        for name in names:
            begin = self.calendar.advance(at, max(total // (6 * len(names)), 1))
            done = self.calendar.advance(begin, max(total // (2 * len(names)), 1))
            acts += [self._act("start_step", begin, recorded_at=begin, step=name),
                     self._act("finish_step", done, recorded_at=done, step=name)]  # fmt: skip
            at = done
        return acts

    def _finish_between(self, dossier: Planned, low: float, high: float, due: datetime | None = None) -> datetime:
        """An instant at such a share of the time from receipt to the due instant."""
        received = dossier.acts[0].at
        total = max(self.calendar.minutes_between(received, due or dossier.due_at), 10)
        return self.calendar.advance(received, max(int(total * self.draw.uniform(low, high)), 5))

    # ---- honest dossiers ---------------------------------------------------------------------------------------

    def honest(self) -> Planned:
        """A dossier on whose lateness all three sides agree."""
        kind = self.draw.random()
        if kind < 0.05:
            return self._truly_late()
        if kind < 0.15:
            return self._supplemented()
        if kind < 0.18:
            return self._suspended()
        if kind < 0.20:
            return self._extended()
        if kind < 0.22:
            return self._withdrawn()
        dossier = self._start()
        end = self._finish_between(dossier, 0.25, 0.92)
        acts = [*self._steps(dossier, dossier.acts[0].at, end)]
        acts.append(self._act("finish", end, evidence_at=end if self.draw.random() < 0.5 else None))
        if self.draw.random() < 0.85:
            acts.append(self._act("return_result", self._after(end, 30, 900)))
        return self._with(dossier, acts)

    def _truly_late(self) -> Planned:
        dossier = self._start()
        end = self._finish_between(dossier, 1.1, 1.9)
        acts = [*self._steps(dossier, dossier.acts[0].at, end), self._act("finish", end)]
        return self._with(dossier, acts)

    def _supplement(self, dossier: Planned) -> tuple[list[Act], datetime, datetime]:
        """One lawful round: its acts, the answer, the due instant after it."""
        received = dossier.acts[0].at
        asked = self._after(received, 60, 600)
        answered = self._after(asked, 300, 2000)
        due = due_at(
            answered, Allotted.parse(dossier.procedure.allotted), calendar=self.calendar, mode=dossier.procedure.mode
        )
        acts = [self._act("request_supplement", asked, recorded_at=asked, document=True),
                self._act("receive_supplement", answered, recorded_at=answered)]  # fmt: skip
        return acts, answered, due

    def _supplemented(self) -> Planned:
        dossier = self._start(days=(2, 99))
        acts, answered, due = self._supplement(dossier)
        total = max(self.calendar.minutes_between(answered, due), 20)
        end = self.calendar.advance(answered, max(int(total * self.draw.uniform(0.3, 0.9)), 5))
        acts += [*self._steps(dossier, answered, end), self._act("finish", end, recorded_at=end)]
        return self._with(dossier, acts)

    def _suspended(self) -> Planned:
        dossier = self._start(days=(5, 99), latest=max(len(self.days) - 25, 1))
        received = dossier.acts[0].at
        begin = self._after(received, 100, 700)
        over = self._after(begin, 200, 1500)
        due = self.calendar.advance(dossier.due_at, self.calendar.minutes_between(begin, over))
        end = self.calendar.advance(over, max(int(self.calendar.minutes_between(over, due) * 0.7), 5))
        return self._with(
            dossier,
            [
                self._act("suspend", begin, recorded_at=begin, reason="chờ cơ quan phối hợp", document=True),
                self._act("resume", over, recorded_at=over),
                self._act("finish", end, recorded_at=end),
            ],
        )

    def _extended(self) -> Planned:
        dossier = self._start(days=(7, 99), latest=max(len(self.days) - 25, 1))
        said = self._finish_between(dossier, 0.4, 0.6)
        due = self.calendar.closing(self.calendar.add_workdays(local_day(dossier.due_at), 5))
        end = self.calendar.advance(dossier.due_at, self.draw.randint(200, 1200))
        return self._with(
            dossier,
            [
                self._act("extend", said, recorded_at=said, due_at=due, document=True),
                self._act("finish", end, recorded_at=end),
            ],
        )

    def _withdrawn(self) -> Planned:
        dossier = self._start(days=(2, 99))
        at = self._finish_between(dossier, 0.2, 0.7)
        return self._with(dossier, [self._act("withdraw", at, recorded_at=at)])

    # ---- planted faults ----------------------------------------------------------------------------------------

    def planted(self, kind: str) -> Planned:
        """A dossier with a fault of this kind, and the fault in the plan."""
        early = max(len(self.days) - 30, 2)
        shortest = 5 if kind == "pause_unlawful_late" else 3
        dossier = self._start(latest=early, days=(shortest, 10), pays=kind == "rule_differs_payment")
        received, due = dossier.acts[0].at, dossier.due_at
        on_time = self._finish_between(dossier, 0.4, 0.8)
        late = self.calendar.advance(due, self.draw.randint(300, 900))
        acts: list[Act] = []
        leg, cause = ("sync" if kind in _WIRE else "record"), kind
        facts: dict[str, Any] = {}

        def finish(at: datetime, **more: Any) -> None:
            acts.append(self._act("finish", at, recorded_at=more.pop("recorded_at", at), **more))

        match kind:
            case "update_not_sent" | "update_refused" | "accepted_not_shown" | "step_lost":
                finish(on_time)
            case "only_return_sent":
                finish(on_time)
                acts.append(self._act("return_result", late, recorded_at=late))
            case "status_unmapped":
                acts.append(self._act("stop", on_time, recorded_at=on_time, reason="có văn bản"))
            case "clock_shift" | "clock_shift_12":
                cause = "clock_shift"
                end = due - timedelta(hours=1)
                finish(end)
                facts = {"hours": 7 if kind == "clock_shift" else 12}
            case "closed_early_there" | "missing_there":
                finish(late)
            case "finish_differs":
                finish(on_time)
                facts = {"there": late}
            case "duplicate_there":
                finish(on_time)
            case "misplaced_there":
                finish(self._finish_between(dossier, 0.8, 0.95))
            case "pause_not_carried":
                round_, answered, moved = self._supplement(dossier)
                acts += round_
                finish(max(self.calendar.advance(due, 30), self.calendar.advance(answered, 30)))
                if acts[-1].at >= moved:
                    acts[-1] = self._act("finish", self.calendar.advance(due, 5), recorded_at=moved)
            case "due_not_carried":
                said = self._finish_between(dossier, 0.2, 0.4)
                new = self.calendar.closing(self.calendar.add_workdays(local_day(due), 5))
                acts.append(self._act("extend", said, recorded_at=said, due_at=new, document=True))
                finish(late)
            case "rule_differs_supplement":
                cause = "rule_differs"
                round_, answered, _ = self._supplement(dossier)
                again = self._after(answered, 60, 200)
                acts += round_
                acts.append(self._act("request_supplement", again, recorded_at=again, document=True, exception=True))
            case "rule_differs_payment":
                cause = "rule_differs"
                asked = self._finish_between(dossier, 0.3, 0.6)
                acts.append(self._act("request_payment", asked, recorded_at=asked, document=True))
            case "late_entry":
                finish(late, evidence_at=on_time)
            case "back_dated":
                finish(on_time, evidence_at=late, recorded_at=late)
            case "step_skipped":
                begin = self.calendar.advance(received, 30)
                acts.append(self._act("start_step", begin, recorded_at=begin, step="Trình ký"))
                acts.append(
                    self._act("finish_step", on_time, recorded_at=on_time, step="Trình ký", evidence_at=on_time)
                )
            case "due_moved_late" | "due_moved_no_letter" | "due_moved_again":
                cause = "due_moved"
                new = self.calendar.closing(self.calendar.add_workdays(local_day(due), 5))
                said = due - timedelta(minutes=30) if kind == "due_moved_late" else on_time
                if kind == "due_moved_again":
                    first = self._finish_between(dossier, 0.1, 0.3)
                    middle = self.calendar.closing(self.calendar.add_workdays(local_day(due), 1))
                    acts.append(self._act("extend", first, recorded_at=first, due_at=middle, document=True))
                    late = self.calendar.advance(middle, self.draw.randint(200, 700))
                acts.append(
                    self._act("extend", said, recorded_at=said, due_at=new, document=kind != "due_moved_no_letter")
                )
                finish(late)
            case _:
                cause = "pause_unlawful"
                acts += self._unlawful(kind, dossier)
                last = acts[-1].at
                if kind == "pause_unlawful_again":  # the first round is lawful and starts the limit anew
                    limit, mode = Allotted.parse(dossier.procedure.allotted), dossier.procedure.mode
                    due = max(due, due_at(acts[1].at, limit, calendar=self.calendar, mode=mode))
                finish(max(self.calendar.advance(due, 20), self.calendar.advance(last, 20)))
        planned = self._with(dossier, acts)
        if kind == "rule_differs_supplement":  # its second request earns no credit in truth
            self.faults.append(Fault(dossier=planned.code, leg="record", cause="pause_unlawful"))
        self.faults.append(Fault(dossier=planned.code, leg=leg, cause=cause, how=kind, facts=facts))
        return planned

    def _unlawful(self, kind: str, dossier: Planned) -> list[Act]:
        received = dossier.acts[0].at
        if kind == "pause_unlawful_no_document":
            begin = self._after(received, 60, 300)
            over = self.calendar.advance(begin, 600)
            return [self._act("suspend", begin, recorded_at=begin, reason="chờ xác minh", document=False),
                    self._act("resume", over, recorded_at=over)]  # fmt: skip
        if kind == "pause_unlawful_late":
            asked_by = self.calendar.closing(
                self.calendar.add_workdays(local_day(self.calendar.normalise(received)), 3)
            )
            asked = self.calendar.advance(asked_by, 30)
            over = self.calendar.advance(asked, 900)
            return [self._act("request_supplement", asked, recorded_at=asked, document=True),
                    self._act("receive_supplement", over, recorded_at=over)]  # fmt: skip
        first = self.calendar.advance(received, 20)
        back = self.calendar.advance(first, 30)
        again = self.calendar.advance(back, 200)
        over = self.calendar.advance(again, 900)
        return [
            self._act("request_supplement", first, recorded_at=first, document=True),
            self._act("receive_supplement", back, recorded_at=back),
            self._act("request_supplement", again, recorded_at=again, document=True, exception=True),
            self._act("receive_supplement", over, recorded_at=over),
        ]

    def run(self) -> Iterator[Planned]:
        """Every dossier: the planted ones first, then honest ones up to the count."""
        planted = 0
        for kind in KINDS:
            for _ in range(self.each):
                yield self.planted(kind)
                planted += 1
        for _ in range(max(self.count - planted, 0)):
            yield self.honest()


def plan(province: Province, *, count: int, seed: int, since: datetime, until: datetime, each: int = 3) -> Plan:
    """A plan of `count` dossiers with each kind of fault planted `each` times; the same for the same arguments."""
    planner = _Planner(province, count, seed, since, until, each)
    dossiers = tuple(planner.run())
    lonely = [
        Fault(
            dossier=f"H99.01-{planner.days[0]:%y%m%d}-{9000 + n}",
            leg="sync", cause="missing_here", how="missing_here", facts={"on": planner.days[0]},
        )
        for n in range(each)
    ]  # fmt: skip
    return Plan(province=province, dossiers=dossiers, faults=(*planner.faults, *lonely), since=since, until=until)
