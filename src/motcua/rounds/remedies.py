"""Kiến nghị and phúc tra: what units are asked to do, by when; the data close what they can show, persons the rest.

Data are corrected by a new event, never by rewriting: so the data can show that a cause is gone. An apology, a
training or a proposal of discipline is closed by a member who has seen it done. Source: law paper §6.5, steps 9, 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import narwhals as nw
from django.db import transaction

from motcua.ledger import audit
from motcua.oversight import figures
from motcua.oversight.figures import Question
from motcua.rounds import frozen
from motcua.rounds.models import Remedy, RemedyItem, Round
from motcua.rounds.refusals import locked, member
from motcua.rules.instants import Unreadable, from_microseconds, iso
from motcua.rules.moves import Refused

#: Causes that a new event or a message sent again can take away; the others stand in the record for ever.
_MENDABLE = {
    "sync": frozenset({"missing_here", "missing_there", "duplicate_there", "misplaced_there", "step_lost",
                       "only_return_sent", "status_unmapped", "update_refused", "accepted_not_shown",
                       "update_not_sent", "clock_shift", "closed_early_there", "finish_differs", "pause_not_carried",
                       "due_not_carried"}),
    "record": frozenset({"step_skipped"}),
}  # fmt: skip


def mendable(row: dict[str, Any]) -> tuple[str, str] | None:
    """The leg and the cause of a judged pair that the data can show to be gone; None where there is none."""
    for leg, causes in _MENDABLE.items():
        if row[f"{leg}_cause"] in causes:
            return leg, row[f"{leg}_cause"]
    return None


@transaction.atomic
def ask(
    number: int, *, agency: str, kind: str, text: str, due_at: datetime, dossiers: Sequence[str] = (), home: Path,
    by: str, at: datetime,
) -> Remedy:  # fmt: skip
    """A request to a unit, after the conclusion. Raises `Refused`, `Unreadable`.

    `dossiers` are of the sample and of this unit. Those of a request to correct data whose frozen cause can be mended
    are watched: the data close it.
    """
    round_ = locked(number)
    member(round_, by)
    if round_.concluded_at is None:
        raise Refused("round.not_concluded")
    if kind not in Remedy.Kind.values:
        raise Unreadable(f"kind: {kind!r} is none of {', '.join(Remedy.Kind.values)}")
    if not text.strip():
        raise Refused("round.remedy_empty")
    if due_at <= at:
        raise Unreadable("due_at: the date has passed")
    chosen = list(dict.fromkeys(dossiers))
    known = set(round_.items.filter(agency=agency, dossier__in=chosen).values_list("dossier", flat=True))
    if strangers := [code for code in chosen if code not in known]:
        raise Refused("round.not_in_sample", dossier=strangers[0])
    if not round_.items.filter(agency=agency).exists():
        raise Unreadable(f"agency: the sample has no dossier of {agency!r}")
    remedy = Remedy.objects.create(
        round=round_, agency=agency, kind=kind, text=text.strip(), due_at=due_at, made_at=at, made_by=by
    )
    rows = frozen.rows(frozen.folder(home, number), "pairs", frozen.MARKED, of=("dossier", chosen)) if chosen else []
    causes = {row["dossier"]: mendable(row) if kind == Remedy.Kind.DATA else None for row in rows}
    RemedyItem.objects.bulk_create(
        [RemedyItem(remedy=remedy, dossier=code, leg=(causes[code] or ("", ""))[0], cause=(causes[code] or ("", ""))[1])
         for code in chosen],
        batch_size=500,
    )  # fmt: skip
    if round_.requested_at is None:
        round_.requested_at = at
        round_.save(update_fields=["requested_at"])
    audit.record(
        at=at, actor=by, table="rounds_remedy", key=f"{number}/{remedy.pk}", before=None,
        after={"agency": agency, "kind": kind, "text": remedy.text, "due_at": due_at.isoformat(), "dossiers": chosen},
    )  # fmt: skip
    return remedy


@transaction.atomic
def close(remedy: int, *, note: str, by: str, at: datetime) -> Remedy:
    """A member has seen that it was done, and says by what. Raises `Refused`."""
    row = Remedy.objects.filter(pk=remedy).first()
    if row is None:
        raise Refused("round.remedy_unknown", remedy=remedy)
    round_ = locked(row.round_id)
    member(round_, by)
    row.refresh_from_db()
    if row.closed_at is not None:
        return row
    if not note.strip():
        raise Refused("round.no_reason")
    _close(row, by=by, note=note.strip(), at=at)
    _rechecked(round_, at=at, by=by)
    return row


def _close(row: Remedy, *, by: str, note: str, at: datetime) -> None:
    row.closed_at, row.closed_by, row.closed_note = at, by, note
    row.save(update_fields=["closed_at", "closed_by", "closed_note"])
    audit.record(
        at=at, actor=by, table="rounds_remedy", key=f"{row.round_id}/{row.pk}", before={"closed": None},
        after={"closed": at.isoformat(), "by": by or "data", "note": note},
    )  # fmt: skip


def _rechecked(round_: Round, *, at: datetime, by: str) -> None:
    """Notes the instant at which nothing asked for was open any more."""
    if round_.remedies.exists() and not round_.remedies.filter(closed_at=None).exists():
        round_.rechecked_at = at
        round_.save(update_fields=["rechecked_at"])
        audit.record(
            at=at, actor=by, table="rounds_round", key=str(round_.pk), before={"rechecked": None},
            after={"rechecked": at.isoformat()},
        )  # fmt: skip


def settle(*, home: Path, now: datetime) -> int:
    """Looks in the facts of now whether causes are gone, and closes what the data show. Returns how many dossiers.

    Also where only time has passed: what a dossier is judged by is the facts as of `now`.
    """
    open_ = RemedyItem.objects.filter(settled_at=None, remedy__closed_at=None, remedy__round__closed_at=None)
    waiting = list(open_.exclude(cause="").select_related("remedy"))
    if not waiting:
        return 0
    causes, generation = _causes(home, sorted({item.dossier for item in waiting}), now)
    settled: list[RemedyItem] = []
    for item in waiting:
        here = causes.get(item.dossier)
        if here is not None and here[item.leg] != item.cause:
            item.settled_at = now
            item.proof = {"was": item.cause, "now": here[item.leg], "as_of": iso(now), "facts": generation}
            settled.append(item)
    with transaction.atomic():
        RemedyItem.objects.bulk_update(settled, ["settled_at", "proof"], batch_size=500)
        for number in sorted({item.remedy_id for item in settled}):
            row = Remedy.objects.select_for_update().get(pk=number)
            if row.closed_at is None and not row.items.filter(settled_at=None).exists():
                _close(row, by="", note="", at=now)
                _rechecked(Round.objects.select_for_update().get(pk=row.round_id), at=now, by="")
    return len(settled)


def _causes(home: Path, codes: list[str], now: datetime) -> tuple[dict[str, dict[str, str]], dict[str, Any]]:
    """Today's causes of these dossiers, in one question over the facts."""
    store = figures.facts(home)
    with store.lock:
        view = store.view(Question(as_of=now), now=now)
        judged = view.judged(view.pairs.filter(nw.col("dossier").is_in(codes)))
        rows = view.engine.collect(judged.select("dossier", "sync_cause", "record_cause"))
    found = {row["dossier"]: {"sync": row["sync_cause"], "record": row["record_cause"]} for row in rows}
    at = iso(from_microseconds(view.manifest.at_s * 1_000_000))
    return found, {"generation": view.manifest.generation, "at": at}
