"""A province whose office is honest but for planted signs: each check must find its own, and nothing else.

Rows as another system would hand them over (canonical CSV, the portal's records), so that what a good desk refuses
can be told too. Every planted sign names its check and subject; units and officials are planted where a check needs
many cases.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from motcua.rules.clock import Allotted, due_at
from motcua.rules.instants import VIET_NAM, local_day
from motcua.rules.workdays import WorkCalendar, viet_nam

#: Procedures: code → published limit, its steps with their limits, whether it has a fee.
PROCEDURES: dict[str, tuple[str, tuple[tuple[str, str], ...], bool]] = {
    "9.880001": ("5d", (("Chuyển hồ sơ", "4h"), ("Thẩm định", "28h"), ("Trình ký", "8h")), False),
    "9.880002": ("10d", (("Chuyển hồ sơ", "4h"), ("Thẩm định", "68h"), ("Trình ký", "8h")), True),
    "9.880003": ("3d", (("Chuyển hồ sơ", "4h"), ("Thẩm định", "12h"), ("Trình ký", "8h")), False),
}
#: A procedure whose steps do not sum to its limit, and which the portal publishes without its sequence.
ODD_PROCEDURE = "9.880004"
FEE = 50_000
FORM, PAPER, STRANGE, RESULT = "GT-DON", "GT-01", "GT-LA", "KQ-01"
SINCE, UNTIL = date(2026, 3, 2), datetime(2026, 6, 30, 9, 0, tzinfo=VIET_NAM)
ADMINISTRATOR = "quantri.tinh"
#: An account by which a machine posts results.
MACHINE = "tudong.ketqua"
_WORDS = ("bản vẽ", "giấy chứng nhận", "hợp đồng", "sơ đồ", "biên bản", "giấy ủy quyền", "ảnh chụp", "bản kê")


@dataclass(slots=True, kw_only=True)
class Told:
    """One event: who entered what, when it is stated to have happened and when it was entered."""

    kind: str
    at: datetime
    recorded_at: datetime
    actor: str
    step: str = ""
    due_at: datetime | None = None
    evidence_at: datetime | None = None
    document: str = ""  # "yes", "no", or unknown
    note: str = ""


@dataclass(slots=True, kw_only=True)
class Dossier:
    """A dossier with its events, its papers as the portal has them, and what was paid."""

    code: str
    procedure: str
    agency: str
    official: str
    channel: str
    applicant: str
    submitter: str = ""
    submitted_at: datetime | None = None
    received_at: datetime
    due_at: datetime | None
    events: list[Told] = field(default_factory=list)
    papers: list[tuple[str, bool]] = field(default_factory=lambda: [(FORM, True), (PAPER, True)])
    result: bool = True
    by_post: bool = False
    paid: str = ""  # "online", "desk", or nothing
    arrives_after: int = 5  # minutes from the entry of its end to the portal


Outage = tuple[str, str, datetime, datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """The whole: dossiers, and the signs to be found as (check, subject).

    `outages`: (agency, system, from, to, caught up) of each known outage; `asked`: agencies that let the date
    of a request for an explanation pass; `petitions`: rows of a list.
    """

    dossiers: tuple[Dossier, ...]
    signs: frozenset[tuple[str, str]]
    agencies: tuple[str, ...]
    outages: tuple[Outage, ...]
    asked: tuple[str, ...]
    petitions: tuple[dict[str, str], ...]


class Office:
    """Draws honest dossiers of one unit after another; the same for the same seed."""

    def __init__(self, seed: int, units: int) -> None:
        self.draw = random.Random(f"signs {seed}")
        self.calendar: WorkCalendar = viet_nam()
        every = [SINCE + timedelta(days=n) for n in range((UNTIL.date() - SINCE).days)]
        self.days = [day for day in every if self.calendar.is_workday(day)]
        self.agencies = [f"H99.{300 + n}" for n in range(units)]
        self.dossiers: list[Dossier] = []
        self.signs: set[tuple[str, str]] = set()
        self._serial: dict[tuple[str, date], int] = {}
        self._owners = 0

    # ---- pieces --------------------------------------------------------------------------------------------------

    def later(self, at: datetime, minutes: int) -> datetime:
        """Some working minutes later, with seconds of its own."""
        return self.calendar.advance(at.replace(second=0), minutes).replace(second=self.draw.randint(1, 59))

    def owner(self) -> str:
        """A new name."""
        self._owners += 1
        return f"Người mẫu số {self._owners}"

    def open(
        self, agency: str, *, day: date | None = None, procedure: str = "", channel: str = "", official: str = "",
        hour: int | None = None,
    ) -> Dossier:  # fmt: skip
        """A dossier accepted on time, with its slip, passed on within the hour."""
        day = day or self.draw.choice(self.days[:-22])
        procedure = procedure or self.draw.choice(list(PROCEDURES))
        hour = hour or self.draw.choice((8, 8, 9, 9, 10, 14))
        received = datetime(day.year, day.month, day.day, hour, self.draw.randint(0, 40), 1, tzinfo=VIET_NAM)
        limit = Allotted.parse(PROCEDURES.get(procedure, ("5d",))[0])
        number = self._serial[agency, day] = self._serial.get((agency, day), 0) + 1
        channel = channel or self.draw.choice(("online", "online", "desk"))
        dossier = Dossier(
            code=f"{agency}-{day:%y%m%d}-{number:04}", procedure=procedure, agency=agency, channel=channel,
            official=official or f"{agency}.cb{self.draw.randint(1, 2)}", applicant=self.owner(),
            received_at=received, due_at=due_at(received, limit, calendar=self.calendar),
        )  # fmt: skip
        if channel == "online":
            dossier.submitted_at = received - timedelta(minutes=self.draw.randint(5, 25))
        if procedure == "9.880002":
            dossier.paid = "online" if self.draw.random() < 0.8 else "desk"
        self.dossiers.append(dossier)
        return dossier

    def give_back(self, dossier: Dossier) -> None:
        """The number of the newest dossier of its day, for the next one."""
        self._serial[dossier.agency, local_day(dossier.received_at)] -= 1

    def lose(self, agency: str, day: date) -> None:
        """A number that was given and that no dossier bears."""
        self._serial[agency, day] = self._serial.get((agency, day), 0) + 1

    def say(self, dossier: Dossier, kind: str, at: datetime, **facts: Any) -> Told:
        """An act entered within two minutes, unless said otherwise."""
        entered = facts.pop("recorded_at", at + timedelta(seconds=self.draw.randint(1, 110)))
        told = Told(kind=kind, at=at, recorded_at=entered, actor=facts.pop("actor", dossier.official), **facts)
        dossier.events.append(told)
        return told

    def step(self, dossier: Dossier, name: str, at: datetime, minutes: int) -> datetime:
        """A step taken in hand and done."""
        self.say(dossier, "step_started", at, step=name)
        done = self.later(at, minutes)
        self.say(dossier, "step_finished", done, step=name)
        return done

    def passed_on(self, dossier: Dossier) -> datetime:
        """The step of passing on, in the first half hour."""
        return self.step(dossier, "Chuyển hồ sơ", self.later(dossier.received_at, 5), 10)

    def worked(self, dossier: Dossier, at: datetime | None = None, minutes: int | None = None) -> datetime:
        """Appraised and signed, within the limits of both steps."""
        at = at or self.passed_on(dossier)
        span = minutes or self.draw.randint(120, 600)
        at = self.step(dossier, "Thẩm định", self.later(at, 10), span)
        return self.step(dossier, "Trình ký", self.later(at, 10), self.draw.randint(20, 120))

    def end(self, dossier: Dossier, at: datetime, *, returned: bool = True, **facts: Any) -> Told:
        """Finished with the result signed just before; handed over the next day."""
        facts.setdefault("evidence_at", at - timedelta(minutes=2))
        told = self.say(dossier, "finished", at, **facts)
        if returned:
            self.say(dossier, "returned", self.later(at, self.draw.randint(60, 400)))
        return told

    def honest(self, agency: str, **facts: Any) -> Dossier:
        """A dossier without any sign."""
        dossier = self.open(agency, **facts)
        self.end(dossier, self.later(self.worked(dossier), 3))
        return dossier

    def asked(self, dossier: Dossier, at: datetime, *, note: str = "", answer: int = 300, **facts: Any) -> datetime:
        """One lawful request, answered some working minutes later."""
        words = note or f"Bổ sung {self.draw.choice(_WORDS)} và {self.draw.choice(_WORDS)} lần {self._owners}"
        facts.setdefault("document", "yes")
        self.say(dossier, "supplement_requested", at, note=words, **facts)
        back = self.later(at, answer)
        self.say(dossier, "supplement_received", back)
        return back

    def supplemented(self, agency: str, **facts: Any) -> Dossier:
        """Asked for papers once, in time, in writing."""
        note = facts.pop("note", "")
        dossier = self.open(agency, **facts)
        asked = self.later(self.passed_on(dossier), 30)
        back = self.asked(dossier, asked, note=note)
        self.end(dossier, self.later(self.worked(dossier, back, 200), 3))
        return dossier

    def late(self, agency: str, *, apology: bool = False, **facts: Any) -> Dossier:
        """Late by a day, whoever counts; apologised for in time or not."""
        dossier = self.open(agency, **facts)
        assert dossier.due_at is not None
        at = self.passed_on(dossier)
        while self.calendar.minutes_between(at, dossier.due_at) > 900:
            at = self.later(at, 600)
            self.say(dossier, "step_started", at, step="Xem xét")
        at = self.later(dossier.due_at, 480)
        self.end(dossier, at)
        self.find("overdue", dossier)
        self.find("no_apology", dossier)
        return dossier

    def find(self, check: str, subject: Dossier | str) -> None:
        """What must be found."""
        self.signs.add((check, subject if isinstance(subject, str) else subject.code))


# ---- dossiers --------------------------------------------------------------------------------------------------------

Story = Callable[[Office, str], None]
STORIES: dict[str, Story] = {}


def _story(check: str) -> Callable[[Story], Story]:
    def keep(story: Story) -> Story:
        STORIES[check] = story
        return story

    return keep


@_story("answered_late")
def _answered_late(office: Office, agency: str) -> None:
    dossier = office.honest(agency, channel="online")
    dossier.submitted_at = dossier.received_at - timedelta(days=5)
    office.find("answered_late", dossier)


@_story("no_slip")
def _no_slip(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880002")
    office.end(dossier, office.later(office.worked(dossier, minutes=600), 3))  # not the same day
    dossier.due_at = None
    office.find("no_slip", dossier)


@_story("received_outside")
def _received_outside(office: Office, agency: str) -> None:
    dossier = office.open(agency)
    signed = office.later(dossier.received_at, 60)
    office.say(dossier, "received", dossier.received_at, recorded_at=office.later(signed, 90))
    at = office.later(office.worked(dossier, office.later(signed, 150)), 3)
    office.end(dossier, at, evidence_at=signed)
    office.find("received_outside", dossier)


@_story("transferred_late")
def _transferred_late(office: Office, agency: str) -> None:
    dossier = office.open(agency, channel="desk")
    at = office.step(dossier, "Chuyển hồ sơ", office.later(dossier.received_at, 520), 10)
    office.end(dossier, office.later(office.worked(dossier, at, 200), 3))
    office.find("transferred_late", dossier)


@_story("code_day_differs")
def _code_day_differs(office: Office, agency: str) -> None:
    dossier = office.honest(agency)
    day = local_day(dossier.received_at) - timedelta(days=9)
    office.give_back(dossier)
    dossier.code = f"{agency}-{day:%y%m%d}-7{office.draw.randint(100, 999)}"
    office.find("code_day_differs", dossier)


@_story("asked_again")
def _asked_again(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880002")
    back = office.asked(dossier, office.later(office.passed_on(dossier), 30))
    back = office.asked(dossier, office.later(back, 200))
    office.end(dossier, office.later(office.worked(dossier, back, 200), 3))
    office.find("asked_again", dossier)


@_story("asked_late")
def _asked_late(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880002")
    at = office.step(dossier, "Thẩm định", office.later(office.passed_on(dossier), 10), 1000)
    at = office.step(dossier, "Xem xét", at, 1000)
    back = office.asked(dossier, at)
    office.end(dossier, office.later(back, 200))
    office.find("asked_late", dossier)


@_story("asked_without_reason")
def _asked_without_reason(office: Office, agency: str) -> None:
    dossier = office.open(agency)
    back = office.asked(dossier, office.later(office.passed_on(dossier), 30), note="thiếu", document="")
    office.end(dossier, office.later(office.worked(dossier, back, 200), 3))
    office.find("asked_without_reason", dossier)
    office.find("document_unknown", dossier)


@_story("asked_near_due")
def _asked_near_due(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880003", hour=9)
    assert dossier.due_at is not None
    at = office.step(dossier, "Thẩm định", office.later(office.passed_on(dossier), 10), 700)
    office.say(dossier, "step_started", office.later(at, 300), step="Trình ký")
    asked = dossier.due_at - timedelta(minutes=70)
    back = office.asked(dossier, asked, answer=100)
    office.end(dossier, office.later(back, 100))
    office.find("asked_near_due", dossier)
    office.find("paused_in_last_hours", dossier)


@_story("paused_in_last_hours")
def _paused_in_last_hours(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880003", hour=9)
    assert dossier.due_at is not None
    at = office.step(dossier, "Thẩm định", office.later(office.passed_on(dossier), 10), 700)
    office.say(dossier, "step_started", office.later(at, 300), step="Trình ký")
    paused = dossier.due_at - timedelta(minutes=40)
    office.say(dossier, "suspended", paused, document="yes", note=f"Chờ cơ quan phối hợp trả lời {office.owner()}")
    back = office.later(paused, 300)
    office.say(dossier, "resumed", back)
    office.end(dossier, office.later(back, 20))
    office.find("paused_in_last_hours", dossier)


@_story("paused_without_document")
def _paused_without_document(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880002")
    at = office.later(office.passed_on(dossier), 100)
    office.say(dossier, "suspended", at, document="no", note=f"Chờ kết luận của cơ quan khác {office.owner()}")
    back = office.later(at, 300)
    office.say(dossier, "resumed", back)
    office.end(dossier, office.later(office.worked(dossier, back, 200), 3))
    office.find("paused_without_document", dossier)


@_story("waits_too_long")
def _waits_too_long(office: Office, agency: str) -> None:
    dossier = office.open(agency, day=office.days[20])
    office.say(dossier, "supplement_requested", office.later(office.passed_on(dossier), 30), document="yes",
               note=f"Bổ sung bản sao giấy tờ {office.owner()}")  # fmt: skip
    office.find("waits_too_long", dossier)


@_story("paper_not_published")
def _paper_not_published(office: Office, agency: str) -> None:
    dossier = office.honest(agency)
    dossier.papers.append((STRANGE, True))
    office.find("paper_not_published", dossier)


@_story("not_digitised")
def _not_digitised(office: Office, agency: str) -> None:
    dossier = office.honest(agency, channel="desk")
    dossier.papers = [(FORM, True), (PAPER, False)]
    office.find("not_digitised", dossier)


@_story("reuse_ignored")
def _reuse_ignored(office: Office, agency: str) -> None:
    first = office.honest(agency, day=office.days[3], procedure="9.880001")
    again = office.honest(agency, day=office.days[30], procedure="9.880001")
    again.applicant = first.applicant
    office.find("reuse_ignored", again)


@_story("result_not_attached")
def _result_not_attached(office: Office, agency: str) -> None:
    dossier = office.honest(agency)
    dossier.result = False
    office.find("result_not_attached", dossier)


@_story("fee_without_payment")
def _fee_without_payment(office: Office, agency: str) -> None:
    dossier = office.honest(agency, procedure="9.880002")
    dossier.paid = ""
    office.find("fee_without_payment", dossier)


@_story("posted_late")
def _posted_late(office: Office, agency: str) -> None:
    dossier = office.open(agency)
    at = office.later(office.worked(dossier), 3)
    office.end(dossier, at, returned=False)
    office.say(dossier, "returned", office.later(at, 5 * 480))
    dossier.by_post = True
    office.find("posted_late", dossier)


@_story("overdue")
def _overdue(office: Office, agency: str) -> None:
    office.late(agency, procedure="9.880001")


@_story("no_apology")
def _apologised_late(office: Office, agency: str) -> None:
    """Announced on the day itself: too late to be an apology in time, and the new date is kept."""
    dossier = office.open(agency, procedure="9.880001", hour=14)
    assert dossier.due_at is not None
    at = office.passed_on(dossier)
    for _ in range(3):
        at = office.later(at, 600)
        office.say(dossier, "step_started", at, step="Xem xét")
    said = dossier.due_at.replace(hour=8, minute=5)
    office.say(dossier, "extended", said, due_at=office.later(dossier.due_at, 480), document="yes")
    office.end(dossier, office.later(dossier.due_at, 960))
    office.find("overdue", dossier)
    office.find("no_apology", dossier)


@_story("extended_again")
def _extended_again(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880001")
    assert dossier.due_at is not None
    at = office.worked(dossier, None, 300)
    first = office.later(dossier.due_at, 480)
    office.say(dossier, "extended", office.later(at, 30), due_at=first, document="yes")
    office.say(dossier, "extended", office.later(at, 600), due_at=office.later(first, 480), document="yes")
    office.end(dossier, office.later(at, 700))
    office.find("extended_again", dossier)


@_story("due_moved_bare")
def _due_moved_bare(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880001")
    assert dossier.due_at is not None
    at = office.worked(dossier, None, 300)
    office.say(dossier, "extended", office.later(at, 30), due_at=office.later(dossier.due_at, 480), document="no")
    office.end(dossier, office.later(at, 100))
    office.find("due_moved_bare", dossier)


@_story("due_moved_after")
def _due_moved_after(office: Office, agency: str) -> None:
    dossier = office.late(agency, procedure="9.880001")
    assert dossier.due_at is not None
    moved = office.later(dossier.due_at, 60)
    office.say(dossier, "extended", moved, due_at=office.later(dossier.due_at, 1500), document="yes")
    office.signs -= {("overdue", dossier.code), ("no_apology", dossier.code)}
    office.find("overdue", dossier)
    office.find("no_apology", dossier)
    office.find("due_moved_after", dossier)


@_story("no_step_recorded")
def _no_step_recorded(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880001")
    office.end(dossier, office.later(office.passed_on(dossier), 1700))
    office.find("no_step_recorded", dossier)


@_story("steps_at_once")
def _steps_at_once(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880003")
    at = office.later(dossier.received_at, 700)
    for n, name in enumerate(("Thẩm định", "Trình ký")):
        office.say(dossier, "step_started", at + timedelta(seconds=60 * n), step=name)
        office.say(dossier, "step_finished", at + timedelta(seconds=60 * n + 30), step=name)
    office.end(dossier, office.later(at, 5))
    office.find("steps_at_once", dossier)


@_story("step_over_limit")
def _step_over_limit(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880001")
    at = office.step(dossier, "Thẩm định", office.later(office.passed_on(dossier), 10), 300)
    at = office.step(dossier, "Trình ký", office.later(at, 10), 800)
    office.end(dossier, office.later(at, 3))
    office.find("step_over_limit", dossier)


@_story("consultation_unrecorded")
def _consultation_unrecorded(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880001")
    at = office.passed_on(dossier)
    office.say(dossier, "leg_sent", office.later(at, 30), note="Đề nghị cho ý kiến")
    office.end(dossier, office.later(office.worked(dossier, office.later(at, 60), 300), 3))
    office.find("consultation_unrecorded", dossier)


@_story("entered_late")
def _entered_late(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880002")
    at = office.later(office.worked(dossier), 3)
    office.end(dossier, at, returned=False, recorded_at=office.later(at, 700))
    office.say(dossier, "returned", office.later(at, 800))
    office.find("entered_late", dossier)


@_story("impossible_times")
def _impossible_times(office: Office, agency: str) -> None:
    dossier = office.open(agency)
    at = office.later(office.worked(dossier), 60)
    office.end(dossier, at, recorded_at=at - timedelta(minutes=40))
    office.find("impossible_times", dossier)


@_story("end_before_result")
def _end_before_result(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880002")
    at = office.later(office.worked(dossier), 3)
    office.end(dossier, at, evidence_at=office.later(at, 300))
    office.find("end_before_result", dossier)


@_story("work_after_end")
def _work_after_end(office: Office, agency: str) -> None:
    dossier = office.honest(agency, procedure="9.880002")
    end = next(told for told in dossier.events if told.kind == "finished")
    office.step(dossier, "Xem xét", office.later(end.at, 20), 30)
    office.find("work_after_end", dossier)


@_story("end_on_the_second")
def _end_on_the_second(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880003")
    assert dossier.due_at is not None
    at = office.step(dossier, "Thẩm định", office.later(office.passed_on(dossier), 10), 600)
    office.step(dossier, "Trình ký", office.later(at, 200), 200)
    office.end(dossier, dossier.due_at)
    office.find("end_on_the_second", dossier)


@_story("closed_in_seconds")
def _closed_in_seconds(office: Office, agency: str) -> None:
    dossier = office.open(agency)
    at = dossier.received_at + timedelta(seconds=20)
    office.end(dossier, at, evidence_at=None, recorded_at=at + timedelta(seconds=5))
    office.find("closed_in_seconds", dossier)


@_story("forced_by_administrator")
def _forced(office: Office, agency: str) -> None:
    dossier = office.open(agency)
    office.end(dossier, office.later(office.worked(dossier), 3), actor=ADMINISTRATOR)
    office.find("forced_by_administrator", dossier)


@_story("refused_without_reason")
def _refused_without_reason(office: Office, agency: str) -> None:
    dossier = office.open(agency)
    office.say(dossier, "refused", office.later(office.worked(dossier), 3))
    office.find("refused_without_reason", dossier)


@_story("refused_late")
def _refused_late(office: Office, agency: str) -> None:
    dossier = office.late(agency, procedure="9.880001")
    end = next(told for told in dossier.events if told.kind == "finished")
    dossier.events = [told for told in dossier.events if told.kind not in ("finished", "returned")]
    office.say(dossier, "refused", end.at, note="Không đủ điều kiện theo quy định của pháp luật")
    office.find("refused_late", dossier)


@_story("returned_without_end")
def _returned_without_end(office: Office, agency: str) -> None:
    dossier = office.open(agency)
    at = office.worked(dossier)
    office.say(dossier, "returned", office.later(at, 60), evidence_at=at)
    office.find("returned_without_end", dossier)


@_story("result_waits")
def _result_waits(office: Office, agency: str) -> None:
    dossier = office.open(agency, day=office.days[10])
    office.end(dossier, office.later(office.worked(dossier), 3), returned=False)
    office.find("result_waits", dossier)


@_story("refiled")
def _refiled(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880001", day=office.days[12], hour=9)
    assert dossier.due_at is not None
    at = office.passed_on(dossier)
    for _ in range(3):
        at = office.later(at, 550)
        office.say(dossier, "step_started", at, step="Xem xét")
    gone = dossier.due_at - timedelta(minutes=60)
    office.say(dossier, "withdrawn", gone)
    again = office.honest(agency, procedure="9.880001", day=office.days[20])
    again.applicant, again.papers = dossier.applicant, [(FORM, True)]
    office.find("refiled", dossier)


@_story("over_promised")
def _over_promised(office: Office, agency: str) -> None:
    dossier = office.honest(agency)
    assert dossier.due_at is not None
    dossier.due_at = office.later(dossier.due_at, 5 * 480)
    office.find("over_promised", dossier)


@_story("evidence_before_receipt")
def _evidence_before_receipt(office: Office, agency: str) -> None:
    dossier = office.open(agency)
    at = office.later(office.worked(dossier), 3)
    office.end(dossier, at, evidence_at=dossier.received_at - timedelta(days=3))
    office.find("evidence_before_receipt", dossier)


@_story("synchronised_late")
def _synchronised_late(office: Office, agency: str) -> None:
    dossier = office.honest(agency)
    dossier.arrives_after = 30 * 60
    office.find("synchronised_late", dossier)


# ---- units and officials ---------------------------------------------------------------------------------------------


def _units(office: Office) -> None:
    """One unit after another with a habit of its own; each has as many dossiers as the others."""
    names = iter(office.agencies)
    late, asks, silent, month_end, bulk, near, slow, night, rest, filed, counter = (next(names) for _ in range(11))
    for n in range(40):
        if n % 2:
            office.late(late, procedure="9.880001")
        else:
            office.honest(late)
    office.find("late_more_than_peers", late)
    for n in range(40):
        official = f"{asks}.cb1"
        if n % 4:
            office.supplemented(asks, official=official, note="Bổ sung hồ sơ theo quy định hiện hành")
        else:
            office.honest(asks, official=official)
    office.find("asks_more_than_peers", asks)
    office.find("same_pause_text", f"{asks}:{asks}.cb1")
    for n in range(40):
        office.honest(silent, day=office.days[-70 + n])
    waiting = office.open(silent, day=office.days[-28], procedure="9.880002")
    office.passed_on(waiting)
    for check in ("no_step_recorded", "overdue", "no_apology"):
        office.find(check, waiting)
    office.find("unit_silent", silent)
    last = [day for day, after in zip(office.days, office.days[1:], strict=False) if day.month != after.month]
    for n in range(40):
        _ending_on(office, month_end, last[n % len(last)])
    office.find("month_end_closing", month_end)
    burst = office.days[33]
    for n in range(40):
        if n < 16:
            _in_a_burst(office, bulk, burst, n)
        else:
            office.honest(bulk, official=f"{bulk}.cb1")
    office.find("bulk_closing", f"{bulk}:{bulk}.cb1")
    for _ in range(40):
        _just_before_due(office, near)
    office.find("ends_just_before_due", f"{near}:{near}.cb1")
    for _ in range(40):
        _entered_late(office, slow)
    office.find("enters_later_than_peers", slow)
    for n in range(40):
        _at_hour(office, night, f"{night}.cb1" if n % 2 else f"{night}.cb2", night=bool(n % 2))
    office.find("night_clicks", f"{night}:{night}.cb1")
    for n in range(60):
        _on_rest_day(office, rest, f"{rest}.cb1" if n % 2 else f"{rest}.cb2", rest=bool(n % 2))
    office.find("rest_day_clicks", f"{rest}:{rest}.cb1")
    for n in range(40):
        dossier = office.honest(filed, channel="online")
        dossier.submitter = "Người nộp thay" if n < 34 else ""
    office.find("same_submitter", filed)
    for _ in range(40):
        dossier = office.honest(counter, procedure="9.880002")
        dossier.paid = "desk"
    office.find("online_payment_not_offered", counter)


def _ending_on(office: Office, agency: str, day: date) -> None:
    """Received two working days before, ended in the afternoon of this day."""
    start = office.days[office.days.index(day) - 1]
    dossier = office.open(agency, day=start, procedure="9.880003", hour=9)
    at = office.worked(dossier, None, 300)
    end = max(office.later(at, 10), datetime(day.year, day.month, day.day, 14, 30, 5, tzinfo=VIET_NAM))
    office.end(dossier, office.later(end, office.draw.randint(1, 60)))


def _in_a_burst(office: Office, agency: str, day: date, n: int, **facts: Any) -> None:
    start = office.days[office.days.index(day) - 2]
    dossier = office.open(agency, day=start, procedure="9.880001", hour=9, official=f"{agency}.cb1")
    office.worked(dossier, None, 300)
    at = datetime(day.year, day.month, day.day, 15, 0, 3, tzinfo=VIET_NAM) + timedelta(seconds=25 * n)
    office.end(dossier, at, recorded_at=at, **facts)


def _just_before_due(office: Office, agency: str) -> None:
    dossier = office.open(agency, procedure="9.880003", hour=9, official=f"{agency}.cb1")
    assert dossier.due_at is not None
    at = office.step(dossier, "Thẩm định", office.later(office.passed_on(dossier), 10), 600)
    office.step(dossier, "Trình ký", office.later(at, 200), 200)
    office.end(dossier, dossier.due_at - timedelta(minutes=office.draw.randint(2, 9), seconds=7))


def _at_hour(office: Office, agency: str, official: str, *, night: bool) -> None:
    dossier = office.open(agency, official=official)
    at = office.worked(dossier)
    end = at.replace(hour=23) if night else office.later(at, 3)
    office.end(dossier, end)


def _on_rest_day(office: Office, agency: str, official: str, *, rest: bool) -> None:
    friday = next(day for day in office.days[office.draw.randint(5, 55) :] if day.weekday() == 4)
    saturday = friday + timedelta(days=1)
    if office.calendar.is_workday(saturday):
        rest = False
    dossier = office.open(agency, day=friday, official=official, hour=8, procedure="9.880002")
    at = office.worked(dossier, None, 100)
    morning = datetime(saturday.year, saturday.month, saturday.day, 9, 5, 9, tzinfo=VIET_NAM)
    end = morning if rest else office.later(at, 9)
    office.end(dossier, end)


def planted(*, seed: int = 7, units: int = 27, each: int = 40, copies: int = 2) -> Planted:
    """The province: every story `copies` times, the planted units, honest dossiers in all others."""
    office = Office(seed, units)
    _units(office)
    plain = office.agencies[11:]
    for agency in plain:
        for k in range(each):
            if k % 20 == 19:
                office.supplemented(agency)
            else:
                office.honest(agency, day=office.days[-1] if k == 0 else None)
    spread = plain[2:]
    for n, story in enumerate(list(STORIES.values()) * copies):
        story(office, spread[n % len(spread)])
    _shared(office, plain[0], plain[1])
    for n in range(3):
        office.honest(plain[n], procedure=ODD_PROCEDURE)
    office.find("procedure_incomplete", ODD_PROCEDURE)
    office.find("process_differs", ODD_PROCEDURE)
    day = office.days[30]
    office.honest(plain[4], day=day)
    office.lose(plain[4], day)
    office.honest(plain[4], day=day)
    office.find("serial_gap", plain[4])
    office.find("question_unanswered", plain[5])
    for n in range(16):  # no sign: a machine posts results
        _in_a_burst(office, plain[6], office.days[36], n, actor=MACHINE)
    petitions = _petitions(office, plain[9], plain[10])
    outages = (_through_an_outage(office, plain[7]), _while_the_portal_was_down(office, plain[8]))
    for dossier in office.dossiers:
        dossier.events = [told for told in dossier.events if told.at <= UNTIL and told.recorded_at <= UNTIL]
    return Planted(
        dossiers=tuple(office.dossiers), signs=frozenset(office.signs), agencies=tuple(office.agencies),
        outages=outages, asked=(plain[5],), petitions=petitions,
    )  # fmt: skip


def _petitions(office: Office, late: str, honest: str) -> tuple[dict[str, str], ...]:
    """One agency answers after 16 working days; the other in time, or passed it on, or waits for the person."""
    office.find("petition_late", late)

    def row(code: str, agency: str, **after: int) -> dict[str, str]:
        days = {name: f"{office.days[20 + n]}T10:00+07:00" for name, n in after.items()}
        return {"petition": code, "agency": agency, "received_at": f"{office.days[20]}T08:00+07:00", **days}

    return (
        row("PAKN-1", late, answered_at=16), row("PAKN-2", late, answered_at=15, published_at=17),
        row("PAKN-3", honest, answered_at=15, published_at=17), row("PAKN-4", honest, transferred_at=30),
        row("PAKN-5", honest, asked_at=5), row("PAKN-6", honest, refused_at=2),
    )  # fmt: skip


def _while_the_portal_was_down(office: Office, agency: str) -> Outage:
    """An end that took more than a day to the portal, which was down for hours of it: no sign."""
    dossier = office.honest(agency, day=office.days[22])
    dossier.arrives_after = 28 * 60
    end = next(told for told in dossier.events if told.kind == "finished").recorded_at
    start, back = end + timedelta(hours=1), end + timedelta(hours=7)
    return agency, "portal", start, back, back


def _through_an_outage(office: Office, agency: str) -> Outage:
    """Work on paper while the software was down for two days, entered within the hour after: no sign."""
    first, second = office.days[25], office.days[26]
    start = datetime(first.year, first.month, first.day, 7, 0, tzinfo=VIET_NAM)
    end = datetime(second.year, second.month, second.day, 15, 0, tzinfo=VIET_NAM)
    for _ in range(3):
        dossier = office.open(agency, day=first, procedure="9.880002", hour=8)
        office.say(dossier, "received", dossier.received_at)
        at = office.later(office.worked(dossier, minutes=600), 3)
        office.end(dossier, at)
        for n, told in enumerate(dossier.events):
            told.recorded_at = max(told.recorded_at, end + timedelta(minutes=10, seconds=7 * n))
    return agency, "software", start, end, end + timedelta(days=1)


def _shared(office: Office, here: str, there: str) -> None:
    for n in range(4):
        day = office.days[20 + n]
        for agency, minutes in ((here, 0), (there, 4)):
            dossier = office.open(agency, day=day, official="dungchung", hour=9, channel="desk")
            dossier.received_at = dossier.received_at.replace(minute=10 + minutes)
            at = office.passed_on(dossier)
            for told in dossier.events:
                told.actor = "dungchung"
            dossier.official = f"{agency}.cb1"
            office.end(dossier, office.later(office.worked(dossier, at), 3))
    office.find("shared_account", "dungchung")
