"""A day of the synchronisation with one of each: refused, waiting and soon late, taken but not shown, equal, silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from tests.exchange import desk
from tests.served import served
from tests.story import at

from motcua.dossiers import result
from motcua.exchange import deliver, deliveries, read_back
from motcua.mirror import door
from motcua.mirror.client import Portal
from motcua.mirror.faults import Fault, Plan
from motcua.mirror.models import Message
from motcua.mirror.server import Server
from motcua.wire.profile import Profile

NOW = desk.NOW
REFUSED, PRESSING, NOT_SHOWN, EQUAL = (f"H99.12-260302-000{n}" for n in range(1, 5))
RECORDS, STEPS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
WORDS = "Sai mã thủ tục"


@contextmanager
def portal(faults: Plan) -> Iterator[Portal]:
    """A client of the mirror's server over HTTP."""
    with served(door.application(Server(Profile(), faults), lambda: NOW)) as url:
        client = Portal(url, "demo-h99", "demo-password", "H99")
        yield client
        client.close()


def faults() -> Plan:
    """What the portal does wrong with two of them."""
    plan = Plan()
    plan._faults[REFUSED, RECORDS, 9] = Fault("refuse", 1, WORDS)
    plan._faults[NOT_SHOWN, STEPS, 9] = Fault("accept_not_apply", 1)
    return plan


def happen(client: Portal) -> None:
    """The dossiers are delivered and looked up; of one the finish waits."""
    for code in (REFUSED, NOT_SHOWN, EQUAL):
        desk.returned(code)
    by = desk.accepted(PRESSING, allotted="9d")  # due at 08:30 tomorrow
    deliveries.plan()
    deliver.Deliverer(client).run(at=NOW)
    result.finish(at=at("2026-03-12T08:00"), **by)
    deliveries.plan()
    read_back.run(portal=client, at=NOW, codes=[REFUSED, NOT_SHOWN, EQUAL])


def silence(sender: str = "H99.15") -> None:
    """A sender of twenty messages an hour that says nothing since yesterday 14:30."""
    last = at("2026-03-11T14:30")
    Message.objects.bulk_create(
        Message(received_at=last - timedelta(minutes=3 * n), sender=sender, service=STEPS, body=b"{}", error_code=0)
        for n in range(120)
    )
