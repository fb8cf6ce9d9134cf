"""Read-back: within a budget, the pressing ones first and everyone in turn; what differs is kept, mended and timed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from tests.exchange import desk
from tests.served import served

from motcua.dossiers import result
from motcua.dossiers.models import AlternativeCode
from motcua.exchange import deliver, deliveries, read_back, reconcile_figures, repair
from motcua.exchange.models import Delivery, Difference, Looked, LookUps, Repair
from motcua.mirror import door
from motcua.mirror.client import Portal, PortalUnreachable, Reply
from motcua.mirror.faults import Fault, Plan
from motcua.mirror.models import Message, Record, Step
from motcua.mirror.server import Server
from motcua.wire.profile import Profile

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW, CODE = desk.NOW, "H99.12-260302-0001"
RECORDS, STEPS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
HOUR = timedelta(hours=1)


@pytest.fixture
def faults() -> Plan:
    """What the portal does wrong; tests fill it."""
    return Plan()


@contextmanager
def _portal(faults: Plan | None = None, **switches: Any) -> Iterator[Portal]:
    with served(door.application(Server(Profile(**switches), faults or Plan()), lambda: NOW)) as url:
        client = Portal(url, "demo-h99", "demo-password", "H99")
        yield client
        client.close()


@pytest.fixture
def portal(faults: Plan) -> Iterator[Portal]:
    """A client of the mirror's server over HTTP."""
    with _portal(faults) as client:
        yield client


def _delivered(portal: Portal, *codes: str, life: Callable[[str], Any] = desk.returned) -> None:
    for code in codes or (CODE,):
        life(code)
    deliveries.plan()
    deliver.Deliverer(portal).run(at=NOW)


def _looked_up(portal: Portal, at: Any = NOW + HOUR, **more: Any) -> read_back.Report:
    return read_back.run(portal=portal, at=at, **more)


def _open() -> dict[str, tuple[str, str, str, str]]:
    rows = Difference.objects.filter(closed_at=None)
    return {row.name: (row.ours, row.there, row.why, row.act) for row in rows}


# ---- what differs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("life", desk.LIVES, ids=lambda life: life.__name__)
def test_what_arrived_whole_differs_in_nothing(portal: Portal, life: Callable[[str], None]) -> None:
    _delivered(portal, life=life)
    report = _looked_up(portal)
    assert (report.looked_up, report.found, _open()) == (1, 1, {})
    assert Looked.objects.get(dossier=CODE).equal_at == NOW + HOUR


def test_a_lost_record_is_told_field_by_field_and_goes_again_by_itself(portal: Portal, faults: Plan) -> None:
    faults._faults[CODE, RECORDS, 10] = Fault("accept_not_apply", 1)
    _delivered(portal)
    _looked_up(portal)
    assert _open()["TrangThaiHoSo"] == ("10", "9", "not_shown", "resend")
    assert _open()["NgayTra"] == ("20260310090000", "", "not_shown", "resend")
    report = _looked_up(portal, NOW + 2 * HOUR, repair="ours", codes=[CODE])
    assert report.sent_again == 1
    kept = Repair.objects.get()
    assert (kept.reason, kept.before["TrangThaiHoSo"], kept.worked_at) == ("not_shown", ["10", "9"], None)
    deliver.Deliverer(portal).run(at=NOW + 3 * HOUR)
    later = NOW + 4 * HOUR
    assert _looked_up(portal, later, repair="ours", codes=[CODE]).closed == 2
    assert _open() == {} and desk.differences([CODE]) == []
    assert Repair.objects.get().worked_at == later


def test_a_lost_step_goes_again_and_nothing_else_is_touched(portal: Portal, faults: Plan) -> None:
    faults._faults[CODE, STEPS, 9] = Fault("accept_not_apply", 1)
    _delivered(portal)
    before = Message.objects.filter(service__in=[RECORDS, STEPS]).count()
    assert _looked_up(portal, repair="ours").sent_again == 1
    deliver.Deliverer(portal).run(at=NOW + 2 * HOUR)
    assert desk.differences([CODE]) == []
    assert Message.objects.filter(service__in=[RECORDS, STEPS]).count() == before + 2
    assert _looked_up(portal, NOW + 3 * HOUR, repair="ours", codes=[CODE]).sent_again == 0


def test_a_repair_that_does_not_work_is_given_up_and_left_to_people(portal: Portal, faults: Plan) -> None:
    faults._faults[CODE, STEPS, 9] = Fault("accept_not_apply")
    _delivered(portal)
    for hour in range(1, 10):
        _looked_up(portal, NOW + hour * HOUR, repair="ours", codes=[CODE])
        deliver.Deliverer(portal).run(at=NOW + hour * HOUR)
    assert Repair.objects.count() == repair.PATIENCE
    assert _open()["step -7"][2:] == ("not_shown", "resend")


def test_a_refusal_is_a_difference_with_the_portals_words_and_is_not_repaired(portal: Portal, faults: Plan) -> None:
    faults._faults[CODE, RECORDS, 9] = Fault("refuse", message="mã thủ tục không có trong danh mục")
    faults._faults[CODE, RECORDS, 10] = Fault("refuse", message="mã thủ tục không có trong danh mục")
    _delivered(portal)
    report = _looked_up(portal, repair="all")
    assert report.sent_again == 0 and _open()["TrangThaiHoSo"] == ("10", "4", "refused", "replay")
    assert "mã thủ tục" in Difference.objects.get(name="TrangThaiHoSo").words


def test_what_waits_for_long_is_told_and_what_has_just_left_is_not(portal: Portal) -> None:
    _delivered(portal)
    Delivery.objects.filter(kind__in=["finished", "returned"]).update(state="waiting")
    Record.objects.filter(side="held").delete()
    assert _looked_up(portal, NOW + timedelta(minutes=5)).looked_up == 0
    assert Looked.objects.get(dossier=CODE).fresh
    assert _looked_up(portal, NOW + HOUR).looked_up == 1 and "dossier" in _open()


def test_what_changed_over_there_waits_for_a_person_with_a_proposal(portal: Portal) -> None:
    _delivered(portal)
    _looked_up(portal)
    Record.objects.filter(side="held").update(body=Record.objects.get(side="held").body.replace("20260312", "20260402"))
    stranger = {"MaHoSo": CODE, "NguoiXuLy": "?", "ThoiDiemXuLy": "20260302083000", "NoiDungXuLy": "x", "TrangThai": 9}
    assert portal.call(STEPS, data=[stranger]).ok
    report = _looked_up(portal, NOW + 30 * HOUR, repair="all")
    assert report.sent_again == 0
    assert _open() == {
        "NgayHenTra": ("20260312080000", "20260402080000", "changed_there", "ask_portal"),
        "DanhSachHoSoBoSung 1 NgayHenTraMoi": ("20260312080000", "20260402080000", "changed_there", "ask_portal"),
        "step +9 20260302083000": ("", "9 20260302083000", "changed_there", "ask_portal"),
    }
    assert {row.arose_at for row in Difference.objects.all()} == {NOW + HOUR}


def test_a_dossier_that_is_gone_goes_again_whole(portal: Portal) -> None:
    _delivered(portal)
    Record.objects.filter(side="held").delete()
    Step.objects.filter(side="held").delete()
    assert _looked_up(portal, repair="ours").sent_again == 8
    deliver.Deliverer(portal).run(at=NOW + 2 * HOUR)
    assert desk.differences([CODE]) == []


def test_a_record_under_another_code_of_the_dossier_is_found(portal: Portal) -> None:
    _delivered(portal)
    other = "H99.12-260302-54321"
    record = {**json.loads(Record.objects.get(side="held").body), "MaHoSo": other}
    assert portal.call(RECORDS, isUpdating="False", data=[record]).ok
    AlternativeCode.objects.create(code=other, dossier=CODE)
    report = _looked_up(portal)
    assert (report.looked_up, report.calls) == (1, 2)
    assert _open() == {f"code {other}": (CODE, other, "other_sender", "ask_portal")}
    assert Record.objects.filter(side="seen", code=other).exists()


def test_a_difference_that_comes_back_is_a_new_one(portal: Portal) -> None:
    _delivered(portal)
    body = Record.objects.get(side="held").body
    for hour, text in ((1, body), (2, body.replace('"10"', '"4"')), (3, body), (4, body.replace('"10"', '"4"'))):
        Record.objects.filter(side="held").update(body=text)
        _looked_up(portal, NOW + hour * HOUR, codes=[CODE])
    rows = Difference.objects.filter(name="TrangThaiHoSo").order_by("pk")
    assert [(row.first_seen, row.closed_at) for row in rows] == [
        (NOW + 2 * HOUR, NOW + 3 * HOUR), (NOW + 4 * HOUR, None),
    ]  # fmt: skip


# ---- whose turn it is -----------------------------------------------------------------------------------------------


def _population(count: int) -> list[str]:
    """Dossiers looked up in turn, the first longest ago; none fresh, due soon or differing."""
    codes = [f"D{n:03}" for n in range(count)]
    Looked.objects.bulk_create(
        [Looked(dossier=code, fresh=False, asked_at=NOW + timedelta(minutes=n)) for n, code in enumerate(codes)]
    )
    return codes


def test_the_changed_the_due_soon_and_the_differing_go_first_and_a_part_is_kept_for_the_rest() -> None:
    codes = _population(60)
    at = NOW + timedelta(days=3)
    for n in range(20, 40):
        Looked.objects.filter(dossier=codes[n]).update(fresh=True, changed_at=at - timedelta(minutes=n))
    Looked.objects.filter(dossier="D050").update(due_at=at + HOUR)
    Looked.objects.filter(dossier="D051").update(differs=True)
    Looked.objects.filter(dossier__in=codes[:5]).update(ended=True)
    first = read_back.chosen(24, at=at, passed=set())
    assert set(codes[21:40]) <= set(first) and first[0] == "D039"
    assert {"D005", "D006", "D007", "D008", "D000"} <= set(first)
    assert set(read_back.chosen(60, at=at, passed=set())) == set(codes)


def test_every_round_reaches_everyone_however_many_change() -> None:
    codes = _population(50)
    at, reached = NOW + timedelta(days=3), set()
    for _ in range(60):
        at += HOUR
        Looked.objects.filter(dossier__in=codes[:20]).update(fresh=True, changed_at=at)
        some = read_back.chosen(10, at=at, passed=set())
        reached |= set(some)
        Looked.objects.filter(dossier__in=some).update(asked_at=at, fresh=False)
    assert reached == set(codes)


def test_the_hours_budget_holds_over_runs_and_a_new_hour_begins_anew(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTCUA_READ_BACK_PER_HOUR", "3")
    codes = [f"H99.12-260302-{n:04}" for n in range(5)]
    _delivered(portal, *codes)
    at = NOW + HOUR
    assert _looked_up(portal, at, budget=read_back.left(at=at)).looked_up == 3
    assert read_back.left(at=at + timedelta(minutes=59)) == 0
    assert _looked_up(portal, at, budget=0).calls == 0
    at += HOUR
    assert _looked_up(portal, at, budget=read_back.left(at=at)).looked_up == 3
    assert set(Looked.objects.exclude(seen_at=None).values_list("dossier", flat=True)) == set(codes)
    assert list(LookUps.objects.order_by("hour").values_list("calls", flat=True)) == [3, 3]


class _Dying:
    """A portal that goes away after so many answers."""

    def __init__(self, portal: Portal, answers: int, *, error: Exception) -> None:
        self.portal, self.answers, self.error = portal, answers, error
        self.url = portal.url
        self.asked: list[str] = []

    def call(self, service: str, **arguments: Any) -> Reply:
        if len(self.asked) >= self.answers:
            raise self.error
        self.asked.append(arguments["mahoso"])
        return self.portal.call(service, **arguments)


def test_a_killed_look_at_everything_is_gone_on_with(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_back, "BLOCK", 2)
    codes = [f"H99.12-260302-{n:04}" for n in range(7)]
    _delivered(portal, *codes)
    with pytest.raises(KeyboardInterrupt):
        read_back.run(portal=_Dying(portal, 5, error=KeyboardInterrupt()), at=NOW + HOUR)
    again = _Dying(portal, 100, error=KeyboardInterrupt())
    read_back.run(portal=again, at=NOW + 2 * HOUR)
    assert len(again.asked) == 3 and not Looked.objects.filter(seen_at=None).exists()


def test_a_portal_that_is_away_is_told_so_and_what_was_learnt_before_is_kept(portal: Portal) -> None:
    codes = [f"H99.12-260302-{n:04}" for n in range(9)]
    _delivered(portal, *codes)
    with pytest.raises(PortalUnreachable):
        read_back.run(portal=_Dying(portal, 3, error=PortalUnreachable("away")), at=NOW + HOUR)
    assert Looked.objects.exclude(seen_at=None).count() == 3


def test_one_dossier_without_answer_holds_up_no_other(portal: Portal) -> None:
    codes = [f"H99.12-260302-{n:04}" for n in range(4)]
    _delivered(portal, *codes)

    class Stumbling:
        url = portal.url

        def call(self, service: str, **arguments: Any) -> Reply:
            if arguments["mahoso"] == codes[0]:
                raise PortalUnreachable("only this one")
            return portal.call(service, **arguments)

    report = read_back.run(portal=Stumbling(), at=NOW + HOUR)
    assert (report.looked_up, report.unanswered) == (3, [codes[0]])
    assert read_back.run(portal=portal, at=NOW + 2 * HOUR).looked_up == 1  # it is still fresh, the others are not


# ---- the portal's list ----------------------------------------------------------------------------------------------


def test_a_list_tells_what_changed_there_and_what_only_the_portal_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_back, "_PAGE", 3)
    codes = [f"H99.12-260302-{n:04}" for n in range(7)]
    profile = Profile(list_service="DanhSachHoSo")
    with _portal(list_service="DanhSachHoSo") as portal:
        _delivered(portal, *codes)
        assert _looked_up(portal, profile=profile).looked_up == 7
        again = _looked_up(portal, NOW + 30 * HOUR, profile=profile)
        assert (again.listed, again.looked_up, again.calls) == (7, 0, 3)
        assert Looked.objects.filter(equal_at=NOW + 30 * HOUR).count() == 7
        step = {"MaHoSo": codes[2], "NguoiXuLy": "?", "ThoiDiemXuLy": "20260311083000", "NoiDungXuLy": "x",
                "TrangThai": 4}  # fmt: skip
        assert portal.call(STEPS, data=[step]).ok
        lonely = {"MaHoSo": "H99.12-260302-9001", "MaTTHC": "1.000001", "DonViXuLy": "H99.12", "TrangThaiHoSo": "2",
                  "NgayTiepNhan": "20260302083000"}  # fmt: skip
        assert portal.call(RECORDS, isUpdating="False", data=[lonely]).ok
        Record.objects.filter(side="held", code=codes[4]).delete()
        third = _looked_up(portal, NOW + 31 * HOUR, profile=profile)
        assert set(third.differences) == {codes[2], codes[4], "H99.12-260302-9001"} and third.looked_up == 3
    kept = {(row.dossier, row.why, row.act) for row in Difference.objects.filter(closed_at=None)}
    assert kept == {
        (codes[2], "changed_there", "ask_portal"), (codes[4], "not_shown", "resend"),
        ("H99.12-260302-9001", "other_sender", "enter_here"),
    }  # fmt: skip
    assert Record.objects.filter(side="seen", code="H99.12-260302-9001").exists()


# ---- how long it took -----------------------------------------------------------------------------------------------


def test_the_time_to_detect_runs_from_our_event_or_the_last_equal_look(portal: Portal, faults: Plan) -> None:
    faults._faults[CODE, STEPS, 9] = Fault("accept_not_apply")
    _delivered(portal)
    _looked_up(portal, NOW + timedelta(minutes=30))
    figures = reconcile_figures.report(now=NOW + HOUR)
    assert figures["detect_median_s"] == figures["detect_p95_s"] == 1800
    assert (figures["differences"], figures["dossiers_differing"]) == (1, 1)
    assert figures["by_why"] == {"not_shown": 1} and figures["repairs"] == {"made": 0, "worked": 0}


def test_the_figures_say_how_many_open_dossiers_were_seen_in_a_day(portal: Portal) -> None:
    for n in range(4):
        desk.accepted(f"H99.12-260302-{n:04}")
    deliveries.plan()
    deliver.Deliverer(portal).run(at=NOW)
    _looked_up(portal, NOW + HOUR, budget=3)
    figures = reconcile_figures.report(now=NOW + 2 * HOUR)
    assert (figures["open_seen_in_a_day"], figures["open"]) == (3, 4)
    assert reconcile_figures.report(now=NOW + 26 * HOUR)["open_seen_in_a_day"] == 0
    result.finish(code="H99.12-260302-0000", by=desk.CLERK, now=NOW, at=NOW)
    read_back.catch_up()
    assert reconcile_figures.report(now=NOW + 2 * HOUR)["open"] == 3


# ---- other software's dossiers --------------------------------------------------------------------------------------


def test_imported_dossiers_are_compared_and_never_repaired_without_the_switch(portal: Portal) -> None:
    from motcua.dossiers.models import DossierRow

    _delivered(portal)
    DossierRow.objects.update(origin="other-software")
    Record.objects.filter(side="held").delete()
    assert _looked_up(portal, repair="ours", codes=[CODE]).sent_again == 0
    assert _looked_up(portal, repair="all", codes=[CODE]).sent_again == 8
    Delivery.objects.all().delete()
    before = Message.objects.filter(service__in=[RECORDS, STEPS]).count()
    report = _looked_up(portal, repair="all", codes=[CODE])
    assert report.sent_again == 0 and _open()["dossier"][2:] == ("other_sender", "tell_sender")
    assert Message.objects.filter(service__in=[RECORDS, STEPS]).count() == before
