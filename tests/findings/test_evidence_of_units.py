"""Evidence: a trusted stamp changes the verdict at once, a claim waits for an inspector, and each can be taken back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.findings.notary import Notary, blank
from tests.findings.small import NOT_SENT, NOW, bring, province, scanned
from tests.story import Case, at

from motcua.catalogue import settings
from motcua.dossiers import log, verify
from motcua.findings import evidence, record, requests
from motcua.findings.models import Attachment, Finding
from motcua.inspection.life import Person
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Refused

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
MAI = Person(name="thanhtra", role="inspector")
DUC = Person(name="canbo", role="officer", agency="H99.12")
YEN = Person(name="phuongkhac", role="focal_point", agency="H99.13")
NOTARY = Notary(at("2026-01-05T00:00"))
OPEN_LATE = "H99.12-260302-0007"


@pytest.fixture
def asked(home: Path, tmp_path: Path) -> Finding:
    """A dossier that was finished after its due date by the record, without any evidence; its ward is asked."""
    NOTARY.trust(home)
    province(home, tmp_path)
    case = Case()
    case.dossier(OPEN_LATE)
    case.event(OPEN_LATE, "finished", "2026-03-12T09:00")
    case.record(OPEN_LATE, 2, updating=False)
    bring(case, home, tmp_path)
    scanned(home)
    finding = Finding.objects.get(subject=OPEN_LATE, check_code="end_not_there")
    requests.send([finding.pk], by=MAI, at=NOW)
    return finding


def test_a_stamped_result_changes_the_verdict_before_their_eyes(home: Path, asked: Finding) -> None:
    before = evidence.verdicts(home, OPEN_LATE, now=NOW)
    assert before["true"]
    pdf = NOTARY.signed(stamped_at=at("2026-03-06T10:04"))
    got = evidence.hand_in(home, asked.pk, name="kết quả.pdf", content=pdf, by=DUC, at=NOW)
    assert (got.before["true"], got.after["true"], got.changed) == (True, False, True)
    event = log.events(OPEN_LATE)[-1]
    assert (event.kind, event.at, event.recorded_at) == ("evidence_attached", at("2026-03-06T10:04"), NOW)
    assert event.digest == got.attachment.digest  # type: ignore[union-attr]
    assert record.history(asked.pk)[-1].body["after"]["record_cause"] == "late_entry"
    assert verify.verify_projection()["ok"]
    with pytest.raises(Unreadable, match="known"):
        evidence.hand_in(home, asked.pk, name="lần nữa.pdf", content=pdf, by=DUC, at=NOW)
    # An inspector does not take it: the event is made void, the verdict is what it was.
    back = evidence.reject(home, got.attachment.pk, by=MAI, at=NOW, note="Văn bản của hồ sơ khác")
    assert (back.after["true"], back.attachment.standing) == (True, "rejected")
    assert log.events(OPEN_LATE)[-1].kind == "corrected"


def test_the_signers_clock_waits_until_an_inspector_verified_it(home: Path, asked: Finding) -> None:
    pdf = NOTARY.signed()
    later = at("2026-12-31T09:00")
    got = evidence.hand_in(home, asked.pk, name="ky.pdf", content=pdf, by=DUC, at=later)
    assert (got.attachment.looked, got.attachment.standing, got.changed) == ("no_time_stamp", "claim", False)
    assert log.events(OPEN_LATE)[-1].kind == "finished"
    verified = evidence.verify(home, got.attachment.pk, standing="fixes", evidence_at=at("2026-03-06T10:04"), by=MAI,
                               at=later, note="Đã tra số văn bản đi")  # fmt: skip
    assert verified.after["true"] is False
    with pytest.raises(Unreadable, match="decided"):
        evidence.reject(home, got.attachment.pk, by=MAI, at=later, note="x")


def test_a_document_number_is_a_claim_and_the_unit_cannot_verify_it_itself(home: Path, asked: Finding) -> None:
    got = evidence.claim(home, asked.pk, document="15/GP-UBND", dated_on=date(2026, 3, 6), by=DUC, at=NOW)
    assert (got.attachment.standing, got.attachment.evidence_at) == ("claim", at("2026-03-06T17:00"))
    with pytest.raises(Refused) as refused:
        evidence.verify(home, got.attachment.pk, standing="fixes", evidence_at=NOW, by=DUC, at=NOW, note="x")
    assert refused.value.code == "finding.not_your_post"
    with pytest.raises(Unreadable, match="future"):
        evidence.claim(home, asked.pk, document="16", dated_on=date(2026, 5, 6), by=DUC, at=NOW)
    done = evidence.verify(home, got.attachment.pk, standing="bounds", evidence_at=at("2026-03-06T17:00"), by=MAI,
                           at=NOW, note="đúng sổ văn bản")  # fmt: skip
    assert done.after["true"] is False


def test_a_stamp_from_before_the_receipt_counts_for_nothing_and_says_why(home: Path, asked: Finding) -> None:
    pdf = NOTARY.signed(stamped_at=at("2026-02-06T10:04"))
    got = evidence.hand_in(home, asked.pk, name="cu.pdf", content=pdf, by=DUC, at=NOW)
    assert (got.attachment.standing, got.attachment.facts["refused"]) == ("claim", "evidence.before_receipt")


def test_a_province_may_want_an_inspector_to_look_first(home: Path, asked: Finding) -> None:
    settings.put(evidence.SETTING, "after_inspector", by="test", at=NOW)
    pdf = NOTARY.signed(stamped_at=at("2026-03-06T10:04"))
    assert evidence.hand_in(home, asked.pk, name="k.pdf", content=pdf, by=DUC, at=NOW).attachment.standing == "claim"


def test_another_ward_hands_in_nothing_and_one_paper_for_many_is_seen(home: Path, asked: Finding) -> None:
    with pytest.raises(Refused) as refused:
        evidence.hand_in(home, asked.pk, name="a.pdf", content=blank(), by=YEN, at=NOW)
    assert refused.value.code == "finding.not_your_unit"
    assert not Attachment.objects.exists()
    other = Finding.objects.get(subject=NOT_SENT, check_code="update_not_sent")
    first = evidence.hand_in(home, asked.pk, name="a.pdf", content=blank(), by=DUC, at=NOW)
    requests.send([other.pk], by=MAI, at=NOW)
    evidence.hand_in(home, other.pk, name="b.pdf", content=blank(), by=DUC, at=NOW)
    assert (first.attachment.looked, evidence.shared_with(first.attachment)) == ("unsigned", 1)
