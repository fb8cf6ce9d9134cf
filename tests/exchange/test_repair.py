"""Read-back finds what was acknowledged and is not there, sends it again, and touches nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.exchange import desk
from tests.served import served

from motcua.exchange import deliver, deliveries, repair
from motcua.exchange.models import Delivery
from motcua.mirror import door
from motcua.mirror.client import Portal, PortalUnreachable
from motcua.mirror.faults import Fault, Plan
from motcua.mirror.models import Message, Record, Step
from motcua.mirror.server import Server
from motcua.wire.profile import Profile

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW, CODE = desk.NOW, "H99.12-260302-0001"
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


def _delivered(portal: Portal) -> None:
    desk.returned(CODE)
    deliveries.plan()
    deliver.Deliverer(portal).run(at=NOW)
    assert not Delivery.objects.exclude(state="delivered").exists()


def _mended(portal: Portal) -> None:
    deliver.Deliverer(portal).run(at=NOW)
    assert desk.differences([CODE]) == []
    assert repair.run(portal=portal, at=NOW, codes=[CODE]).differences == []


def test_what_is_equal_is_left_alone(portal: Portal) -> None:
    _delivered(portal)
    before = Message.objects.filter(service__in=[RECORDS, STEPS]).count()
    report = repair.run(portal=portal, at=NOW, codes=[CODE])
    assert (report.looked_up, report.sent_again, report.differences) == (1, 0, [])
    _mended(portal)
    assert Message.objects.filter(service__in=[RECORDS, STEPS]).count() == before


def test_a_step_that_was_acknowledged_and_is_not_there_goes_again(portal: Portal, faults: Plan) -> None:
    faults._faults[CODE, STEPS, 9] = Fault("accept_not_apply", 1)
    _delivered(portal)
    report = repair.run(portal=portal, at=NOW, codes=[CODE])
    [found] = report.differences
    assert (found.lacks, found.fields, report.sent_again) == ([7], {}, 1)
    _mended(portal)


def test_a_record_that_stands_otherwise_is_told_again_field_by_field(portal: Portal, faults: Plan) -> None:
    faults._faults[CODE, RECORDS, 10] = Fault("accept_not_apply", 1)
    _delivered(portal)
    [found] = repair.run(portal=portal, at=NOW, codes=[CODE]).differences
    assert found.fields["TrangThaiHoSo"] == ("9", "10") and "NgayTra" in found.fields and not found.lacks
    _mended(portal)


def test_a_dossier_that_is_gone_goes_again_whole(portal: Portal) -> None:
    _delivered(portal)
    Record.objects.filter(side="held").delete()
    Step.objects.filter(side="held").delete()
    report = repair.run(portal=portal, at=NOW, codes=[CODE])
    assert report.differences[0].absent and report.sent_again == 8
    _mended(portal)


def test_a_step_that_we_never_sent_is_told_and_left_to_people(portal: Portal) -> None:
    _delivered(portal)
    stranger = {"MaHoSo": CODE, "NguoiXuLy": "?", "ThoiDiemXuLy": "20260302083000", "NoiDungXuLy": "x", "TrangThai": 9}
    assert portal.call(STEPS, data=[stranger]).ok
    report = repair.run(portal=portal, at=NOW, codes=[CODE])
    assert (report.differences[0].strange, report.sent_again) == (1, 0)


def test_a_portal_that_is_away_is_told_so() -> None:
    with served(lambda environ, start: []) as gone:
        pass
    codes = [f"H99.12-260302-{n:04}" for n in range(9)]
    for code in codes:
        desk.accepted(code)
    deliveries.plan()
    Delivery.objects.update(state="delivered")
    with pytest.raises(PortalUnreachable):
        repair.run(portal=Portal(gone, "demo-h99", "demo-password", "H99"), at=NOW, codes=codes)
