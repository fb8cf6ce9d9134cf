"""The events that the rules make of a planned dossier's acts."""

from __future__ import annotations

from dataclasses import replace

from motcua.rules import events, moves
from motcua.rules.dossier import Dossier, apply
from motcua.rules.enclosures import Fee, Result
from motcua.sample.acts import Planned


def acted(planned: Planned) -> list[events.Event]:
    """A dossier's events, numbered from 1. Raises `moves.Refused` where a plan breaks the rules."""
    by = moves.Actor(name=planned.official, unit=planned.agency.code)
    first = events.Registered(
        at=planned.submitted_at, recorded_at=planned.submitted_at, seq=1, actor=by.name, unit=by.unit,
        procedure=planned.procedure.code, agency=planned.agency.code, channel=planned.channel, source="một cửa",
        allotted=planned.procedure.allotted, submitted_at=planned.submitted_at, applicant=planned.applicant,
    )  # fmt: skip
    dossier = apply(Dossier(code=planned.code), first)
    found: list[events.Event] = [first]
    for act in planned.acts:
        facts = dict(act.facts)
        if act.verb == "receive":
            facts["due_at"] = planned.due_at
        if act.verb == "finish":
            where = f"https://kho.h99.example/ket-qua/{planned.code}.pdf"
            facts["results"] = (Result(name="Kết quả giải quyết", code=f"KQ.{planned.procedure.code}", address=where),)
        if act.verb == "request_payment":
            facts["fees"] = (Fee(name="Lệ phí", code="LP01", amount=150_000, kind="charge"),)
        if act.verb != "correct":
            facts["at"] = act.at
        event = getattr(moves, act.verb)(dossier, by=by, now=act.recorded_at, **facts)
        found.append(event)
        dossier = apply(dossier, event)
    return [replace(event, seq=seq) for seq, event in enumerate(found, 1)]
