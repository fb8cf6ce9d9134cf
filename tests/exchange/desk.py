"""Dossiers handled at our desk, each life with other acts, and how what the portal holds differs from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.story import at

from motcua.catalogue.terms import Terms
from motcua.dossiers import log, reception, result, steps, waiting
from motcua.exchange import messages
from motcua.exchange.messages import Names
from motcua.exchange.models import Delivery
from motcua.mirror import held
from motcua.rules.dossier import Status, replay
from motcua.rules.moves import Actor

CLERK = Actor(name="Lê Thị Mẫu", unit="H99.12")
NOW = at("2026-03-12T09:00")


def accepted(code: str, allotted: str = "5d") -> dict[str, Any]:
    """A dossier submitted and accepted; returns what every further act needs."""
    by: dict[str, Any] = {"by": CLERK, "now": NOW, "code": code}
    reception.submit(procedure="1.000001", agency="H99.12", at=at("2026-03-02T08:00"), allotted=allotted,
                     applicant="Trần Thị Thử", **by)  # fmt: skip
    reception.receive(at=at("2026-03-02T08:30"), **by)
    return by


def returned(code: str) -> None:
    """With a supplement, finished and returned."""
    by = accepted(code)
    waiting.request_supplement(at=at("2026-03-03T08:00"), document=True, **by)
    waiting.receive_supplement(at=at("2026-03-05T08:00"), **by)
    steps.start(step="Ký", at=at("2026-03-06T08:00"), **by)
    steps.finish(step="Ký", at=at("2026-03-09T08:00"), **by)
    result.finish(at=at("2026-03-09T09:00"), **by)
    result.return_result(at=at("2026-03-10T09:00"), **by)


def refused(code: str) -> None:
    """Not accepted at the desk."""
    by: dict[str, Any] = {"by": CLERK, "now": NOW, "code": code}
    reception.submit(procedure="1.000001", agency="H99.12", at=at("2026-03-02T08:00"), allotted="5d", **by)
    reception.refuse(at=at("2026-03-02T09:00"), reason="không thuộc thẩm quyền", **by)


def withdrawn(code: str) -> None:
    """Extended with an apology, waiting for a fee, withdrawn."""
    by = accepted(code)
    result.extend(at=at("2026-03-04T08:00"), due_at=at("2026-03-20T17:00"), document=True, **by)
    waiting.request_payment(at=at("2026-03-05T08:00"), document=True, **by)
    waiting.pay(at=at("2026-03-06T08:00"), **by)
    result.withdraw(at=at("2026-03-07T08:00"), **by)


def stopped(code: str) -> None:
    """Suspended, sent to another agency, corrected, stopped."""
    by = accepted(code)
    waiting.suspend(at=at("2026-03-03T08:00"), reason="chờ kiểm tra thực địa", document=True, **by)
    waiting.resume(at=at("2026-03-04T08:00"), **by)
    waiting.send_leg(at=at("2026-03-04T09:00"), to="H99.15", **by)
    waiting.return_leg(at=at("2026-03-06T09:00"), **by)
    result.correct(by=CLERK, now=NOW, code=code, corrects=4, true_at=at("2026-03-04T10:00"))
    result.stop(at=at("2026-03-09T08:00"), reason="không thực hiện nghĩa vụ", **by)


LIVES: tuple[Callable[[str], None], ...] = (returned, refused, withdrawn, stopped)


def expected(code: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The record and the steps that the portal should hold of a dossier."""
    events = messages.opened(log.events(code), messages.private([code]).get(code))
    names, terms = Names.load(), Terms.load()
    owner = messages.owners([code]).get(code, "")
    wanted = []
    status = Status.REGISTERED
    for delivery in Delivery.objects.filter(dossier=code).order_by("seq"):
        history = events[: delivery.seq]
        after = replay(code, history)
        status = Status(delivery.status) if delivery.status is not None else after.status
        if delivery.status is not None and messages.is_step(history[-1], after):
            wanted.append(messages.step(code, history, status, names))
    return messages.record(code, events, status, names, terms, owner).body, wanted


def differences(codes: Sequence[str]) -> list[str]:
    """What the portal holds otherwise than we told it, and what of ours has not arrived."""
    wrong = [f"{d.dossier} {d.kind}: {d.state} {d.error}" for d in Delivery.objects.exclude(state="delivered")]
    for code in codes:
        if not Delivery.objects.filter(dossier=code).exists():
            wrong.append(f"{code}: never planned")
        wanted, steps_wanted = expected(code)
        shown = next(iter(held.lookup(code)), {"TienTrinh": []})
        found = shown.pop("TienTrinh")
        if shown != wanted:
            wrong.append(f"{code}: record {shown} instead of {wanted}")
        if found != steps_wanted:
            statuses = [[step["TrangThai"] for step in side] for side in (found, steps_wanted)]
            wrong.append(f"{code}: steps {statuses[0]}, not {statuses[1]}")
    return wrong
