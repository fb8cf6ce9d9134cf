"""Delivery over real HTTP: in order, at least once, nothing lost through outages, refusals visible, read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.exchange import desk
from tests.served import served
from tests.story import at

from motcua.exchange import dead_letters, deliver, deliveries, read_back, status
from motcua.exchange.models import Delivery
from motcua.mirror import door
from motcua.mirror.client import Portal
from motcua.mirror.faults import Fault, Plan
from motcua.mirror.models import Record, Step
from motcua.mirror.server import Server
from motcua.wire.profile import Profile

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW = desk.NOW
CODE = "H99.12-260302-0001"
RECORDS, STEPS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"


@pytest.fixture
def faults() -> Plan:
    """What the portal does wrong; tests fill it."""
    return Plan()


@pytest.fixture
def portal(faults: Plan) -> Iterator[Portal]:
    """A client of the mirror's server over HTTP."""
    with served(door.application(Server(Profile(), faults), lambda: NOW)) as url:
        client = Portal(url, "demo-h99", "demo-password", "H99")
        yield client
        client.close()


def _statuses(code: str = CODE) -> list[int]:
    return [int(step.status) for step in Step.objects.filter(side="held", code=code).order_by("pk")]


def test_each_event_arrives_in_order_with_the_state_of_its_own_instant(portal: Portal) -> None:
    desk.returned(CODE)
    assert deliveries.plan() == 8
    report = deliver.Deliverer(portal).run(at=NOW)
    assert (report.delivered, report.dead, report.postponed) == (8, 0, 0)
    assert _statuses() == [1, 2, 5, 4, 4, 4, 9, 10]
    record = Record.objects.get(side="held", code=CODE)
    assert (record.status, record.due_at, record.finished_at) == ("10", at("2026-03-12T08:00"), at("2026-03-09T09:00"))
    assert deliveries.plan() == 0 and deliver.Deliverer(portal).run(at=NOW).calls == 0


def test_sending_again_after_a_lost_answer_changes_nothing(portal: Portal) -> None:
    desk.returned(CODE)
    deliveries.plan()
    deliver.Deliverer(portal).run(at=NOW)
    Delivery.objects.update(state="waiting", record_done=False)
    report = deliver.Deliverer(portal).run(at=NOW)
    assert (report.delivered, report.dead) == (8, 0)
    assert _statuses() == [1, 2, 5, 4, 4, 4, 9, 10]


def test_an_outage_postpones_with_growing_pauses_and_loses_nothing(portal: Portal, faults: Plan) -> None:
    faults._faults[CODE, RECORDS, 5] = Fault("lose", 3)
    desk.returned(CODE)
    deliveries.plan()
    clock, pauses = NOW, []
    for _ in range(10):
        report = deliver.Deliverer(portal, seed=1).run(at=clock)
        if not report.postponed:
            break
        waits = Delivery.objects.get(dossier=CODE, kind="supplement_requested").next_at
        pauses.append(waits - clock)
        clock = waits
    assert len(pauses) == 3 and all(timedelta(seconds=10) <= pause <= timedelta(minutes=2) for pause in pauses)
    assert _statuses() == [1, 2, 5, 4, 4, 4, 9, 10]


def test_a_refusal_is_a_visible_dead_letter_and_does_not_poison_the_dossier(portal: Portal, faults: Plan) -> None:
    faults._faults[CODE, RECORDS, 5] = Fault("refuse", 1, "sai mã thủ tục")
    desk.returned(CODE)
    deliveries.plan()
    deliver.Deliverer(portal).run(at=NOW)
    dead = Delivery.objects.get(state="dead")
    assert (
        dead.kind == "supplement_requested"
        and "sai mã thủ tục" in dead.error
        and json.loads(dead.request)["data"][0]["MaHoSo"] == CODE
    )
    assert _statuses() == [1, 2, 4, 4, 4, 9, 10]
    [told] = status.report(now=NOW)["errors"]
    assert (told["count"], told["remedy"]) == (1, "map_procedure")
    assert dead_letters.replay(dead_letters.select(), at=NOW) == 1
    deliver.Deliverer(portal).run(at=NOW)
    assert 5 in _statuses() and not Delivery.objects.exclude(state="delivered").exists()
    record = Record.objects.get(side="held", code=CODE)
    assert (record.status, record.returned_at) == ("10", at("2026-03-10T09:00")), "a late letter takes nothing back"


def test_many_dossiers_go_in_batches_and_are_read_back_as_they_stand(portal: Portal) -> None:
    codes = [f"H99.12-260302-{n:04}" for n in range(5)]
    for code in codes:
        desk.returned(code)
    deliveries.plan()
    report = deliver.Deliverer(portal, batch=100).run(at=NOW)
    assert report.delivered == 40 and report.calls == 16
    report = read_back.run(portal=portal, at=NOW, codes=[*codes, "H99.12-260302-9999"])
    assert (report.looked_up, report.found) == (6, 5)
    seen = Record.objects.get(side="seen", code=codes[0])
    assert (seen.status, seen.stored_at) == ("10", NOW)
    assert Step.objects.filter(side="seen", code=codes[0]).count() == 8


def test_dossiers_that_must_wait_hold_up_no_other(portal: Portal) -> None:
    codes = [f"H99.12-260302-{n:04}" for n in range(4)]
    for code in codes:
        desk.returned(code)
    deliveries.plan()
    Delivery.objects.filter(dossier__in=codes[:2]).update(next_at=NOW + timedelta(hours=1))
    assert deliver.Deliverer(portal).run(at=NOW).delivered == 16
    assert not Record.objects.filter(code__in=codes[:2]).exists()
    assert deliver.Deliverer(portal).run(at=NOW + timedelta(hours=1)).delivered == 16


def _letters(faults: Plan, *codes: str, message: str = "sai mã thủ tục") -> None:
    for code in codes:
        faults._faults[code, RECORDS, 5] = Fault("refuse", 1, message)
        desk.returned(code)
    deliveries.plan()


def test_one_dead_letter_a_selection_or_all_are_sent_again(portal: Portal, faults: Plan) -> None:
    codes = [f"H99.12-260302-{n:04}" for n in range(4)]
    _letters(faults, *codes)
    deliver.Deliverer(portal).run(at=NOW)
    listed = dead_letters.listed(dead_letters.select())
    assert [letter["dossier"] for letter in listed] == codes
    assert all("sai mã thủ tục" in letter["reply"] and letter["request"] for letter in listed)
    assert dead_letters.replay(dead_letters.select(dossiers=codes[:1]), at=NOW) == 1
    assert dead_letters.replay(dead_letters.select(positions=[listed[1]["position"]]), at=NOW) == 1
    assert dead_letters.select(error="nội dung").count() == 0
    assert dead_letters.replay(dead_letters.select(error="Mã thủ tục"), at=NOW) == 2
    assert deliver.Deliverer(portal).run(at=NOW).delivered == 4
    assert desk.differences(codes) == []


def test_a_text_that_the_portal_finds_too_long_is_cut_where_it_is_seen_and_arrives(faults: Plan) -> None:
    desk.accepted(CODE)
    desk.waiting.request_payment(by=desk.CLERK, now=NOW, code=CODE, at=at("2026-03-03T08:00"), document=True)
    desk.result.correct(by=desk.CLERK, now=NOW, code=CODE, corrects=2, note="Đính chính vì… " * 400)
    deliveries.plan()
    with served(door.application(Server(Profile(max_note=600), faults), lambda: NOW)) as url:
        client = Portal(url, "demo-h99", "demo-password", "H99")
        report = deliver.Deliverer(client).run(at=NOW)
        client.close()
    assert (report.delivered, report.dead, report.postponed) == (4, 0, 0)
    note = json.loads(Record.objects.get(side="held", code=CODE).body)["GhiChu"]
    assert note.startswith("Đính chính vì…") and note.endswith("[đã rút gọn]") and 400 < len(note) <= 600


def test_what_happens_in_passing_neither_repeats_a_request_nor_ends_the_waiting(portal: Portal) -> None:
    by = desk.accepted(CODE)
    desk.waiting.request_supplement(at=at("2026-03-03T08:00"), document=True, **by)
    desk.result.extend(at=at("2026-03-04T08:00"), due_at=at("2026-03-20T17:00"), document=True, **by)
    deliveries.plan()
    assert deliver.Deliverer(portal).run(at=NOW).delivered == 4
    assert _statuses() == [1, 2, 5]
    held = Record.objects.get(side="held", code=CODE)
    assert (held.status, held.due_at) == ("5", at("2026-03-20T17:00")), "the record carries the new due instant"


def test_each_supplement_round_is_told_with_the_due_instants_before_and_after(portal: Portal) -> None:
    by = desk.accepted(CODE)
    for day in (3, 9):
        desk.waiting.request_supplement(at=at(f"2026-03-{day:02}T08:30"), document=True, exception=True, **by)
        desk.waiting.receive_supplement(at=at(f"2026-03-{day + 1:02}T08:30"), **by)
    deliveries.plan()
    deliver.Deliverer(portal).run(at=NOW)
    first, second = json.loads(Record.objects.get(side="held", code=CODE).body)["DanhSachHoSoBoSung"]
    assert (first["NgayHenTraTruoc"], first["NgayHenTraMoi"]) == ("20260309083000", "20260311083000")
    assert second["NgayHenTraTruoc"] == first["NgayHenTraMoi"] < second["NgayHenTraMoi"]
    assert (second["HoSoBoSungId"], second["TrangThaiBoSung"]) == (2, True)


def test_a_dossier_that_the_portal_stumbles_over_blocks_only_itself_and_ends_as_a_dead_letter(
    portal: Portal, faults: Plan
) -> None:
    poisoned = "H99.12-260302-0666"
    faults._faults[poisoned, RECORDS, 0] = Fault("error_500")
    desk.returned(poisoned)
    clock, codes = NOW, []
    for n in range(40):
        clock += timedelta(hours=2)
        codes.append(f"H99.12-260302-{n:04}")
        desk.withdrawn(codes[-1])
        deliveries.plan()
        for minutes in (0, 1):  # who shared a call with it goes alone the next time
            deliver.Deliverer(portal, batch=4, seed=n).run(at=clock + timedelta(minutes=minutes))
        assert not Delivery.objects.filter(dossier=codes[-1], state="waiting").exists()
        if Delivery.objects.filter(dossier=poisoned, state="dead").exists():
            break
    letter = Delivery.objects.filter(dossier=poisoned).earliest("position")
    assert letter.state == "dead" and letter.attempts >= 10 and "Cổng không trả lời riêng" in letter.error
    assert status.report(now=clock)["circuits"][0]["state"] == "closed"


def test_a_create_of_what_is_there_already_becomes_an_update_whatever_code_says_so(faults: Plan) -> None:
    with served(door.application(Server(Profile(duplicate_code=0), faults), lambda: NOW)) as url:
        client = Portal(url, "demo-h99", "demo-password", "H99")
        faults._faults[CODE, RECORDS, 1] = Fault("lose_answer", 1)
        desk.returned(CODE)
        deliveries.plan()
        deliver.Deliverer(client).run(at=NOW)
        deliver.Deliverer(client).run(at=NOW + timedelta(hours=2))
        client.close()
    assert desk.differences([CODE]) == []
