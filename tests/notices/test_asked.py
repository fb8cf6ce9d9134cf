"""What findings and rounds ask is told: to the unit, to the inspector, each thing once, numbers alone."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.findings import small
from tests.findings.small import NOW
from tests.rounds import planned
from tests.rounds.planned import DRAWN

from motcua.accounts.models import Post, User
from motcua.findings import record, requests
from motcua.findings.models import Finding, Request
from motcua.inspection.life import Person
from motcua.notices import telling
from motcua.notices.models import Notice
from motcua.rounds import explanations
from motcua.rules.instants import local_day
from motcua.web.notices import words

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
HOUR = timedelta(hours=1)
INSPECTOR = Person(name="thanh-tra", role="inspector")
HEAD = Person(name="phuong", role="unit_head", agency="H99.12")


def _told(kind: str) -> list[str]:
    return sorted(Notice.objects.filter(kind=kind).values_list("person", flat=True))


def _people() -> None:
    for name, role, agency in (
        ("thanh-tra", "inspector", ""), ("khac", "inspector", ""), ("phuong", "unit_head", "H99.12"),
        ("dau-moi", "focal_point", "H99.12"), ("xa", "unit_head", "H99.13"), ("can-bo", "officer", "H99.12"),
    ):  # fmt: skip
        Post.objects.create(user=User.objects.create(username=name), role=role, agency=agency)


def test_a_request_is_told_from_its_sending_to_its_end(home: Path, tmp_path: Path) -> None:
    small.province(home, tmp_path)
    small.scanned(home)
    _people()
    telling.run(home, now=NOW)
    Notice.objects.all().delete()
    mine = list(Finding.objects.filter(agency="H99.12").order_by("pk"))
    requests.send([row.pk for row in mine], by=INSPECTOR, at=NOW)
    request = Request.objects.get()
    assert telling._asked(NOW + HOUR) == 2 and _told("explain") == ["dau-moi", "phuong"]
    assert telling._asked(NOW + HOUR) == 0, "told once"
    notice = Notice.objects.filter(kind="explain")[0]
    said = words.told(notice)
    assert said["text"] == (
        f"Phường Mẫu. Yêu cầu số {request.pk}: {len(mine)} phát hiện phải giải trình, "
        f"hạn {local_day(request.due_at):%d/%m/%Y}"
    )  # fmt: skip
    assert said["href"] == f"/yeu-cau/{request.pk}"
    # the working day before its day, then past it
    assert telling._asked(request.due_at - timedelta(days=1)) == 2
    assert _told("explain_soon") == ["dau-moi", "phuong"]
    # one is answered: the inspector who asked knows
    body = {"reason": "admitted", "text": "đã nhắc cán bộ bấm ngay", "remedy": "bấm ngay khi xong"}
    record.act(mine[0].pk, "drafted", by=HEAD, at=request.due_at - HOUR, body=body)
    record.act(mine[0].pk, "answered", by=HEAD, at=request.due_at - HOUR)
    telling._asked(request.due_at - HOUR / 2)
    assert _told("answered") == ["thanh-tra"]
    telling._asked(request.due_at + HOUR)
    assert _told("explain_late") == ["dau-moi", "phuong", "thanh-tra"]
    assert Notice.objects.filter(kind="explain_late")[0].body["count"] == len(mine) - 1
    record.act(mine[0].pk, "concluded", by=INSPECTOR, at=request.due_at + 2 * HOUR,
               body={"outcome": "excused", "note": "đúng"})  # fmt: skip
    telling._asked(request.due_at + 3 * HOUR)
    assert _told("decided") == ["dau-moi", "phuong"]
    assert telling._asked(request.due_at + timedelta(hours=4)) == 0
    assert telling._asked(request.due_at + timedelta(days=30)) == 0, "what is old is not told any more"
    kept = json.dumps(list(Notice.objects.values_list("body", flat=True)), ensure_ascii=False)
    assert not any(row.subject in kept for row in mine) and "Thử" not in kept


def test_a_round_tells_what_it_asks_on_its_own_page(home: Path, tmp_path: Path) -> None:
    planned.province(home, tmp_path)
    planned.people()
    round_ = planned.drawn(home, size=30)
    explanations.ask(round_.pk, home=home, by="truongdoan", at=DRAWN)
    Finding.objects.filter(round=round_.pk).update(round=None)  # as if no check had seen them
    round_.refresh_from_db()
    assert round_.answer_due_at is not None
    telling._asked(DRAWN + HOUR)
    telling._asked(round_.answer_due_at - HOUR)
    telling._asked(round_.answer_due_at + HOUR)
    assert _told("round_asked") == _told("round_soon") == ["phuong12", "phuong13"]
    assert _told("round_late") == sorted(["phuong12", "phuong13", *["truongdoan"] * 3]), "one a unit to the lead"
    owed = round_.items.filter(agency="H99.12").exclude(sort="clean").count()
    unit = Notice.objects.get(kind="round_late", person="phuong12")
    assert unit.body["count"] == owed > 0
    assert words.told(unit)["href"] == f"/dot-kiem-tra/{round_.pk}/giai-trinh"
    lead = Notice.objects.filter(kind="round_late", person="truongdoan")[0]
    assert words.told(lead)["href"] == f"/dot-kiem-tra/{round_.pk}"
