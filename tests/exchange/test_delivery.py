"""Delivery over real HTTP: in order, at least once, nothing lost through outages, refusals visible, read back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.exchange import desk
from tests.served import served
from tests.story import at

from motcua.exchange import deliver, deliveries, read_back
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
    assert read_back.status(now=NOW)["errors"][0]["count"] == 1
    assert deliver.replay_dead(at=NOW) == 1
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
    assert read_back.run(portal=portal, at=NOW, codes=[*codes, "H99.12-260302-9999"]) == (6, 5)
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
