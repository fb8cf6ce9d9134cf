"""The remote inspection as law paper §6.5 tells it: heard, read by two, concluded, followed up, published, closed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from tests.rounds.planned import DRAWN, NOW, WARDS, drawn, explained, people, planned, province

from motcua.dossiers import log
from motcua.findings import modes, record
from motcua.findings.models import Finding
from motcua.inspection.life import Person
from motcua.ledger import audit
from motcua.ledger.models import Change
from motcua.oversight import extract
from motcua.rounds import explanations, frozen, reading, remedies, results, steps
from motcua.rounds.models import Item, Look, Remedy, Round
from motcua.rules import events as e
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Refused
from motcua.web.rounds import words

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
ANSWERED = DRAWN + timedelta(days=1)
DECIDED = DRAWN + timedelta(days=9)
LEAD, MEMBER, THIRD = "truongdoan", "thanhvien", "nguoithu3"


@pytest.fixture(autouse=True)
def _province(home: Path, tmp_path: Path) -> None:
    province(home, tmp_path)
    people()


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=code)


def _states(round_: Round) -> str:
    """The ten steps in a word: done, now, later."""
    round_.refresh_from_db()
    return "".join({"done": "x", "now": "o", "later": "."}[step.state] for step in steps.steps(round_))


def _decided(round_: Round, *, rejected: set[str]) -> None:
    """Every dossier decided by one member and confirmed by another; those named are rejected."""
    for item in round_.items.all():
        finding = "rejected" if item.dossier in rejected else "accepted"
        reading.decide(round_.pk, item.dossier, finding=finding, note="đã đọc", by=MEMBER, at=DECIDED)
        reading.confirm(round_.pk, item.dossier, agree=True, by=THIRD, at=DECIDED)


def test_the_procedure_step_by_step(home: Path) -> None:
    """Plan, freeze, scan, sample, explain, decide, draft, remedy, recheck, close."""
    fresh = planned(decision_number="")
    assert _states(fresh) == "o........."
    round_ = drawn(home, size=30)
    assert _states(round_) == "xxxxo....."
    # 4: every dossier stands under one of the heads, and the heads sum to the population
    heads = {row["sort"]: row["count"] for row in results.population(home, round_)}
    assert heads == {"true_late": 3, "in_time": 6, "no_data": 0, "disputed": 0, "other": 0, "clean": 21}
    # 5 and 6: asked, answered within working days
    explanations.ask(round_.pk, home=home, by=LEAD, at=DRAWN)
    round_.refresh_from_db()
    assert round_.answer_due_at is not None and round_.answer_due_at.date() == date(2026, 4, 8)
    late = f"{WARDS[0]}-260302-0001"
    explanations.answer(round_.pk, late, kind="contest", text="đã trả đúng hẹn", agency=WARDS[0], by="phuong12",
                        at=ANSWERED)  # fmt: skip
    explanations.answer(round_.pk, f"{WARDS[1]}-260302-0001", kind="admit", agency=WARDS[1], by="phuong13", at=ANSWERED)
    assert _states(round_) == "xxxxo....."
    # 7: one finds, another confirms
    _decided(round_, rejected={f"{ward}-260302-0001" for ward in WARDS})
    assert _states(round_) == "xxxxxxo..."
    total, units = results.by_unit(round_)
    assert (total["sample"], total["rejected"], total["accepted"], total["answered"]) == (30, 3, 27, 2)
    assert {name: sum(row[name] for row in units) for name in results.COUNTED} == total
    before_after = {row["sort"]: row for row in results.before_and_after(round_)}
    assert before_after["true_late"]["rejected"] == 3 and before_after["in_time"]["accepted"] == 6
    found = results.estimate(round_)
    assert found is not None and found.rate == pytest.approx(0.1), "the whole population was read"
    # 8: drafted, then concluded by the number that a person types back
    with refused("round.not_concluded"):
        remedies.ask(round_.pk, agency=WARDS[0], kind="apology", text="Xin lỗi", due_at=DECIDED + timedelta(days=9),
                     home=home, by=LEAD, at=DECIDED)  # fmt: skip
    with refused("round.no_step"):
        steps.typed(round_.pk, "conclusion", paper_number="7/KL", dated_on=DECIDED.date(), signer="Lê Thị Trưởng",
                    by=LEAD, at=DECIDED)  # fmt: skip
    steps.drafted(round_.pk, "draft", by=MEMBER, at=DECIDED)
    steps.typed(round_.pk, "conclusion", paper_number="7/KL", dated_on=DECIDED.date(), signer="Lê Thị Trưởng", by=LEAD,
                at=DECIDED)  # fmt: skip
    assert _states(round_) == "xxxxxxxo.."
    # 9: requests with due dates
    lost = [f"{ward}-260302-0002" for ward in WARDS]
    until = DECIDED + timedelta(days=20)
    mend = remedies.ask(round_.pk, agency=WARDS[0], kind="data", text="Gửi bước kết thúc", due_at=until,
                        dossiers=[lost[0]], home=home, by=LEAD, at=DECIDED)  # fmt: skip
    sorry = remedies.ask(round_.pk, agency=WARDS[1], kind="apology", text="Xin lỗi chủ hồ sơ", due_at=until,
                         dossiers=[f"{WARDS[1]}-260302-0001"], home=home, by=LEAD, at=DECIDED)  # fmt: skip
    assert _states(round_) == "xxxxxxxxo."
    steps.publish(round_.pk, by=LEAD, at=DECIDED)
    with refused("round.remedy_open"):
        steps.close(round_.pk, by=LEAD, at=DECIDED)
    # 10: the data close what they can show, a member the rest
    extract.run(home=home, at=DECIDED)
    assert remedies.settle(home=home, now=DECIDED) == 0, "nothing was sent yet"
    _resend(home, lost[0])
    assert remedies.settle(home=home, now=DECIDED + timedelta(days=1)) == 1
    mend.refresh_from_db()
    assert mend.closed_at is not None and mend.closed_by == "", "the data closed it"
    assert mend.items.get().proof["was"] == "update_not_sent" and mend.items.get().proof["now"] == ""
    with refused("round.no_reason"):
        remedies.close(sorry.pk, note="", by=MEMBER, at=DECIDED)
    remedies.close(sorry.pk, note="văn bản xin lỗi số 3", by=MEMBER, at=DECIDED + timedelta(days=2))
    assert _states(round_) == "xxxxxxxxxo"
    steps.close(round_.pk, by=LEAD, at=DECIDED + timedelta(days=2))
    assert _states(round_) == "xxxxxxxxxx"
    with refused("round.is_closed"):
        reading.look(round_.pk, late, reason="xem thêm", by=MEMBER, at=DECIDED + timedelta(days=3))
    assert audit.verify()["ok"]
    said = Change.objects.filter(key__startswith=f"{round_.pk}").values_list("after", flat=True)
    assert not any("P1" in str(after) for after in said), "no named official in any conclusion"


def _resend(home: Path, code: str, at: datetime = DECIDED + timedelta(hours=1)) -> None:
    """The lost finish reaches the portal: a new message, nothing rewritten."""
    import json

    from tests.story import Case

    from motcua.mirror.load import load

    case = Case()
    case.record(code, 9, DonViXuLy=code[:6])
    case.step(code, 9, "20260306100000")
    file = home / "again.ndjson"
    file.write_text("\n".join(json.dumps(message, ensure_ascii=False) for message in case.messages) + "\n")
    load([file], at=at)
    extract.run(home=home, at=at)


def test_nobody_is_found_at_fault_unheard(home: Path) -> None:
    round_ = drawn(home, size=30)
    signed = f"{WARDS[0]}-260302-0001"
    say = {"finding": "rejected", "note": "trễ", "by": MEMBER}
    with refused("round.answer_awaited"):
        reading.decide(round_.pk, signed, **say, at=DRAWN)
    explanations.ask(round_.pk, home=home, by=LEAD, at=DRAWN)
    with refused("round.answer_awaited"):
        reading.decide(round_.pk, signed, **say, at=ANSWERED)
    reading.decide(round_.pk, signed, finding="accepted", by=MEMBER, at=ANSWERED)  # in their favour needs no hearing
    reading.decide(round_.pk, signed, **say, at=DECIDED)  # the answer date has passed
    other = f"{WARDS[1]}-260302-0001"
    explanations.answer(round_.pk, other, kind="admit", agency=WARDS[1], by="phuong13", at=ANSWERED)
    reading.decide(round_.pk, other, **say, at=ANSWERED)
    with refused("round.is_decided"):
        explanations.answer(round_.pk, other, kind="contest", text="khác", agency=WARDS[1], by="phuong13", at=ANSWERED)


def test_what_one_finds_another_confirms_or_sends_back(home: Path) -> None:
    round_ = drawn(home)
    code = round_.items.filter(sort="clean").values_list("dossier", flat=True).first()
    with refused("round.not_found_yet"):
        reading.confirm(round_.pk, code, agree=True, by=MEMBER, at=DRAWN)
    with pytest.raises(Unreadable):
        reading.decide(round_.pk, code, finding="guilty", by=MEMBER, at=DRAWN)
    with pytest.raises(Unreadable):
        reading.decide(round_.pk, code, finding="accepted", checklist={"sign:none": "yes"}, by=MEMBER, at=DRAWN)
    reading.decide(round_.pk, code, finding="accepted", checklist={"facts_agree": "yes"}, by=MEMBER, at=DRAWN)
    with refused("round.confirms_own"):
        reading.confirm(round_.pk, code, agree=True, by=MEMBER, at=DRAWN)
    with refused("round.no_reason"):
        reading.confirm(round_.pk, code, agree=False, by=THIRD, at=DRAWN)
    reading.confirm(round_.pk, code, agree=False, note="xem lại bước ký", by=THIRD, at=DRAWN)
    first = reading.next_(round_, MEMBER, now=DRAWN)
    assert first is not None and (first.dossier, first.returned_note) == (code, "xem lại bước ký")
    reading.decide(round_.pk, code, finding="accepted", by=MEMBER, at=DRAWN)
    reading.confirm(round_.pk, code, agree=True, by=THIRD, at=DRAWN)
    with refused("round.is_confirmed"):
        reading.decide(round_.pk, code, finding="accepted", by=LEAD, at=DRAWN)
    with refused("round.not_a_member"):
        reading.decide(round_.pk, code, finding="accepted", by="ngoaidoan", at=DRAWN)


def test_reading_on_passes_through_everything_once(home: Path) -> None:
    round_ = drawn(home)
    explanations.ask(round_.pk, home=home, by=LEAD, at=DRAWN)
    seen = []
    while (item := reading.next_(round_, MEMBER, now=DECIDED)) is not None:
        seen.append(item.dossier)
        reading.decide(round_.pk, item.dossier, finding="accepted", by=MEMBER, at=DECIDED)
    assert sorted(seen) == sorted(round_.items.values_list("dossier", flat=True)) and len(set(seen)) == 12
    again = []
    while (item := reading.next_(round_, THIRD, now=DECIDED)) is not None:
        again.append(item.dossier)
        reading.confirm(round_.pk, item.dossier, agree=True, by=THIRD, at=DECIDED)
    assert sorted(again) == sorted(seen)
    round_.refresh_from_db()
    assert round_.decided_at == DECIDED


def test_a_unit_answers_for_its_own_dossiers_and_says_why(home: Path) -> None:
    round_ = drawn(home, size=30)
    code = f"{WARDS[0]}-260302-0001"  # late by every side: no check's sign, yet one of the four heads
    mine = {"agency": WARDS[0], "by": "phuong12", "at": ANSWERED}
    with refused("round.not_asked"):
        explanations.answer(round_.pk, code, kind="admit", **mine)
    explanations.ask(round_.pk, home=home, by=LEAD, at=DRAWN)
    with refused("round.not_your_unit"):
        explanations.answer(round_.pk, code, kind="admit", **{**mine, "agency": WARDS[1]})
    for kind, text, document in (("contest", "", ""), ("explain", "có văn bản", ""), ("explain", "", "12/UBND")):
        with refused("round.answer_empty"):
            explanations.answer(round_.pk, code, kind=kind, text=text, document=document, **mine)
    with refused("round.answer_in_finding"):
        explanations.answer(round_.pk, f"{WARDS[0]}-260302-0000", kind="admit", **mine)
    item = explanations.answer(round_.pk, code, kind="explain", text="ký số 06/03", document="12/UBND", **mine)
    assert (item.answer, item.answered_by) == ("explain", "phuong12")
    before = Round.objects.get(pk=round_.pk).answer_due_at
    explanations.extend(round_.pk, 2, reason="đơn vị xin thêm", by=LEAD, at=ANSWERED)
    after = Round.objects.get(pk=round_.pk).answer_due_at
    assert before is not None and after is not None and (after - before).days == 2
    assert set(Finding.objects.filter(round=round_.pk).values_list("due_at", flat=True)) == {after}
    other = {"agency": WARDS[1], "by": "phuong13", "at": DECIDED + timedelta(days=1)}
    explanations.answer(round_.pk, f"{WARDS[1]}-260302-0001", kind="admit", **other)
    round_.refresh_from_db()
    total, _ = results.by_unit(round_)
    assert (total["answered"], total["late_answers"]) == (2, 1)


def test_signs_of_the_sample_are_findings_that_two_persons_conclude(home: Path) -> None:
    round_ = drawn(home, size=30)
    explanations.ask(round_.pk, home=home, by=LEAD, at=DRAWN)
    bound = Finding.objects.filter(round=round_.pk)
    assert sorted(bound.values_list("check_code", flat=True)) == ["late_entry"] * 3 + ["update_not_sent"] * 3
    assert set(bound.values_list("state", flat=True)) == {"sent"}
    code = f"{WARDS[0]}-260302-0000"
    mine = bound.get(subject=code)
    say = {"finding": "rejected", "note": "bấm muộn", "checklist": {"sign:late_entry": "yes"}, "by": MEMBER}
    with refused("round.answer_awaited"):
        reading.decide(round_.pk, code, **say, at=ANSWERED)
    explained(mine.pk, at=ANSWERED)
    told = explanations.heard(round_, round_.items.filter(dossier=code))[code]
    assert (told.answer, told.document, told.owes) == ("explain", "12/UBND", False)
    reading.decide(round_.pk, code, **say, at=ANSWERED)
    assert bound.get(pk=mine.pk).state == "answered", "one person concludes nothing"
    reading.confirm(round_.pk, code, agree=True, by=THIRD, at=ANSWERED)
    mine.refresh_from_db()
    assert (mine.state, mine.outcome) == ("concluded", "violation")
    # An appeal: the lead takes it back, two persons find again, the check's precision moves.
    before = modes.measured()["late_entry"]
    head = Person(name="phuong12", role="unit_head", agency=WARDS[0])
    record.act(mine.pk, "appealed", by=head, at=ANSWERED, body={"note": "chữ ký số có trước hạn"})
    reading.reopen(round_.pk, code, reason="đơn vị khiếu nại, có chứng cứ mới", by=LEAD, at=ANSWERED)
    reading.decide(round_.pk, code, finding="accepted", by=MEMBER, at=ANSWERED)
    reading.confirm(round_.pk, code, agree=True, by=THIRD, at=ANSWERED)
    mine.refresh_from_db()
    assert (mine.state, mine.outcome) == ("concluded", "overturned")
    after = modes.measured()["late_entry"]
    assert before != after
    assert record.verify()["ok"]


def test_what_a_finding_refuses_is_told_to_the_second_person_and_kept(home: Path) -> None:
    """An inspector concluded the finding on its own page before the round's second person came."""
    round_ = drawn(home, size=30)
    explanations.ask(round_.pk, home=home, by=LEAD, at=DRAWN)
    code = f"{WARDS[0]}-260302-0000"
    mine = Finding.objects.get(round=round_.pk, subject=code)
    explained(mine.pk, at=ANSWERED)
    own = Person(name=LEAD, role="inspector")
    record.act(mine.pk, "concluded", by=own, at=ANSWERED, body={"outcome": "excused", "note": "đã đọc văn bản"})
    reading.decide(round_.pk, code, finding="accepted", by=MEMBER, at=ANSWERED)
    done = reading.confirm(round_.pk, code, agree=True, by=THIRD, at=ANSWERED)
    assert [number for number, _ in done.refused] == [mine.pk] and done.item.confirmed_by == THIRD
    kept = Change.objects.filter(table="rounds_item", key=f"{round_.pk}/{code}").latest("pk").after
    assert kept is not None and list(kept["passed_over"]) == [str(mine.pk)]
    assert words.passed_over(done.refused[0]).startswith(f"Phát hiện số {mine.pk} không kết luận theo hồ sơ: ")
    mine.refresh_from_db()
    assert mine.outcome == "excused", "what a person concluded stays"


def test_a_look_at_personal_data_has_a_reason_and_is_listed(home: Path) -> None:
    round_ = drawn(home)
    code = round_.items.values_list("dossier", flat=True).first()
    with refused("round.no_reason"):
        reading.look(round_.pk, code, reason=" ", by=MEMBER, at=DRAWN)
    assert not Look.objects.exists()
    values = reading.look(round_.pk, code, reason="đối chiếu chủ hồ sơ với giấy ủy quyền", by=MEMBER, at=DRAWN)
    assert values["applicant"].startswith("Trần Thị Thử")
    paper = words.personal("results.0", '{"address": "https://kho.example/1.pdf", "name": "Giấy phép"}')
    assert paper == ("Giấy tờ kết quả", "Giấy phép · https://kho.example/1.pdf")
    look = Look.objects.get()
    assert (look.by, look.dossier, look.reason) == (MEMBER, code, "đối chiếu chủ hồ sơ với giấy ủy quyền")
    stranger = next(f"{w}-260302-{n:04}" for w in WARDS for n in range(10)
                    if not round_.items.filter(dossier=f"{w}-260302-{n:04}").exists())  # fmt: skip
    with refused("round.not_in_sample"):
        reading.look(round_.pk, stranger, reason="xem thử thôi", by=MEMBER, at=DRAWN)
    with refused("round.not_a_member"):
        reading.look(round_.pk, code, reason="xem thử thôi", by="ngoaidoan", at=DRAWN)


def test_what_stands_in_the_record_for_ever_is_closed_by_a_person(home: Path) -> None:
    """A late click stays late on the record: no new data can mend it, so the data do not close it."""
    rows = frozen.rows(frozen.folder(home, drawn(home, size=30).pk), "pairs", frozen.MARKED)
    told = {row["dossier"][-4:]: remedies.mendable(row) for row in rows if row["dossier"].startswith(WARDS[0])}
    assert told["0002"] == ("sync", "update_not_sent") and told["0000"] is None and told["0005"] is None


def test_a_disputed_reading_is_stated_and_widens_the_interval(home: Path) -> None:
    round_ = drawn(home)
    explanations.ask(round_.pk, home=home, by=LEAD, at=DRAWN)
    codes = list(round_.items.values_list("dossier", flat=True))
    _decided(round_, rejected=set())
    sure = results.estimate(round_)
    item = Item.objects.get(round=round_, dossier=codes[0])
    Item.objects.filter(pk=item.pk).update(finding="disputed")
    open_ = results.estimate(round_)
    assert sure is not None and open_ is not None
    assert open_.rate == sure.rate == 0 and open_.high > sure.high and open_.low == sure.low
    assert results.by_unit(round_)[0]["disputed"] == 1


def test_a_remedy_is_for_dossiers_of_that_unit_and_has_a_date(home: Path) -> None:
    round_ = drawn(home)
    _decided(round_, rejected=set())
    steps.drafted(round_.pk, "draft", by=MEMBER, at=DECIDED)
    steps.typed(round_.pk, "conclusion", paper_number="7/KL", dated_on=DECIDED.date(), signer="A", by=LEAD, at=DECIDED)
    mine = round_.items.filter(agency=WARDS[0]).values_list("dossier", flat=True).first()
    given: dict[str, Any] = {"agency": WARDS[0], "kind": "training", "text": "Tập huấn", "home": home, "by": LEAD,
                             "due_at": DECIDED + timedelta(days=5), "at": DECIDED}  # fmt: skip
    with refused("round.not_in_sample"):
        remedies.ask(round_.pk, **given | {"agency": WARDS[1]}, dossiers=[mine])
    with refused("round.remedy_empty"):
        remedies.ask(round_.pk, **given | {"text": " "})
    with pytest.raises(Unreadable):
        remedies.ask(round_.pk, **given | {"due_at": DECIDED})
    with pytest.raises(Unreadable):
        remedies.ask(round_.pk, **given | {"kind": "jail"})
    remedies.ask(round_.pk, **given, dossiers=[mine])
    assert Remedy.objects.count() == 1


def test_a_round_without_its_second_confirmation_is_not_drafted(home: Path) -> None:
    round_ = drawn(home)
    with refused("round.not_all_decided"):
        steps.drafted(round_.pk, "draft", by=MEMBER, at=DECIDED)
    with refused("round.not_concluded"):
        steps.publish(round_.pk, by=LEAD, at=DECIDED)
    with refused("round.not_the_lead"):
        steps.close(round_.pk, by=MEMBER, at=DECIDED)


def test_the_log_goes_on_while_the_round_stands(home: Path) -> None:
    """New events after the freeze change today's figures, not the round's."""
    round_ = drawn(home, size=30)
    counted = results.population(home, round_)
    code = f"{WARDS[2]}-260302-0007"
    with transaction.atomic():
        log.Log.locked(code, now=DECIDED).append(
            e.Returned(at=DECIDED, recorded_at=DECIDED, seq=0, actor="P", unit="A")
        )
    extract.run(home=home, at=DECIDED)
    assert results.population(home, round_) == counted and NOW < DECIDED
