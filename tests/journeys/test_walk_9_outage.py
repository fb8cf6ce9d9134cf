"""Walk 9: an operator through an outage of an hour: what waits, what we would be blamed for, nothing lost, a ticket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from tests.browsers import chromium, page_of, sign_in
from tests.exchange import desk
from tests.exchange.planted import NOW, PRESSING
from tests.served import served

from motcua.accounts.models import Post, User
from motcua.dossiers import result
from motcua.exchange import alerts, deliver, deliveries, read_back, tickets
from motcua.exchange.models import Delivery, Endpoint, Ticket
from motcua.mirror import door
from motcua.mirror.client import Portal
from motcua.mirror.models import Record
from motcua.mirror.server import Server
from motcua.wire.profile import Profile

pytestmark = pytest.mark.django_db(databases=["default", "mirror"], transaction=True)
CALM = [f"H99.12-260302-01{n:02}" for n in range(4)]


class Clock:
    """The one clock of desk, portal and pages; the walk moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(timezone, "now", moved)
    return moved


@pytest.fixture
def page(live_server: Any, home: Path, clock: Clock) -> Iterator[Any]:
    operator = User.objects.create_user("van-hanh", password="demo-motcua")
    Post.objects.create(user=operator, role="operator")
    with chromium() as browser:
        page = page_of(browser, live_server.url)
        sign_in(page, "van-hanh", "demo-motcua", at="/dong-bo")
        page.locator("h1", has_text="Đồng bộ").wait_for()
        yield page


def _send(portal: Portal, at: datetime) -> deliver.Report:
    deliveries.plan()
    alerts.evaluate(now=at)
    return deliver.Deliverer(portal, seed=3).run(at=at)


def test_an_outage_is_told_survived_and_leaves_a_ticket_that_the_data_close(page: Any, clock: Clock) -> None:
    with served(door.application(Server(Profile()), clock)) as url:
        portal = Portal(url, "demo-h99", "demo-password", "H99", timeout_s=1)
        for code in CALM:
            desk.accepted(code, "40d")
        desk.accepted(PRESSING, "9d")  # due at 08:30 tomorrow
        assert _send(portal, clock.now).delivered == 10
        read_back.run(portal=portal, at=clock.now, codes=[*CALM, PRESSING])
    page.goto("/dong-bo")
    assert "0 hồ sơ sẽ thành quá hạn" not in page.inner_text("main")
    quiet = page.inner_text("main")

    # The portal is away; officials go on.
    for code in [*CALM, PRESSING]:
        result.finish(at=clock.now, by=desk.CLERK, now=clock.now, code=code)
    for _ in range(12):
        clock.now += timedelta(minutes=5)
        _send(portal, clock.now)
    portal.close()
    assert Delivery.objects.exclude(state="delivered").count() == 5
    page.goto("/dong-bo")
    told = page.inner_text("main")
    assert "1 hồ sơ sẽ thành quá hạn trên Cổng trong 24 giờ chỉ vì chưa gửi" in told
    assert "cũ nhất chưa gửi: 60 phút" in told and told != quiet
    assert "Gửi trước 1 hồ sơ" in told

    # A vendor's fault is handed over meanwhile.
    ticket = tickets.open_(codes=[PRESSING], owner_kind="vendor", owner="Nhà cung cấp A", cause="update_not_sent",
                           by="van-hanh", at=clock.now)  # fmt: skip

    # It comes back: the pressing one goes first, nothing is lost.
    page.locator("button", has_text="Gửi trước 1 hồ sơ").click()
    page.locator("form button.main, form button", has_text="Gửi").first.click()
    with served(door.application(Server(Profile()), clock)) as back:
        Endpoint.objects.update(url=back)
        clock.now += timedelta(minutes=10)
        portal = Portal(back, "demo-h99", "demo-password", "H99", timeout_s=5)
        assert _send(portal, clock.now).delivered == 5
        arrived = list(Record.objects.filter(side="held").order_by("message").values_list("code", flat=True))
        assert PRESSING in arrived[:2], "after the probe at most"
        assert desk.differences([*CALM, PRESSING]) == []
        clock.now += timedelta(minutes=5)
        read_back.run(portal=portal, at=clock.now, codes=[*CALM, PRESSING])
        tickets.settle(at=clock.now)
        portal.close()
    assert Ticket.objects.get(pk=ticket.pk).state == "closed"
    page.goto("/dong-bo")
    told = page.inner_text("main")
    assert "sẽ thành quá hạn trên Cổng trong 24 giờ" not in told
    assert "trả lời lúc" in told
