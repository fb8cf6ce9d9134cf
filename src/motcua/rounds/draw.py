"""The sample, drawn so that nobody can steer it.

A second inspector hands in a commitment to a nonce; then the lead seals the plan: the digest of the frozen population,
the commitment, and an instant to come. The seed is the hash of all of them, of the nonce, which is told only then, and
of the first signed head of the log after that instant. What was drawn is kept as one file that anybody can draw again.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import transaction

from motcua.inspection import sampling
from motcua.inspection.sampling import Drawn, NotDrawable, Unit
from motcua.ledger import audit, seals
from motcua.ledger.chain import canonical
from motcua.ledger.models import Head
from motcua.rounds import frozen, plan, stories
from motcua.rounds.models import Item, Round
from motcua.rounds.refusals import lead, locked, member
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Refused

RECORD = "draw.json"
SHORTEST = 8  # characters of a secret phrase


def utc(at: datetime) -> str:
    """An instant as the seed takes it: whole seconds, UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a second person keeps until the draw: the phrase and its salt; only their commitment is handed in."""

    nonce: str
    salt: str

    @property
    def commitment(self) -> str:
        """What is handed in."""
        return sampling.commitment(self.nonce, self.salt)


def receipt(nonce: str) -> Receipt:
    """A receipt for a phrase that nobody guesses. Raises `Unreadable`."""
    nonce = nonce.strip()
    if len(nonce) < SHORTEST:
        raise Unreadable(f"nonce: at least {SHORTEST} characters")
    return Receipt(nonce, secrets.token_hex(8))


@transaction.atomic
def commit(number: int, commitment: str, *, by: str, at: datetime) -> Round:
    """A member, not the one who seals, hands in a commitment (`sampling.commitment`). Raises `Refused`, `Unreadable`.

    Until the plan is sealed a commitment may be replaced, by the same person or another; the audit keeps each.
    """
    round_ = locked(number)
    member(round_, by)
    if round_.sealed_at is not None:
        raise Refused("round.is_sealed", at=round_.sealed_at)
    if len(commitment) != 64 or set(commitment) - set("0123456789abcdef"):
        raise Unreadable("a commitment is 64 hexadecimal digits")
    before = {"commitment": round_.commitment, "committed_by": round_.committed_by}
    round_.commitment, round_.committed_by, round_.committed_at = commitment, by, at
    round_.save(update_fields=["commitment", "committed_by", "committed_at"])
    after = {"commitment": commitment, "committed_by": by}
    audit.record(at=at, actor=by, table="rounds_round", key=str(number), before=before, after=after)
    return round_


@transaction.atomic
def seal(number: int, *, seal_after: datetime, by: str, at: datetime) -> Round:
    """The lead seals the plan over the frozen population and the commitment; what follows is out of every hand.

    Until a head was signed after the instant, another instant may be sealed; after that only `unseal`, whose reason
    the audit and the page keep, leads to another draw. Raises `Refused`.
    """
    round_ = locked(number)
    lead(round_, by)
    if round_.drawn_at is not None:
        raise Refused("round.is_drawn", at=round_.drawn_at)
    if round_.frozen_at is None:
        raise Refused("round.not_frozen")
    if not round_.commitment:
        raise Refused("round.not_committed")
    if round_.committed_by == by:
        raise Refused("round.commits_alone")
    if round_.seal_after is not None and Head.objects.filter(signed_at__gt=round_.seal_after).exists():
        raise Refused("round.sample_is_fixed", at=round_.seal_after)  # another instant would be another throw
    seal_after = seal_after.replace(microsecond=0)
    if seal_after <= at:
        raise Refused("round.seal_in_the_past", at=seal_after)
    before = {"sealed": round_.plan_digest, "seal_after": utc(round_.seal_after) if round_.seal_after else ""}
    round_.plan_digest, round_.seal_after, round_.sealed_at, round_.sealed_by = plan.digest(round_), seal_after, at, by
    round_.save(update_fields=["plan_digest", "seal_after", "sealed_at", "sealed_by"])
    audit.record(
        at=at, actor=by, table="rounds_round", key=str(number), before=before,
        after={"sealed": round_.plan_digest, "seal_after": utc(seal_after), "plan": plan.document(round_),
               "population_digest": round_.population_digest, "commitment": round_.commitment},
    )  # fmt: skip
    return round_


@transaction.atomic
def unseal(number: int, *, reason: str, by: str, at: datetime) -> Round:
    """Breaks the seal of a round that is not drawn yet, so that another nonce can be committed to. Raises `Refused`."""
    round_ = locked(number)
    lead(round_, by)
    if round_.drawn_at is not None:
        raise Refused("round.is_drawn", at=round_.drawn_at)
    if round_.sealed_at is None:
        raise Refused("round.not_sealed")
    if not reason.strip():
        raise Refused("round.no_reason")
    before = {"sealed": round_.plan_digest, "commitment": round_.commitment}
    round_.sealed_at = round_.seal_after = round_.committed_at = None
    round_.sealed_by = round_.plan_digest = round_.commitment = round_.committed_by = ""
    round_.save()
    after = {"sealed": None, "commitment": "", "reason": reason.strip()[:500]}
    audit.record(at=at, actor=by, table="rounds_round", key=str(number), before=before, after=after)
    return round_


def head_after(seal_after: datetime, *, home: Path, at: datetime) -> Head | None:
    """The first signed head after an instant; where the log has grown and nobody sealed it yet, it is sealed now."""

    def first() -> Head | None:
        return Head.objects.filter(signed_at__gt=seal_after).order_by("signed_at", "size").first()

    found = first()
    if found is None and at > seal_after:
        seals.seal(home / "keys", at=at)
        found = first()
    return found


@transaction.atomic
def draw(number: int, *, nonce: str, salt: str, home: Path, by: str, at: datetime) -> Round:
    """Tells the nonce and draws. Any member may: nothing is left to choose. Raises `Refused`."""
    round_ = locked(number)
    member(round_, by)
    if round_.drawn_at is not None:
        raise Refused("round.is_drawn", at=round_.drawn_at)
    if round_.sealed_at is None or round_.seal_after is None:
        raise Refused("round.not_sealed")
    if at <= round_.seal_after:
        raise Refused("round.seal_waits", at=round_.seal_after)
    if faults := frozen.verify(home, round_):
        raise Refused("round.frozen_altered", fault=faults[0])
    if sampling.commitment(nonce, salt) != round_.commitment:
        raise Refused("round.wrong_nonce")
    head = head_after(round_.seal_after, home=home, at=at)
    if head is None:
        raise Refused("round.no_head_yet", at=round_.seal_after)
    folder = frozen.folder(home, number)
    units = list(frozen.units(folder))
    record = _record(round_, units, nonce=nonce, salt=salt, head=head, home=home)
    try:
        drawn = sampling.draw(units, size=round_.size, least=round_.least, seed=record["seed"])
    except NotDrawable as fault:
        raise Refused("round.not_drawable", fault=str(fault)) from fault
    record["sample"] = [[d.unit.code, d.probability.numerator, d.probability.denominator] for d in drawn]
    content = canonical(record)
    (folder / RECORD).write_bytes(content)
    _keep(round_, drawn, folder)
    told = stories.write(folder, [d.unit.code for d in drawn], as_of=round_.as_of or at)
    round_.drawn_at, round_.head_size, round_.record_digest = at, head.size, frozen.sha256(folder / RECORD)
    round_.least_probability = float(sampling.least_probability(units, size=round_.size, least=round_.least))
    round_.save(update_fields=["drawn_at", "head_size", "record_digest", "least_probability"])
    audit.record(
        at=at, actor=by, table="rounds_round", key=str(number), before={"drawn": None},
        after={"drawn": round_.record_digest, "head": bytes(head.root).hex(), "size": len(drawn),
               "seed": record["seed"], "stories": told},
    )  # fmt: skip
    return round_


def _record(
    round_: Round, units: list[Unit], *, nonce: str, salt: str, head: Head, home: Path
) -> dict[str, Any]:  # fmt: skip
    """All that is needed to draw again, without the sample."""
    assert round_.seal_after is not None
    public = home / "keys" / f"{head.key}.pub"
    said = {
        "algorithm": sampling.ALGORITHM,
        "round": round_.pk,
        "plan": plan.document(round_),
        "plan_digest": round_.plan_digest,
        "size": round_.size,
        "least": round_.least,
        "population_digest": round_.population_digest,
        "population": [[unit.code, unit.stratum, unit.risk] for unit in units],
        "commitment": round_.commitment,
        "nonce": nonce,
        "salt": salt,
        "seal_after": utc(round_.seal_after),
        "head": {
            "size": head.size, "root": bytes(head.root).hex(), "signed_at": head.signed_at.isoformat(),
            "key": public.read_bytes().hex() if public.exists() else "", "signature": bytes(head.signature).hex(),
        },
    }  # fmt: skip
    return {**said, "seed": sampling.seed_of(said)}


def _keep(round_: Round, drawn: list[Drawn], folder: Path) -> None:
    """The dossiers of the sample, each under its head, with its signs."""
    chosen = [d.unit.code for d in drawn]
    signs = frozen.signs(folder, chosen)
    rows = {row["dossier"]: row for row in frozen.rows(folder, "pairs", frozen.MARKED, of=("dossier", chosen))}
    Item.objects.bulk_create(
        [
            Item(
                round=round_, dossier=d.unit.code, stratum=d.unit.stratum, risk=d.unit.risk,
                agency=rows[d.unit.code]["agency"] or "", procedure=rows[d.unit.code]["procedure"] or "",
                numerator=d.probability.numerator, denominator=d.probability.denominator,
                sort=frozen.sort(rows[d.unit.code], signed=d.unit.code in signs),
                signs=sorted({sign["check"] for sign in signs.get(d.unit.code, [])}),
            )
            for d in drawn
        ],
        batch_size=500,
    )  # fmt: skip


# ---- proof -------------------------------------------------------------------------------------------------------


def verify(content: bytes) -> dict[str, Any]:
    """Draws again from a record alone. Keys: `round`, `drawn`, `population`, `seed`, `faults`, `ok`.

    Raises `Unreadable` where the file is no record of a draw.
    """
    try:
        record = json.loads(content)
        faults = sampling.faults(record)
        if not _signed(record["head"]):
            faults.append("the head is not signed by the key that it names")
        if datetime.fromisoformat(record["head"]["signed_at"]) <= datetime.fromisoformat(record["seal_after"]):
            faults.append("the head is not later than the instant that was sealed")
        planned = record["plan"]
        if (planned["size"], planned["least"]) != (record["size"], record["least"]):
            faults.append("the sample is not the size that was planned")
        if frozen.digest_of(planned) != record["plan_digest"]:
            faults.append("the plan is not the one that was sealed")
        return {
            "round": record["round"], "drawn": len(record["sample"]), "population": len(record["population"]),
            "seed": record["seed"], "faults": faults, "ok": not faults,
        }  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Unreadable(f"this is no record of a draw: {type(fault).__name__} {fault}") from fault


def _signed(head: Mapping[str, Any]) -> bool:
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(head["key"]))
        at = datetime.fromisoformat(head["signed_at"])
        public.verify(bytes.fromhex(head["signature"]), seals.statement(head["size"], bytes.fromhex(head["root"]), at))
    except (InvalidSignature, ValueError):
        return False
    return True


def verify_round(home: Path, round_: Round) -> list[str]:
    """What of a round is not as it was sealed: frozen files, the draw, the rows that keep the sample."""
    faults = frozen.verify(home, round_)
    if round_.drawn_at is None:
        return faults
    file = frozen.folder(home, round_.pk) / RECORD
    if not file.is_file():
        return [*faults, f"{file}: missing"]
    if frozen.sha256(file) != round_.record_digest:
        faults.append(f"{file}: altered")
    content = file.read_bytes()
    faults += verify(content)["faults"]
    record = json.loads(content)
    if record["population_digest"] != round_.population_digest:
        faults.append(f"{file}: drawn from another population")
    head = Head.objects.filter(size=record["head"]["size"]).first()
    first = Head.objects.filter(signed_at__gt=round_.seal_after).order_by("signed_at", "size").first()
    if first is not None and head is not None and first.size != head.size:
        faults.append(f"{file}: the head of {first.size} events was signed first")
    if head is None or bytes(head.root).hex() != record["head"]["root"]:
        faults.append(f"{file}: the log has no such head")
    kept = [list(row) for row in round_.items.order_by("dossier").values_list("dossier", "numerator", "denominator")]
    if kept != sorted(record["sample"]):
        faults.append(f"round {round_.pk}: the dossiers that are kept are not those that were drawn")
    return [*faults, *stories.verify(frozen.folder(home, round_.pk), round_.pk)]
