"""The last week of the demo's inspection, acted out by the rooms' own verbs, so that every log-in finds work waiting.

Six days ago: a scan, findings given out and sent, tasks given by the leader, a meeting the day before. Since then: some
answers, a conclusion, looks at the tasks. Now: a second scan, a round whose figures are frozen, warnings, notices. What
is said of past days is said of the facts as they stand: an invented province was not known day by day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from motcua.cli import demo_people
from motcua.cli.demo_people import DEPARTMENT
from motcua.inspection.life import Person
from motcua.rules.instants import VIET_NAM, local_day

#: Findings that the demo's ward is asked to explain (walk 7).
_ASKED = 12
_WEEK = timedelta(days=6)
_MAI = Person(name="thanhtra", role="inspector")
_BINH = Person(name="thanhtra2", role="inspector")
_THAI = Person(name="truongphong", role="unit_head", agency=DEPARTMENT)
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Lived:
    """Where the walks through a lived-in house begin: what the rooms now hold."""

    request: int | None
    round: int
    task: int


def live(home: Path, *, at: datetime) -> Lived:
    """Acts the week out; call it once, on facts that were extracted."""
    from motcua.findings import update
    from motcua.notices import telling
    from motcua.warning import scan

    monday = (at - _WEEK).astimezone(VIET_NAM).replace(hour=8, minute=0, second=0, microsecond=0)
    update.run(home, at=monday)
    _letterhead(monday)
    request = _explained(monday, today=at)
    task = _tasks(home, monday, at=at)
    _meetings(home, monday, at=at)
    update.run(home, at=at)
    scan.run(home, at=at)
    number = _round(home, at=at)
    telling.run(home, now=at)
    return Lived(request, number, task)


def _letterhead(at: datetime) -> None:
    """The head that the drafts bear."""
    from motcua.catalogue import settings
    from motcua.web.papers.paper import HEAD

    said = {"parent": "Ủy ban nhân dân tỉnh Mẫu", "agency": "Văn phòng", "place": "Mẫu", "symbol": "VP-KSTT",
            "signer": "Chánh Văn phòng"}  # fmt: skip
    settings.put(HEAD, said, by="quantri", at=at)


# ---- findings ----------------------------------------------------------------------------------------------------


def _explained(monday: datetime, *, today: datetime) -> int | None:
    """Given out and sent; the department has answered three. Returns the request of the ward that waits, if any."""
    from motcua.findings import record, requests
    from motcua.findings.models import Finding

    ward = demo_people.ward()
    asked: dict[str, list[int]] = {}
    for agency in (ward, DEPARTMENT):
        rows = Finding.objects.filter(agency=agency, kind="dossier", state="new").order_by("-rank", "pk")
        asked[agency] = _one_a_dossier(rows.values_list("pk", "subject"))[:_ASKED]
    for agency, inspector in ((ward, _MAI), (DEPARTMENT, _BINH)):
        record.act_on_all(asked[agency], "assigned", by=_MAI, at=monday + _HOUR, body={"to": inspector.name})
    note = "Đề nghị đơn vị giải trình từng hồ sơ, kèm chứng cứ."
    sent = monday + 2 * _HOUR
    days = _days_until_tomorrow(ward, sent, today)
    made = [
        request
        for agency in (ward, DEPARTMENT)
        for request in requests.send(asked[agency], by=_MAI, at=sent, days=days, note=note).requests
    ]
    rest = Finding.objects.filter(kind="dossier", state="new", inspector="").order_by("-rank", "pk")
    left = list(rest.values_list("pk", flat=True)[: 2 * _ASKED])
    for numbers, inspector in ((left[::2], _MAI), (left[1::2], _BINH)):
        record.act_on_all(numbers, "assigned", by=_MAI, at=sent, body={"to": inspector.name})
    _answered(asked[DEPARTMENT][:3], sent + timedelta(days=1))
    return next((request.pk for request in made if request.agency == ward), None)


def _one_a_dossier(rows: Any) -> list[int]:
    """The first finding of each dossier: whoever answers is not asked twice about one."""
    found: dict[str, int] = {}
    for number, subject in rows:
        found.setdefault(subject, number)
    return list(found.values())


def _days_until_tomorrow(agency: str, sent: datetime, today: datetime) -> int:
    """In how many working days an answer is due on the next working day: near, not past."""
    from motcua.findings import requests

    calendar = requests.calendar_of(agency)
    next_day = calendar.add_workdays(local_day(today), 1)
    return next(n for n in range(1, 30) if calendar.add_workdays(local_day(sent), n) >= next_day)


def _answered(numbers: Sequence[int], at: datetime) -> None:
    """What the department said of its first: a document that overturns, a fault admitted, one that waits to be read."""
    from motcua.findings import record
    from motcua.rules.instants import iso

    dated = local_day(at - timedelta(days=12)).isoformat()
    answers = (
        {"reason": "other_evidence", "text": "Kết quả đã ký và trả trước hẹn; gửi kèm số, ngày văn bản.",
         "number": "128/SNV-VP", "dated_on": dated},
        {"reason": "admitted", "text": "Công chức bấm kết thúc chậm sau khi đã trả kết quả.",
         "remedy": "Nhắc công chức, kiểm tra cuối mỗi ngày."},
        {"reason": "system", "text": "Phần mềm một cửa không gửi bước kết thúc lên Cổng quốc gia."},
    )  # fmt: skip
    for number, answer in zip(numbers, answers, strict=False):
        record.act(number, "drafted", by=_THAI, at=at, body=answer)
        record.act(number, "answered", by=_THAI, at=at + 5 * _MINUTE)
    concluded: tuple[dict[str, Any], ...] = (
        {"outcome": "overturned", "note": "Văn bản trả kết quả có trước hẹn: dấu hiệu không đúng."},
        {"outcome": "violation", "note": "Đơn vị nhận; thời điểm bấm sau chứng cứ.",
         "remedy_due_at": iso(at + timedelta(days=14))},
    )  # fmt: skip
    for number, body in zip(numbers, concluded, strict=False):
        record.act(number, "concluded", by=_BINH, at=at + timedelta(days=1), body=body)


# ---- tasks, meetings, a round -------------------------------------------------------------------------------------


def _tasks(home: Path, monday: datetime, *, at: datetime) -> int:
    """Three tasks of the leader, looked at since: one runs, one is near its day, one is late. Returns the near one."""
    from motcua.directives import orders, progress

    ward, given = demo_people.ward(), monday + 3 * _HOUR
    today = local_day(at)

    def most(metric: str) -> list[str]:
        parts = orders.units_concerned(home, metric, cause="", period="", at=given).parts
        return sorted(parts, key=lambda agency: (-parts[agency].value, agency))[:4] or [ward]

    by: dict[str, Any] = {"by": "lanhdao", "at": given}
    orders.give(
        title="Gửi lại hết hồ sơ chưa đồng bộ lên Cổng quốc gia", metric="not_synchronised", target=0,
        agencies=most("not_synchronised"), due_on=today + timedelta(days=8), **by,
    )  # fmt: skip
    near = orders.give(
        title="Không còn hồ sơ quá hạn đang giải quyết trên Cổng", metric="shown_overdue", target=0, each=True,
        agencies=sorted({*most("shown_overdue"), ward}), due_on=today + timedelta(days=2),
        note="Rà từng hồ sơ; hồ sơ đã trả thì gửi cập nhật ngay.", **by,
    )  # fmt: skip
    orders.give(
        title="Giảm hồ sơ trễ do bấm chậm còn không quá 2", metric="late_by_clicks", target=2,
        agencies=most("late_by_clicks"), due_on=today - timedelta(days=1), **by,
    )  # fmt: skip
    orders.see(near.pk, agency=ward, by="chutich", at=given + _HOUR)
    orders.answer(
        near.pk, agency=ward, text="Phường đang rà, mỗi chiều gửi cập nhật một lần.", by="chutich", at=given + 2 * _HOUR
    )
    for instant in (given + 3 * _HOUR, at - timedelta(days=1), at):
        progress.look_at_all(home, at=instant)
    return near.pk


def _meetings(home: Path, monday: datetime, *, at: datetime) -> None:
    """The meeting before, with which the next is compared, and the figures of today and of three weeks to that day."""
    from motcua.directives import meetings

    met = monday - timedelta(days=1)
    gathered = meetings.gathered(home, period=None, as_of=met, now=met)
    meetings.keep(gathered, on=local_day(met), period="", by="lanhdao", at=met)
    for weeks in range(4):
        meetings.keep_day(home, at=at - timedelta(weeks=weeks))


def _round(home: Path, *, at: datetime) -> int:
    """A round of two inspectors whose population is frozen: the draw is the walk's (walk 8). Returns its number."""
    from motcua.rounds import freezing, plan

    since = local_day(at - timedelta(days=90))
    made = plan.open_(
        plan.Plan(
            title="Kiểm tra từ xa việc giải quyết hồ sơ ba tháng gần đây", period=f"{since}/{local_day(at)}",
            lead=_BINH.name, members=(_MAI.name,), agencies=(demo_people.ward(), DEPARTMENT), size=20, least=5,
            decision_number="45/QĐ-VP", decision_on=local_day(at - _WEEK),
            grounds="Kế hoạch kiểm tra kiểm soát thủ tục hành chính trong năm.",
        ),
        by=_BINH.name, at=at,
    )  # fmt: skip
    freezing.freeze(made.pk, home=home, by=_BINH.name, at=at)
    return made.pk
