"""A document that is attached afterwards decides when processing was complete; one that only bounds it never later."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.story import at, happened, received

from motcua.rules import moves
from motcua.rules.dossier import replay
from motcua.rules.events import KINDS, Event, from_body, to_body
from motcua.rules.moves import Actor
from motcua.rules.verdicts import OurFacts, Terms, our_facts
from motcua.rules.workdays import viet_nam

RECEIVED = received("2026-03-02T08:30", due="2026-03-09T17:00")
LATE_CLICK = happened("finished", "2026-03-10T10:00", 2)
NOW = at("2026-04-01T09:00")


def _attached(when: str, seq: int = 3, standing: str = "fixes") -> Event:
    return happened("evidence_attached", when, seq, recorded_at=NOW, standing=standing, digest="ab" * 32)


def _facts(*events: Event, as_of: datetime | None = None, known_at: datetime | None = None) -> OurFacts:
    return our_facts(events, Terms(calendar=viet_nam()), as_of=as_of, known_at=known_at)


@pytest.mark.parametrize(
    ("events", "true_finish"),
    [
        ((_attached("2026-03-06T15:00"),), "2026-03-06T15:00"),
        ((_attached("2026-03-11T15:00"),), "2026-03-11T15:00"),
        ((_attached("2026-03-06T15:00"), _attached("2026-03-05T09:00", 4)), "2026-03-05T09:00"),
        ((_attached("2026-03-06T15:00", standing="bounds"),), "2026-03-06T15:00"),
        ((_attached("2026-03-11T15:00", standing="bounds"),), "2026-03-10T10:00"),
        ((_attached("2026-03-06T15:00", standing="bounds"), _attached("2026-03-07T08:00", 4)), "2026-03-07T08:00"),
        ((_attached("2026-03-06T15:00"), happened("corrected", "2026-04-02T09:00", 4, corrects=3, void=True)),
         "2026-03-10T10:00"),
    ],
    ids=["fixes it earlier", "fixes it later", "the last fixing one decides", "bounds it earlier",
         "never bounds it later", "fixing goes before bounding", "withdrawn by correction"],
)  # fmt: skip
def test_the_document_decides(events: tuple[Event, ...], true_finish: str) -> None:
    facts = _facts(RECEIVED, LATE_CLICK, *events)
    assert facts.true_finish_at == at(true_finish)
    assert facts.finish_at == at("2026-03-10T10:00"), "what was stated stays"


def test_without_any_finish_the_document_is_the_end() -> None:
    assert _facts(RECEIVED, _attached("2026-03-06T15:00", 2)).true_finish_at == at("2026-03-06T15:00")


def test_a_past_period_counts_it_and_the_knowledge_of_then_does_not() -> None:
    events = (RECEIVED, LATE_CLICK, _attached("2026-03-06T15:00"))
    assert _facts(*events, as_of=at("2026-03-31T23:59")).evidence_at == at("2026-03-06T15:00")
    assert _facts(*events, known_at=at("2026-03-31T23:59")).evidence_at is None


def test_it_moves_no_state_and_its_body_is_read_again() -> None:
    event = _attached("2026-03-06T15:00")
    dossier = replay("H99.12-1", [RECEIVED, LATE_CLICK])
    after = replay("H99.12-1", [RECEIVED, LATE_CLICK, event])
    assert (after.status, after.finished_at, after.seq) == (dossier.status, dossier.finished_at, 3)
    body = to_body(event)
    assert body == {"digest": "ab" * 32}
    assert from_body("evidence_attached", body, at=event.at, recorded_at=event.recorded_at, seq=3) == event
    assert from_body(
        "evidence_attached", {"standing": "bounds", "number": "12/QĐ"}, at=NOW, recorded_at=NOW, seq=1
    ) == (
        KINDS["evidence_attached"](at=NOW, recorded_at=NOW, seq=1, standing="bounds", number="12/QĐ")  # type: ignore[call-arg]
    )


def test_a_document_from_before_the_receipt_or_from_the_future_is_refused() -> None:
    dossier = replay("H99.12-1", [RECEIVED, LATE_CLICK])
    for when, code in (("2026-03-02T08:00", "evidence.before_receipt"), ("2026-04-01T10:00", "act.in_the_future")):
        with pytest.raises(moves.Refused) as refused:
            moves.attach_evidence(
                dossier, by=Actor(name="a", unit="u"), at=at(when), now=NOW, standing="fixes", digest="ab" * 32
            )
        assert refused.value.code == code
