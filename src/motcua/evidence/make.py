"""Makes an evidence pack: one file that proves what it says without our server. Its form: docs/reference/evidence.md.

What is signed: the manifest, which names every part with its SHA-256. What may be blacked out afterwards stands in
`openings.json` alone, for commitments that the parts hold; so a holder can black out more, and the rest still proves.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.db import transaction
from django.utils import translation

from motcua.evidence import documents, envelope, exchanged, leaves, tree, verify
from motcua.evidence.models import Pack, PackDossier
from motcua.inspection.bridge import FORMULA
from motcua.inspection.ours import Catalogue
from motcua.ledger import audit, seals
from motcua.ledger.chain import canonical, commitment
from motcua.ledger.models import EventRow, Head, PersonalValue
from motcua.oversight import explain, figures, reading
from motcua.oversight.figures import Question
from motcua.rules.instants import Unreadable, iso, parse_instant, to_microseconds
from motcua.rules.policies import POLICIES

FORMAT = "motcua evidence 1"
#: none: everything is shown; personal: who the people are is not; officials: nor who acted, in which unit, nor notes;
#: messages: nothing of the messages is.
BlackOut = Literal["none", "personal", "officials", "messages"]
BLACK_OUTS: tuple[BlackOut, ...] = ("personal", "officials", "none", "messages")
#: Texts that officials write into the body of an event.
_WRITTEN = ("note", "reason")
#: Earlier heads whose trees the pack proves to be the beginning of its own: the newest of so many days and months.
_DAYS, _MONTHS = 14, 12
#: Dossiers judged at once.
_AT_ONCE = 250
#: Of a judged pair: digests of names could be guessed back.
_GUESSABLE = frozenset({"owner", "t_owner", "as_of", "further"})
CHECKER = Path(__file__).with_name("check.py")

#: Writes the papers for people of a pack: the cover and what to read first, by name.
Papers = Callable[[Mapping[str, Any]], Mapping[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a pack is about: `kind` is dossier, dossiers, finding or round; `facts` go into `subject.json`."""

    kind: str
    code: str
    title: str
    codes: Sequence[str]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """A finished pack."""

    file: bytes
    manifest: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.file).hexdigest()


def dossiers(codes: Sequence[str]) -> Subject:
    """The subject of one dossier, or of a list of them."""
    kept = list(dict.fromkeys(codes))
    if len(kept) == 1:
        return Subject(kind="dossier", code=kept[0], title=kept[0], codes=kept)
    return Subject(kind="dossiers", code=f"{kept[0]} … ({len(kept)})", title="", codes=kept)


def make(
    home: Path, subject: Subject, *, at: datetime, by: str, papers: Papers, black_out: BlackOut = "personal",
    as_of: datetime | None = None, heads: Mapping[int, str] | None = None,
    advance: Callable[[int], None] = lambda n: None,
) -> Made:  # fmt: skip
    """The pack of a subject, as the house stands: same state and instant, same bytes.

    `heads`: sizes and roots that somebody outside was given; the pack proves its own tree to continue theirs.
    Raises `Unreadable`: a dossier that nobody has, a head that is not of this log, a log that does not prove.
    """
    with translation.override("vi"):
        return _Maker(home, subject, at, by, black_out, as_of).made(papers, heads or {}, advance)


def kept(made: Made, *, reason: str, at: datetime, by: str) -> Pack:
    """Writes down that a pack left the house: who made it, of what, why, and what it shows."""
    about = made.manifest
    with transaction.atomic():
        pack = Pack.objects.create(
            made_at=at, made_by=by, reason=reason[:500], kind=about["subject"]["kind"],
            subject=about["subject"]["code"][:200], title=about["subject"]["title"][:500],
            black_out=about["black_out"], sha256=made.sha256, bytes=len(made.file),
        )  # fmt: skip
        PackDossier.objects.bulk_create(PackDossier(pack=pack, dossier=code) for code in about["dossiers"])
        audit.record(
            at=at, actor=by, table="evidence_pack", key=str(pack.pk), before=None,
            after={"sha256": made.sha256, "subject": pack.subject, "black_out": pack.black_out, "reason": pack.reason},
        )  # fmt: skip
    return pack


class _Maker:
    """A pack under way: its parts, what is opened and what is not."""

    def __init__(
        self, home: Path, subject: Subject, at: datetime, by: str, black_out: BlackOut, as_of: datetime | None
    ) -> None:
        self.home, self.subject, self.at, self.by, self.black_out, self.as_of = home, subject, at, by, black_out, as_of
        if not subject.codes:
            raise Unreadable("a pack wants at least one dossier")
        self.key, self.private = seals.key(home / "keys")
        public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = public.hex()
        secret = self.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        self.salts = leaves.Salts(secret)
        self.parts: dict[str, bytes] = {}
        self.opened: list[list[str]] = []
        self.withheld: list[str] = []
        self.told: list[dict[str, Any]] = []
        self.catalogue: Catalogue = reading.catalogue()

    def made(self, papers: Papers, given: Mapping[int, str], advance: Callable[[int], None]) -> Made:
        codes = list(self.subject.codes)
        last = max(EventRow.objects.filter(dossier__in=codes[:500]).values_list("position", flat=True), default=1)
        for start in range(500, len(codes), 500):
            positions = EventRow.objects.filter(dossier__in=codes[start : start + 500]).values_list(
                "position", flat=True
            )
            last = max([last, *positions])
        log = tree.Log.of_the_house()
        if not EventRow.objects.exists():
            raise Unreadable("the log holds nothing yet: there is nothing to prove")
        head = tree.sealed(log, self.home / "keys", upto=last, at=self.at)
        for start in range(0, len(codes), _AT_ONCE):
            some = codes[start : start + _AT_ONCE]
            judged = figures.some(self.home, some, Question(as_of=self.as_of), now=self.at)
            for number, code in enumerate(some, start + 1):
                self._dossier(f"{number:04d}", code, judged.get(code), log, head)
                advance(1)
        self._json("subject.json", {"kind": self.subject.kind, "code": self.subject.code, "title": self.subject.title,
                                    "facts": dict(self.subject.facts)})  # fmt: skip
        self._json("heads.json", _heads(log, head, given, self.home / "keys"))
        self.parts["check.py"] = CHECKER.read_bytes()
        about: dict[str, Any] = {
            "format": FORMAT,
            "made_at": iso(self.at),
            "made_by": self.by,
            "subject": {"kind": self.subject.kind, "code": self.subject.code, "title": self.subject.title},
            "dossiers": codes,
            "key": {"name": self.key, "public": self.public},
            "head": {"size": head.size, "root": bytes(head.root).hex(), "signed_at": iso(head.signed_at)},
            "black_out": self.black_out,
            "withheld": self.withheld,
        }
        self.parts |= papers({**about, "facts": self.subject.facts, "told": self.told})
        about["parts"] = [
            {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(self.parts.items())
        ]
        manifest = canonical(about)
        file = envelope.sealed(
            {
                **self.parts,
                "manifest.json": manifest,
                "manifest.sig": f"{self.private.sign(manifest).hex()}\n".encode(),
                "openings.json": canonical({"opened": self.opened, "withheld": self.withheld}),
            }
        )
        report = verify.verify(file, keys={self.public}, heads={})
        if not report["ok"]:
            fault = report["faults"][0]
            raise Unreadable(f"the log does not prove this pack ({fault['code']}: {fault['place']}); run motcua verify")
        return Made(file, about)

    def _json(self, name: str, document: Mapping[str, Any]) -> None:
        self.parts[name] = canonical(document)

    # ---- one dossier -------------------------------------------------------------------------------------------

    def _dossier(self, number: str, code: str, row: Mapping[str, Any] | None, log: tree.Log, head: Head) -> None:
        story = row and explain.dossier(self.home, code, now=self.at, as_of=self.as_of, row=row)
        if not story or row is None:
            raise Unreadable(f"{code}: neither our record nor the portal's copy has such a dossier")
        story, before = self._without_officials(story), len(self.withheld)
        folder = f"dossiers/{number}"
        events = self._events(number, code, log, head)
        self._json(f"{folder}/events.json", {"dossier": code, "events": events})
        certificate = self._certificate(story)
        self._json(f"{folder}/certificate.json", certificate)
        messages = list(self._messages(number, code, story))
        self._json(f"{folder}/messages.json", {"messages": messages})
        papers = documents.about(code)
        self._json(f"{folder}/documents.json", {"documents": papers})
        names = ("dossier", "as_of", "procedure", "procedure_name", "agency", "agency_name", "source", "channel",
                 "shown", "recorded", "true", "causes", "sub_cause", "sentence", "minutes", "timeline", "stated",
                 "further", "due_changes", "deliveries")  # fmt: skip
        facts = {name: _plain(value) for name, value in sorted(row.items()) if name not in _GUESSABLE}
        verdicts = {
            **{name: story[name] for name in names},
            "policy": POLICIES["default"].label,
            "formula": FORMULA,
            "facts": {name: value for name, value in facts.items() if value is not None},
        }
        self._json(f"{folder}/verdicts.json", verdicts)
        self.told.append(
            {
                "number": number,
                "story": {**story, "certificate": certificate},
                "events": events,
                "messages": [
                    {**each, "leaves": range(len(each["leaves"]))} for each in messages
                ],  # a cover counts them
                "documents": papers,
                "withheld": len(self.withheld) - before,
            }
        )

    def _events(self, number: str, code: str, log: tree.Log, head: Head) -> list[dict[str, Any]]:
        known = {(p.seq, p.field): p for p in PersonalValue.objects.filter(dossier=code)}
        found: list[dict[str, Any]] = []
        for row in EventRow.objects.filter(dossier=code).order_by("seq"):
            body = json.loads(row.body)
            actor = self._of_official(number, code, row.seq, "actor", row.actor)
            unit = self._of_official(number, code, row.seq, "unit", row.unit)
            for name in sorted(body):
                if name in _WRITTEN and isinstance(body[name], str):
                    body[name] = self._of_official(number, code, row.seq, name, body[name])
                elif isinstance(body[name], dict):
                    value = known.get((row.seq, name))  # None: erased
                    ref = f"{number}/event/{row.seq}/{name}"
                    if value is None or self.black_out != "none":
                        self.withheld.append(ref)
                    else:
                        self.opened.append([ref, bytes(value.salt).hex(), value.value])
            found.append(
                {
                    "actor": actor,
                    "at": to_microseconds(row.at),
                    "body": body,
                    "hash": bytes(row.hash).hex(),
                    "kind": row.kind,
                    "origin": row.origin,
                    "path": [each.hex() for each in log.inclusion(row.position - 1, head.size)],
                    "position": row.position,
                    "previous": bytes(row.previous_hash).hex(),
                    "recorded_at": to_microseconds(row.recorded_at),
                    "seq": row.seq,
                    "step": row.step,
                    "stored_at": to_microseconds(row.stored_at),
                    "unit": unit,
                }
            )
        return found

    def _of_official(self, number: str, code: str, seq: int, name: str, text: str) -> str | dict[str, str]:
        """What an official's act says of the official: as it is, or as a commitment where that is blacked out."""
        if self.black_out != "officials" or not text:
            return text
        self.withheld.append(f"{number}/event/{seq}/{name}")
        return {"commitment": commitment(name, text, self.salts.of(code, f"event {seq}", name))}

    def _without_officials(self, story: Mapping[str, Any]) -> dict[str, Any]:
        """A story in which nobody who acted is named."""
        if self.black_out != "officials":
            return dict(story)
        gone = {"actor": "", "unit": "", "note": ""}
        told = {name: [{**entry, **{k: v for k, v in gone.items() if k in entry}} for entry in story[name]]
                for name in ("timeline", "minutes")}  # fmt: skip
        certificate = dict(story["certificate"])
        certificate["pauses"] = [{**pause, "reason": ""} for pause in certificate.get("pauses", [])]
        return {**story, **told, "certificate": certificate}

    def _messages(self, number: str, code: str, story: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for n, raw in enumerate(exchanged.about(code, story["further"]), 1):
            listed: list[list[str]] = []
            for m, leaf in enumerate(leaves.leaves(raw.document, code)):
                salt = self.salts.of(code, raw.key, leaf.path)
                listed.append([leaf.path, leaf.kind, leaves.commitment(leaf.path, leaf.text, salt)])
                ref = f"{number}/message/{n}/{m}"
                shown = {"none": ("open", "personal"), "messages": ()}.get(self.black_out, ("open",))
                if leaf.kind in shown:
                    self.opened.append([ref, salt.hex(), leaf.text])
                else:
                    self.withheld.append(ref)
            yield {
                "at": None if raw.at is None else iso(raw.at),
                "error_code": raw.code,
                "id": raw.key,
                "kind": raw.kind,
                "leaves": listed,
                "sender": raw.sender,
                "service": raw.service,
                "side": raw.side,
            }

    def _certificate(self, story: Mapping[str, Any]) -> dict[str, Any]:
        """The deadline certificate with the opening hours that it counts, so that a stranger can count again."""
        found = dict(story["certificate"])
        if not found["due_at"]:
            return found
        terms = self.catalogue.terms(story["procedure"], story["agency"])
        calendar = terms.calendar
        found["calendar_digest"] = hashlib.sha256(repr(calendar.content).encode()).hexdigest()
        found["counted_from_at"] = iso(calendar.normalise(parse_instant(found["accepted_at"]), terms.cutoff))
        finish = story["recorded"]["finished_at"]
        found["pauses"] = [
            {**pause, "until_at": pause["to_at"] or finish or pause["from_at"]} for pause in found["pauses"]
        ]
        found["explain"] = [
            {**line, "open": [list(span) for span in calendar.intervals(date.fromisoformat(line["day"]))]}
            for line in found["explain"]
        ]
        return found


def _plain(value: Any) -> Any:
    """A fact as JSON: NumPy's and the engine's numbers become plain ones."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if hasattr(value, "item"):
        return _plain(value.item())
    if isinstance(value, float) and value == int(value):
        return int(value)
    return str(value)


def _heads(log: tree.Log, head: Head, given: Mapping[int, str], keys: Path) -> dict[str, Any]:
    """The pack's head, and earlier ones with the proof that their log is the beginning of this one."""
    earlier = {each.size: each for each in _thinned(head)}
    for size, root in sorted(given.items()):
        if size > head.size:
            raise Unreadable(f"a head over {size} events was given; this log's newest head covers {head.size}")
        if size != head.size and size not in earlier:
            known = Head.objects.filter(size=size).first()
            if known is not None:
                earlier[size] = known
        if size < 1 or log.root(0, size).hex() != root:
            raise Unreadable(f"the head over {size} events that was given is not of this log")
    chosen = [earlier[size] for size in sorted(earlier)]
    named = {each.key for each in [*chosen, head]}
    return {
        "head": _head(head),
        "earlier": [
            {**_head(each), "path": [part.hex() for part in log.consistency(each.size, head.size)]} for each in chosen
        ],
        "given": [
            {"size": size, "root": root, "path": [part.hex() for part in log.consistency(size, head.size)]}
            for size, root in sorted(given.items())
            if size != head.size and size not in earlier
        ],
        "keys": {name: (keys / f"{name}.pub").read_bytes().hex() for name in sorted(named)},
    }


def _head(head: Head) -> dict[str, Any]:
    return {
        "key": head.key,
        "root": bytes(head.root).hex(),
        "signature": bytes(head.signature).hex(),
        "signed_at": to_microseconds(head.signed_at),
        "size": head.size,
    }


def _thinned(head: Head) -> list[Head]:
    """Earlier heads: the newest of each of the last days and months that have one."""
    days: dict[date, Head] = {}
    months: dict[tuple[int, int], Head] = {}
    for each in Head.objects.filter(size__lt=head.size).order_by("-size").iterator(chunk_size=500):
        day = each.signed_at.date()
        if len(days) < _DAYS:
            days.setdefault(day, each)
        months.setdefault((day.year, day.month), each)
        if len(days) >= _DAYS and len(months) >= _MONTHS:
            break
    return list({each.size: each for each in [*days.values(), *list(months.values())[:_MONTHS]]}.values())
