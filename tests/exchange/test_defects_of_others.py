"""What contract §6.1 and §6.2 saw real clients do wrong, each held against ours; the numbers are the contract's."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.exchange import desk
from tests.served import served
from tests.story import at

from motcua.dossiers import reception
from motcua.exchange import dead_letters, deliver, deliveries
from motcua.exchange.models import Delivery, Standing
from motcua.mirror import door
from motcua.mirror.client import Portal, Reply
from motcua.mirror.clock import MovableClock
from motcua.mirror.faults import Fault, Plan
from motcua.mirror.models import Message, Record, Step
from motcua.mirror.server import Server
from motcua.rules.dossier import Status
from motcua.wire.profile import Profile
from motcua.wire.transitions import is_lawful

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW, CODE = desk.NOW, "H99.12-260302-0001"
RECORDS, STEPS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
HOURS = [NOW + timedelta(hours=2 * n) for n in range(12)]


@contextmanager
def _portal(faults: dict[tuple[str, str, int], Fault] | None = None, clock: Any = None, **switches: Any) -> Any:
    server = Server(Profile(**switches), Plan(faults or {}))
    with served(door.application(server, clock or (lambda: NOW))) as url:
        client = Portal(url, "demo-h99", "demo-password", "H99")
        yield client
        client.close()


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A client of a portal that does nothing wrong."""
    with _portal() as client:
        yield client


def _deliver(portal: Any, *lives: Any, hours: int = 1, batch: int = 1) -> None:
    for number, life in enumerate(lives or (desk.returned,), 1):
        life(f"H99.12-260302-{number:04}")
    deliveries.plan()
    for when in HOURS[:hours]:
        deliver.Deliverer(portal, seed=1, batch=batch).run(at=when)


def _sent(service: str = RECORDS) -> list[dict[str, Any]]:
    """The messages of a service as the portal received them."""
    rows = Message.objects.filter(service=service).order_by("pk").values_list("body", flat=True)
    return [json.loads(bytes(body)) for body in rows]


def _statuses(code: str = CODE) -> list[Status]:
    return [Status(int(step.status)) for step in Step.objects.filter(side="held", code=code).order_by("pk")]


# ---- §6.1 delivery --------------------------------------------------------------------------------------------------


def test_1_an_entry_in_error_does_not_stop_the_later_ones_of_its_dossier() -> None:
    with _portal({(CODE, RECORDS, 5): Fault("refuse", 1, "sai mã thủ tục")}) as portal:
        _deliver(portal)
    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"delivered": 7, "dead": 1}


def test_2_what_was_being_sent_when_we_were_killed_is_sent_again(portal: Portal) -> None:
    class Killed:
        url = portal.url

        def call(self, service: str, **arguments: Any) -> Reply:
            portal.call(service, **arguments)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _deliver(Killed())
    assert Delivery.objects.filter(state="waiting").count() == 8
    deliver.Deliverer(portal).run(at=NOW)
    assert desk.differences([CODE]) == []


def test_3_a_run_that_ends_early_leaves_the_next_one_free(portal: Portal) -> None:
    class Broken:
        url = portal.url

        def call(self, service: str, **arguments: Any) -> Reply:
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        _deliver(Broken())
    with pytest.raises(RuntimeError):
        deliver.Deliverer(Broken()).run(at=NOW)
    assert deliver.Deliverer(portal).run(at=NOW).delivered == 8


def test_4_delivery_is_among_the_workers_jobs_without_any_property(tmp_path: Path) -> None:
    from motcua.cli import work

    assert "deliver" in {task.name for task in work._tasks(tmp_path)}


def test_5_a_time_out_after_the_portal_stored_the_message_ends_well() -> None:
    faults = {(CODE, RECORDS, 1): Fault("lose_answer", 1), (CODE, STEPS, 9): Fault("lose_answer", 1)}
    with _portal(faults) as portal:
        _deliver(portal, hours=6)
    assert desk.differences([CODE]) == []


@pytest.mark.parametrize("http", [200, 401])
def test_6_an_expired_session_is_thrown_away_and_nothing_becomes_an_error(http: int) -> None:
    clock = MovableClock()
    clock.put(NOW)
    with _portal(clock=clock, expired_session_http=http) as portal:
        assert portal.call("LayDanhSachTTHC").ok
        clock.advance(timedelta(hours=1))
        _deliver(portal)
    assert desk.differences([CODE]) == [] and not Delivery.objects.filter(attempts__gt=2).exists()


def test_7_whether_a_dossier_exists_is_never_guessed_from_a_look_up(portal: Portal) -> None:
    _deliver(portal)
    assert _sent("TraCuuHoSo") == []


@pytest.mark.parametrize("forgotten", [False, True], ids=["the queue was purged", "and the standing lost"])
def test_8_an_old_dossier_goes_on_after_its_entries_are_gone(forgotten: bool, portal: Portal) -> None:
    by = desk.accepted(CODE)
    deliveries.plan()
    deliver.Deliverer(portal).run(at=NOW)
    Delivery.objects.all().delete()
    if forgotten:
        Standing.objects.all().delete()
    desk.result.finish(at=at("2026-03-09T09:00"), **by)
    deliveries.plan()
    deliver.Deliverer(portal).run(at=NOW)
    assert Delivery.objects.get().state == "delivered"
    assert Record.objects.get(side="held").status == "9" and Status.FINISHED in _statuses()


def test_9_and_10_each_event_is_one_dossier_message_and_only_the_first_a_create(portal: Portal) -> None:
    _deliver(portal, *desk.LIVES)
    told = [(message["data"][0]["MaHoSo"], message["isUpdating"]) for message in _sent()]
    assert len(told) == Delivery.objects.count()
    for code in {code for code, _ in told}:
        assert [updating for of, updating in told if of == code] == ["False"] + ["True"] * (
            sum(of == code for of, _ in told) - 1
        )


def test_11_a_dossier_is_not_done_while_one_of_its_steps_is_not() -> None:
    with _portal({(CODE, STEPS, 9): Fault("refuse", message="không nhận")}) as portal:
        _deliver(portal, hours=8)
    assert [d.kind for d in Delivery.objects.exclude(state="delivered")] == ["finished"]


def test_12_in_a_batch_only_the_step_that_failed_is_sent_again() -> None:
    codes = [f"H99.12-260302-{number:04}" for number in (1, 2, 3)]
    with _portal({(codes[1], STEPS, 9): Fault("refuse", 1, "không nhận")}) as portal:
        _deliver(portal, *[desk.returned] * 3, hours=4, batch=3)
    assert desk.differences(codes) == []
    nines = [item["MaHoSo"] for m in _sent(STEPS) for item in m["data"] if item["TrangThai"] == "9"]
    assert Counter(nines) == {codes[0]: 1, codes[1]: 2, codes[2]: 1}


def test_13_new_entries_and_refusals_before_acceptance_are_sent(portal: Portal) -> None:
    _deliver(portal, desk.refused)
    assert _statuses() == [Status.REGISTERED, Status.REFUSED]


def test_14_a_bug_is_never_swallowed(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motcua.exchange.messages.build_record", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        _deliver(portal)
    assert not Delivery.objects.exclude(state="waiting").exists()


def test_15_nothing_counts_as_delivered_that_the_portal_did_not_receive(portal: Portal) -> None:
    _deliver(portal, *desk.LIVES)
    received = Counter(message["data"][0]["MaHoSo"] for message in _sent())
    assert received == Counter(Delivery.objects.filter(state="delivered").values_list("dossier", flat=True))


def test_16_a_step_that_fails_after_its_record_is_kept_and_arrives() -> None:
    with _portal({(CODE, STEPS, 4): Fault("refuse", 1, "sai đơn vị, không nhận")}) as portal:
        _deliver(portal)
        assert dead_letters.select().count() == 1
        dead_letters.replay(dead_letters.select(), at=NOW)
        deliver.Deliverer(portal).run(at=NOW)
    assert desk.differences([CODE]) == []


# ---- §6.2 content ---------------------------------------------------------------------------------------------------


def test_2_1_every_status_of_a_quick_life_is_told_as_of_its_own_event(portal: Portal) -> None:
    _deliver(portal)
    assert [int(message["data"][0]["TrangThaiHoSo"]) for message in _sent()] == [1, 2, 5, 4, 4, 4, 9, 10]
    assert _statuses() == [1, 2, 5, 4, 4, 4, 9, 10]


def test_2_2_a_refusal_comes_after_its_create(portal: Portal) -> None:
    _deliver(portal, desk.refused)
    assert [(m["isUpdating"], m["data"][0]["TrangThaiHoSo"]) for m in _sent()] == [("False", "1"), ("True", "3")]


def test_2_3_no_life_goes_a_way_that_the_law_does_not_know(portal: Portal) -> None:
    _deliver(portal, *desk.LIVES)
    for number in range(1, len(desk.LIVES) + 1):
        told = _statuses(f"H99.12-260302-{number:04}")
        assert all(is_lawful(before, after) for before, after in pairwise([None, *told]) if after is not None)
    assert _statuses().index(Status.FINISHED) < _statuses().index(Status.RETURNED)


def test_2_4_every_accepted_dossier_carries_its_due_instant(portal: Portal) -> None:
    _deliver(portal, *desk.LIVES)
    assert all(item["NgayHenTra"] for m in _sent() for item in m["data"] if item["NgayTiepNhan"])


def test_2_5_waiting_and_stopping_are_never_told_as_a_finish(portal: Portal) -> None:
    _deliver(portal, desk.withdrawn, desk.stopped)
    assert Status.PAYMENT in _statuses() and _statuses()[-1] is Status.WITHDRAWN
    assert _statuses("H99.12-260302-0002")[-1] is Status.STOPPED
    assert not any(item["TrangThaiHoSo"] == "9" for m in _sent() for item in m["data"])


def test_2_6_a_pause_moves_the_due_instant_there_and_stands_in_the_list(portal: Portal) -> None:
    _deliver(portal)
    record = json.loads(Record.objects.get(side="held").body)
    assert record["NgayHenTra"] == "20260312080000" and len(record["DanhSachHoSoBoSung"]) == 1


def test_2_7_the_finish_is_when_it_was_finished(portal: Portal) -> None:
    _deliver(portal)
    record = json.loads(Record.objects.get(side="held").body)
    assert record["NgayKetThucXuLy"] == "20260309090000" != record["NgayHenTra"]
    assert Step.objects.get(side="held", status="9").at == at("2026-03-09T09:00")


def test_2_8_no_number_is_invented_for_a_person(portal: Portal) -> None:
    _deliver(portal)
    record = json.loads(Record.objects.get(side="held").body)
    assert not any(record.get(name) for name in ("MaDoiTuong", "SoGiayToChuHoSo", "DinhDanhCHS"))


def test_2_9_and_11_steps_name_who_did_what_and_none_is_empty(portal: Portal) -> None:
    _deliver(portal)
    steps = [item for message in _sent(STEPS) for item in message["data"]]
    assert {step["NguoiXuLy"] for step in steps} == {desk.CLERK.name}
    assert all(step["NoiDungXuLy"].strip() for step in steps)
    assert "Dinhkem" not in json.dumps(_sent(), ensure_ascii=False)


def test_2_10_a_long_text_is_cut_where_the_reader_sees_it() -> None:
    by = desk.accepted(CODE)
    desk.result.stop(at=at("2026-03-05T08:00"), reason="vì lý do " * 600, **by)
    with _portal() as portal:
        deliveries.plan()
        assert deliver.Deliverer(portal).run(at=NOW).dead == 0
    content = _sent(STEPS)[-1]["data"][0]["NoiDungXuLy"]
    assert len(content) <= Profile().max_content and content.endswith("[đã rút gọn]")


@pytest.mark.parametrize("omitted", ["keep", "clear"])
def test_2_12_every_update_holds_the_whole_lists_whatever_the_portal_does_with_omitted_ones(omitted: str) -> None:
    with _portal(omitted_lists=omitted) as portal:
        _deliver(portal)
    assert len(json.loads(Record.objects.get(side="held").body)["DanhSachHoSoBoSung"]) == 1


def test_2_13_no_document_is_told_as_a_result_that_is_none(portal: Portal) -> None:
    _deliver(portal)
    assert not json.loads(Record.objects.get(side="held").body).get("DanhSachGiayToKetQua")


def test_2_14_texts_are_composed_and_without_a_byte_order_mark(portal: Portal) -> None:
    reception.submit(procedure="1.000001", agency="H99.12", at=at("2026-03-02T08:00"), allotted="5d", by=desk.CLERK,
                     applicant=unicodedata.normalize("NFD", "Trần Thị Thử"), now=NOW, code=CODE)  # fmt: skip
    deliveries.plan()
    deliver.Deliverer(portal).run(at=NOW)
    body = bytes(Message.objects.get(service=RECORDS).body).decode()
    assert unicodedata.is_normalized("NFC", body) and "Trần Thị Thử" in body and not body.startswith("\ufeff")
