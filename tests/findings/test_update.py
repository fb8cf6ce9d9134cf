"""Findings follow the data: opened once, changed, closed with the proof why, reopened with their history."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction
from tests.findings.small import CLICKED_LATE, NOT_SENT, NOW, bring, province, scanned
from tests.story import Case

from motcua.findings import record, update
from motcua.findings.models import Act, Finding, Scan
from motcua.inspection.life import Person
from motcua.inspection.signs import Sign
from motcua.oversight import extract, figures
from motcua.oversight.figures import Question

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
MAI = Person(name="thanhtra", role="inspector")


@pytest.fixture
def home_(home: Path, tmp_path: Path) -> Path:
    province(home, tmp_path)
    return home


def _of(check: str, subject: str) -> Finding:
    return Finding.objects.get(check_code=check, subject=subject)


def test_a_scan_opens_what_the_bridge_explains_and_a_second_one_nothing(home_: Path) -> None:
    first = scanned(home_)
    told = figures.inspect(home_, Question(), now=NOW)["findings"]
    kept = {(f.check_code, f.subject) for f in Finding.objects.exclude(leg="")}
    assert kept == {(f["check"], f["dossier"]) for f in told} != set()
    assert first.opened == Finding.objects.count() == first.signs
    again = scanned(home_)
    assert (again.opened, again.changed, again.closed, again.reopened) == (0, 0, 0, 0)
    assert Act.objects.count() == first.opened
    assert record.verify()["ok"]


def test_not_scanned_differs_from_zero(home_: Path) -> None:
    assert update.last() is None, "no scan, no figure"
    scanned(home_)
    scan = Scan.objects.get()
    assert scan.checks["step_skipped"] == {
        "state": "scanned", "looked_at": scan.checks["step_skipped"]["looked_at"], "found": 0, "missing": {}
    }  # fmt: skip
    assert scan.checks["step_skipped"]["looked_at"] == 4


def test_a_sign_that_is_gone_closes_with_its_proof_and_comes_back_with_its_history(home_: Path, tmp_path: Path) -> None:
    scanned(home_)
    finding = _of("update_not_sent", NOT_SENT)
    record.act(finding.pk, "assigned", by=MAI, at=NOW, body={"to": "thanhtra"})
    case = Case()
    case.record(NOT_SENT, 9)
    case.step(NOT_SENT, 9, "20260306100000")
    bring(case, home_, tmp_path)
    assert scanned(home_).closed == 1
    finding.refresh_from_db()
    assert (finding.state, finding.closed_by_data) == ("closed", True)
    proof = record.history(finding.pk)[-1].body
    assert proof["evidence"]["finish_at"] == "2026-03-06T10:00:00+07:00"
    assert proof["now"]["shown"] is False and proof["now"]["sync_cause"] is None
    # The sign is there again: the same finding, not another one.
    sign = Sign(check="update_not_sent", subject=NOT_SENT, agency="H99.12", evidence=proof["evidence"])
    assert update.settle(home_, [sign], seen=(), library={}, at=NOW).reopened == 1
    finding.refresh_from_db()
    assert (finding.state, finding.inspector, finding.reopened) == ("new", "thanhtra", 1)
    kinds = [act.kind for act in record.history(finding.pk)]
    assert kinds == ["opened", "assigned", "closed_by_data", "reopened_by_data"]
    assert Finding.objects.filter(subject=NOT_SENT, check_code="update_not_sent").count() == 1
    assert record.verify()["ok"]


def test_what_a_person_concluded_the_data_leave_alone(home_: Path, tmp_path: Path) -> None:
    scanned(home_)
    finding = _of("update_not_sent", NOT_SENT)
    record.act(finding.pk, "concluded", by=MAI, at=NOW, body={"outcome": "overturned", "note": "đã gửi trong ngày"})
    case = Case()
    case.record(NOT_SENT, 9)
    case.step(NOT_SENT, 9, "20260306100000")
    bring(case, home_, tmp_path)
    assert scanned(home_).closed == 0
    finding.refresh_from_db()
    assert (finding.state, finding.outcome) == ("concluded", "overturned")


def test_a_check_that_did_not_look_closes_nothing(home_: Path) -> None:
    scanned(home_)
    report = update.settle(home_, [], seen=frozenset(), library={}, at=NOW)
    assert report.closed == 0
    report = update.settle(home_, [], seen={"late_entry"}, library={}, at=NOW + timedelta(minutes=1))
    assert report.closed == 2
    assert set(Finding.objects.filter(state="closed").values_list("check_code", flat=True)) == {"late_entry"}


def test_a_person_who_closed_it_is_overruled_only_by_new_facts(home_: Path) -> None:
    scanned(home_)
    finding = _of("late_entry", CLICKED_LATE)
    record.act(finding.pk, "closed", by=MAI, at=NOW, body={"note": "đã nhắc"})
    assert scanned(home_).reopened == 0
    Finding.objects.filter(pk=finding.pk).update(digest="of other facts")
    assert scanned(home_).reopened == 1


def test_what_still_grows_late_comes_before_what_ended_late(home: Path) -> None:
    due, end = "2026-03-06T17:00:00+07:00", "2026-03-20T09:00:00+07:00"
    told = {"ended": {"due_0": due, "best_finish_at": end}, "open": {"due_0": due}}
    signs = [Sign(check="overdue", subject=name, agency="H99.12", evidence=facts) for name, facts in told.items()]
    # Neither tells an end, and neither is about lateness.
    signs.append(Sign(check="refused_late", subject="refused", agency="H99.12", evidence={"due_0": due}))
    update.settle(home, signs, seen=(), library={}, at=NOW)
    assert dict(Finding.objects.values_list("subject", "rank")) == {"ended": 120, "open": 12_320, "refused": 120}
    report = update.settle(home, signs, seen=(), library={}, at=NOW + timedelta(days=1))
    assert report.changed == 0, "only time passed"
    assert Finding.objects.get(subject="open").rank == 12_800


def test_the_history_is_only_ever_added_to(home_: Path) -> None:
    scanned(home_)
    with pytest.raises(DatabaseError), transaction.atomic():
        Act.objects.update(actor="ai khác")
    with pytest.raises(DatabaseError), transaction.atomic():
        Act.objects.first().delete()  # type: ignore[union-attr]
    Finding.objects.filter(check_code="late_entry").update(state="closed")
    assert not record.verify()["ok"]


def test_time_alone_opens_a_finding(home: Path, tmp_path: Path) -> None:
    """Nothing arrives; a dossier that the portal still has open only becomes late there."""
    province(home, tmp_path)
    case = Case()
    case.dossier("H99.12-260331-0009", "2026-03-31T08:30", "2026-04-07T17:00")
    case.event("H99.12-260331-0009", "finished", "2026-03-31T15:00")
    case.record("H99.12-260331-0009", 2, updating=False, NgayHenTra="20260407170000", NgayTiepNhan="20260331083000")
    bring(case, home, tmp_path)
    scanned(home)
    assert not Finding.objects.filter(subject="H99.12-260331-0009", leg="sync").exists()
    position = extract.run(home=home, at=NOW).position
    update.run(home, at=NOW + timedelta(days=10))
    assert extract.run(home=home, at=NOW).position == position
    assert Finding.objects.filter(subject="H99.12-260331-0009", check_code="update_not_sent").exists()
