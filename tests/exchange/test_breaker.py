"""The circuit breaker: seen by every process, half open with one probe, back by itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from tests.exchange import desk
from tests.served import served

from motcua.exchange import alerts, deliver, deliveries, status, turn
from motcua.exchange.breaker import PROBE, THRESHOLD, Breaker, Permit
from motcua.exchange.models import Delivery, Endpoint
from motcua.mirror import door
from motcua.mirror.client import Portal
from motcua.mirror.models import Message, Record
from motcua.mirror.server import Server
from motcua.wire.profile import Profile

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
NOW, URL = desk.NOW, "http://portal.example"
SECOND = timedelta(seconds=1)


def _broken(url: str = URL) -> Breaker:
    breaker = Breaker(url, seed=1)
    for n in range(THRESHOLD):
        breaker.failed(NOW, "no answer", dossier=f"d{n}", connected=True)
    return breaker


def _retry_in() -> timedelta:
    at = Endpoint.objects.get().retry_at
    assert at is not None
    return at - NOW


def test_it_opens_for_every_process_after_failures_of_different_dossiers() -> None:
    first, other = Breaker(URL), Breaker(URL)
    for n in range(THRESHOLD):
        assert other.permits(NOW) is Permit.ALL
        first.failed(NOW, "no answer", dossier=f"d{n}", connected=True)
    assert other.permits(NOW) is Permit.NONE and other.is_open()


def test_one_dossier_that_fails_again_and_again_does_not_open_it() -> None:
    breaker = Breaker(URL)
    for _ in range(10 * THRESHOLD):
        assert not breaker.failed(NOW, "HTTP 500", dossier="poisoned", connected=True)
    assert breaker.permits(NOW) is Permit.ALL


def test_half_open_lets_one_probe_through_until_its_sender_counts_as_dead() -> None:
    _broken()
    later = NOW + _retry_in()
    assert Breaker(URL).permits(later) is Permit.PROBE
    assert Breaker(URL).permits(later + SECOND) is Permit.NONE
    assert Breaker(URL).permits(later + PROBE) is Permit.PROBE


def test_a_probe_without_answer_opens_it_for_longer_one_with_an_answer_closes_it() -> None:
    breaker, at = _broken(), NOW
    pauses = []
    for _ in range(8):
        at = Endpoint.objects.get().retry_at or at
        assert breaker.permits(at) is Permit.PROBE
        breaker.failed(at, "no answer", dossier="d", connected=True)
        pauses.append((Endpoint.objects.get().retry_at or at) - at)
    assert pauses[0] < pauses[2] < pauses[4] and max(pauses) <= timedelta(minutes=5)
    assert len(set(pauses)) == len(pauses), "jitter"
    at += max(pauses)
    assert breaker.permits(at) is Permit.PROBE
    breaker.answered(at)
    assert breaker.permits(at) is Permit.ALL and not breaker.is_open()


def test_an_address_that_was_given_up_is_no_alert_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    _broken()
    monkeypatch.setenv("NATIONAL_PORTAL_URL", "http://now.example/")
    assert [each["url"] for each in status.report(now=NOW)["circuits"]] == [URL], "nothing else was tried"
    assert alerts.evaluate(now=NOW) == 1
    Breaker("http://now.example").answered(NOW)
    assert [each["url"] for each in status.report(now=NOW)["circuits"]] == ["http://now.example"]
    assert alerts.evaluate(now=NOW) == 0


def test_an_outage_costs_a_few_calls_and_then_the_backlog_flows_the_most_urgent_first() -> None:
    codes = [f"H99.12-260302-{n:04}" for n in range(6)]
    with served(door.application(Server(Profile()), lambda: NOW)) as url:
        for code, allotted in zip(codes, ("11d", "10d", "14d", "9d", "12d", "13d"), strict=True):
            desk.accepted(code, allotted)
        deliveries.plan()
        portal = Portal(url, "demo-h99", "demo-password", "H99")
        assert deliver.Deliverer(portal).run(at=NOW).delivered == 12
        portal.close()
    for code in codes:
        desk.result.finish(by=desk.CLERK, now=NOW, code=code, at=desk.at("2026-03-11T09:00"))
    deliveries.plan()
    portal = Portal(url, "demo-h99", "demo-password", "H99", timeout_s=1)
    clock = NOW
    calls = []
    for _ in range(20):
        clock += timedelta(minutes=1)
        calls.append(deliver.Deliverer(portal, seed=1).run(at=clock).calls)
    assert sum(calls) <= 12 and Delivery.objects.filter(state="waiting").count() == 6
    assert status.report(now=clock)["circuits"][0]["state"] == "open"
    Message.objects.all().delete()
    with served(door.application(Server(Profile()), lambda: clock)) as back:
        Endpoint.objects.update(url=back)
        clock += timedelta(hours=2)
        portal = Portal(back, "demo-h99", "demo-password", "H99")
        report = deliver.Deliverer(portal).run(at=clock)
        portal.close()
    assert (report.delivered, report.silent) == (6, False)
    arrived = list(Record.objects.filter(side="held").order_by("message").values_list("code", flat=True))
    assert sorted(arrived[1:]) == sorted(set(codes) - {arrived[0]})
    by_due = [codes[n] for n in (3, 1, 0, 4, 5, 2) if codes[n] != arrived[0]]
    assert arrived[1:] == by_due, "after the probe, by the due instant on the portal"
    assert status.report(now=clock)["circuits"][0]["state"] == "closed"


def test_two_processes_do_not_deliver_at_once() -> None:
    desk.accepted("H99.12-260302-0001")
    deliveries.plan()
    with served(door.application(Server(Profile()), lambda: NOW)) as url, turn.taken() as ours:
        assert ours
        portal = Portal(url, "demo-h99", "demo-password", "H99")
        _assert_busy(portal)
        portal.close()


def _assert_busy(portal: Portal) -> None:
    """From a thread, with a connection of its own as another process has."""

    def run() -> bool:
        try:
            return deliver.Deliverer(portal).run(at=NOW).busy
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(run).result()
