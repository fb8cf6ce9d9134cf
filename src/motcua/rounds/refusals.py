"""What a round refuses, by code; the door has words for each (house test)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from motcua.rounds.models import Member, Round
from motcua.rules.moves import Refused

REFUSALS = (
    "round.unknown", "round.incomplete", "round.not_a_member", "round.not_the_lead", "round.is_closed",
    "round.is_sealed", "round.is_frozen", "round.is_freezing", "round.not_frozen", "round.empty", "round.not_committed",
    "round.commits_alone", "round.sample_is_fixed", "round.seal_in_the_past", "round.not_sealed", "round.seal_waits",
    "round.no_head_yet", "round.wrong_nonce", "round.is_drawn", "round.not_drawn", "round.frozen_altered",
    "round.not_in_sample", "round.not_drawable", "round.sample_too_small", "round.not_asked", "round.is_asked",
    "round.answer_awaited", "round.answer_empty", "round.answer_in_finding",
    "round.not_your_unit", "round.is_decided", "round.no_reason", "round.not_found_yet", "round.confirms_own",
    "round.is_confirmed", "round.not_all_decided", "round.not_concluded", "round.no_number", "round.remedy_unknown",
    "round.remedy_empty", "round.remedy_open", "round.no_step", "round.no_such_document",
)  # fmt: skip


def locked(number: int) -> Round:
    """A round taken for writing, inside the caller's transaction. Raises `Refused`."""
    found = Round.objects.select_for_update().filter(pk=number).first()
    if found is None:
        raise Refused("round.unknown", round=number)
    if found.closed_at is not None:
        raise Refused("round.is_closed", round=number, at=found.closed_at)
    return found


def found(number: int) -> Round:
    """A round to read. Raises `Refused`."""
    row = Round.objects.filter(pk=number).first()
    if row is None:
        raise Refused("round.unknown", round=number)
    return row


def member(round_: Round, user: str) -> Member:
    """The seat of a person in a round. Raises `Refused`."""
    seat = round_.members.filter(user=user).first()
    if seat is None:
        raise Refused("round.not_a_member", round=round_.pk)
    return seat


def unfrozen(round_: Round) -> None:
    """Raises `Refused` where the figures of a round are frozen, or just being frozen."""
    if round_.frozen_at is not None:
        raise Refused("round.is_frozen", at=round_.frozen_at)
    if round_.freezing_at is not None:
        raise Refused("round.is_freezing", at=round_.freezing_at)


def lead(round_: Round, user: str) -> Member:
    """The seat of a person who leads a round. Raises `Refused`."""
    seat = member(round_, user)
    if seat.role != Member.Role.LEAD:
        raise Refused("round.not_the_lead", round=round_.pk)
    return seat


def plain(value: Any) -> Any:
    """A value as the audit keeps it: instants and days as ISO 8601."""
    return value.isoformat() if isinstance(value, datetime) or hasattr(value, "isoformat") else value
