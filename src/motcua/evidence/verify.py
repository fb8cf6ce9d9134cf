"""Proves or disproves an evidence pack. `check.py`, which lies in every pack, does the same without a line of this."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from motcua.evidence import envelope, leaves, tree
from motcua.ledger import seals
from motcua.ledger.chain import GENESIS, canonical, commitment, event_hash
from motcua.rules.instants import VIET_NAM, Unreadable, at_clock, from_microseconds, parse_instant

FORMAT = "motcua evidence 1"
_BESIDE = frozenset({"manifest.json", "manifest.sig", "openings.json"})
_LATE, _IN_TIME = frozenset({"late", "open_late"}), frozenset({"on_time", "open_in_time"})


def verify(file: bytes, *, keys: set[str] | None = None, heads: Mapping[int, str] | None = None) -> dict[str, Any]:
    """What a pack proves. `keys`: public keys (hex) that may have signed it, None: any; `heads`: size → root (hex).

    Keys of the answer: `ok`, `faults` (code and place, the first hundred), `dossiers`, `events`, `shown`, `withheld`,
    `withheld_later` (blacked out by a holder), `events_closed` (something of the officials blacked out), `key`,
    `key_known`, `head`, `heads_compared`.
    """
    try:
        return _Verifier(envelope.opened(file), keys, dict(heads or {})).report()
    except (Unreadable, KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        return {"ok": False, "faults": [{"code": "frame", "place": str(error)}]}


class _Verifier:
    def __init__(self, entries: dict[str, bytes], keys: set[str] | None, heads: dict[int, str]) -> None:
        self.entries, self.keys, self.heads = entries, keys, heads
        self.faults: list[dict[str, str]] = []
        self.compared = 0
        self.closed = 0  # events of which something of the officials is blacked out
        self.commitments: dict[str, tuple[str, Callable[[str, bytes], str]]] = {}

    def fault(self, code: str, place: str) -> None:
        self.faults.append({"code": code, "place": place})

    def report(self) -> dict[str, Any]:
        entries = self.entries
        manifest = self._read("manifest.json")
        public, name = manifest["key"]["public"], manifest["key"]["name"]
        signature = entries["manifest.sig"].decode("ascii")
        if manifest["format"] != FORMAT:
            self.fault("format", str(manifest["format"]))
        if f"{bytes.fromhex(signature).hex()}\n" != signature or not _signed(
            public, bytes.fromhex(signature), entries["manifest.json"]
        ):
            self.fault("signature", "manifest.sig")
        if name != public[:16] or (self.keys is not None and public not in self.keys):
            self.fault("key", public)
        listed = {part["name"]: part for part in manifest["parts"]}
        for odd in sorted(set(entries) ^ {*listed, *_BESIDE}):
            self.fault("parts", odd)
        for part in manifest["parts"]:
            data = entries.get(part["name"], b"")
            if len(data) != part["bytes"] or hashlib.sha256(data).hexdigest() != part["sha256"]:
                self.fault("part", part["name"])
        if len(listed) != len(manifest["parts"]) or len(listed) + len(_BESIDE) != len(entries):
            self.fault("parts", "manifest.json")
        head = self._heads(manifest)
        events = 0
        for number, code in enumerate(manifest["dossiers"], 1):
            events += self._dossier(f"{number:04d}", code, head)
        shown, withheld, later = self._openings(manifest)
        return {
            "ok": not self.faults,
            "faults": self.faults[:100],
            "dossiers": len(manifest["dossiers"]),
            "events": events,
            "events_closed": self.closed,
            "shown": shown,
            "withheld": withheld,
            "withheld_later": later,
            "key": public,
            "key_known": self.keys is not None and public in self.keys,
            "head": {"size": head["size"], "root": head["root"]},
            "heads_compared": self.compared,
            "made_at": manifest["made_at"],
            "subject": manifest["subject"],
        }

    def _read(self, name: str) -> Any:
        """A part as JSON; only its canonical form counts."""
        document = json.loads(self.entries[name])
        if canonical(document) != self.entries[name]:
            self.fault("form", name)
        return document

    # ---- heads -------------------------------------------------------------------------------------------------

    def _heads(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        document = self._read("heads.json")
        head, keys = document["head"], document["keys"]
        stated = manifest["head"]
        if (head["size"], head["root"]) != (stated["size"], stated["root"]):
            self.fault("head", "manifest.json")
        roots = {head["size"]: head["root"]}
        for each in [head, *document["earlier"]]:
            public = keys[each["key"]]
            told = seals.statement(each["size"], bytes.fromhex(each["root"]), from_microseconds(each["signed_at"]))
            if public[:16] != each["key"] or not _signed(public, bytes.fromhex(each["signature"]), told):
                self.fault("head", f"heads.json {each['size']}")
        for each in [*document["earlier"], *document["given"]]:
            path = [bytes.fromhex(part) for part in each["path"]]
            if not tree.beginning(
                each["size"], bytes.fromhex(each["root"]), head["size"], bytes.fromhex(head["root"]), path
            ):
                self.fault("consistency", f"heads.json {each['size']}")
            roots[each["size"]] = each["root"]
        for size, root in sorted(self.heads.items()):
            if size in roots:
                self.compared += 1
                if roots[size] != root.lower():
                    self.fault("outside_head", str(size))
        if self.heads and not self.compared:
            self.fault("no_common_head", f"heads.json {head['size']}")
        return dict(head)

    # ---- one dossier -------------------------------------------------------------------------------------------

    def _dossier(self, number: str, code: str, head: Mapping[str, Any]) -> int:
        folder = f"dossiers/{number}"
        told = self._read(f"{folder}/events.json")
        verdicts = self._read(f"{folder}/verdicts.json")
        certificate = self._read(f"{folder}/certificate.json")
        self._read(f"{folder}/documents.json")
        if told["dossier"] != code or verdicts["dossier"] != code:
            self.fault("dossier", folder)
        previous, root = GENESIS, bytes.fromhex(head["root"])
        for seq, event in enumerate(told["events"], 1):
            place = f"{folder}/events.json {seq}"
            digest = event_hash(
                bytes.fromhex(event["previous"]), dossier=code, seq=event["seq"], kind=event["kind"], at=event["at"],
                recorded_at=event["recorded_at"], stored_at=event["stored_at"], actor=_plain(event["actor"]),
                unit=_plain(event["unit"]), step=event["step"], body=canonical(event["body"]).decode(),
                origin=event["origin"],
            )  # fmt: skip
            closed = _closed(event)
            if closed:  # what the hash covers is not all here: its place in the log and the signature hold it
                digest = bytes.fromhex(event["hash"])
                self.closed += 1
            elif digest.hex() != event["hash"]:
                self.fault("event", place)
            if event["seq"] != seq or bytes.fromhex(event["previous"]) != previous:
                self.fault("chain", place)
            path = [bytes.fromhex(part) for part in event["path"]]
            index = event["position"] - 1
            if not 0 <= index < head["size"] or not seals.included(digest, index, head["size"], path, root):
                self.fault("inclusion", place)
            previous = digest
            for name, value in _committed(event):
                self.commitments[f"{number}/event/{seq}/{name}"] = (value["commitment"], _of_event(name))
        for n, message in enumerate(self._read(f"{folder}/messages.json")["messages"], 1):
            for m, (path_, _, stated) in enumerate(message["leaves"]):
                self.commitments[f"{number}/message/{n}/{m}"] = (stated, _of_leaf(path_))
        self._certificate(f"{folder}/certificate.json", certificate, verdicts)
        self._verdicts(f"{folder}/verdicts.json", verdicts, told["events"])
        return len(told["events"])

    def _certificate(self, place: str, certificate: Mapping[str, Any], verdicts: Mapping[str, Any]) -> None:
        """Counts the days again, from the opening hours and the pauses that it states."""
        if not certificate["due_at"]:
            return
        due = parse_instant(certificate["due_at"])
        if certificate["due_at"] != verdicts["recorded"]["due_at"]:
            self.fault("certificate", place)
        start = parse_instant(certificate["counted_from_at"])
        pauses = [(parse_instant(p["from_at"]), parse_instant(p["until_at"])) for p in certificate["pauses"]]
        expected: date | None = None
        for line in certificate["explain"]:
            day = date.fromisoformat(line["day"])
            worked = _worked(day, line["open"], start, due, pauses)
            if worked != line["worked_minutes"] or (expected is not None and day != expected):
                self.fault("certificate", f"{place} {day}")
            expected = day + timedelta(days=1)

    def _verdicts(self, place: str, verdicts: Mapping[str, Any], events: list[Mapping[str, Any]]) -> None:
        as_of = parse_instant(verdicts["as_of"])
        for side in ("recorded", "true"):
            told = verdicts[side]
            if told["verdict"] in _LATE | _IN_TIME and told["due_at"]:
                until = parse_instant(told["finished_at"]) if told["finished_at"] else as_of
                if (until > parse_instant(told["due_at"])) != (told["verdict"] in _LATE):
                    self.fault("verdict", f"{place} {side}")
        if any(event["kind"] == "corrected" for event in events):
            return
        logged = Counter(
            (
                event["kind"],
                event["at"],
                event["recorded_at"],
                _plain(event["actor"]),
                _plain(event["unit"]),
                event["step"],
            )
            for event in events
        )
        for entry in verdicts["timeline"]:
            if entry["side"] == "ours":
                key = (entry["kind"], _us(entry["at"]), _us(entry["recorded_at"]), entry["actor"], entry["unit"],
                       entry["step"])  # fmt: skip
                logged[key] -= 1
                if logged[key] < 0:
                    self.fault("timeline", f"{place} {entry['at']}")

    # ---- openings ----------------------------------------------------------------------------------------------

    def _openings(self, manifest: Mapping[str, Any]) -> tuple[int, int, int]:
        """Each commitment is either opened rightly or named as blacked out, in the order of the pack."""
        document = self._read("openings.json")
        if set(document) != {"opened", "withheld"}:
            self.fault("openings", "openings.json")
        opened, withheld = document["opened"], document["withheld"]
        shut = set(withheld)
        order = list(self.commitments)
        if [ref for ref in order if ref not in shut] != [ref for ref, _, _ in opened]:
            self.fault("openings", "openings.json opened")
        if [ref for ref in order if ref in shut] != withheld:
            self.fault("openings", "openings.json withheld")
        if not set(manifest["withheld"]) <= shut:
            self.fault("openings", "manifest.json")
        for ref, salt, value in opened:
            stated, of = self.commitments.get(ref, ("", _of_leaf("")))
            if bytes.fromhex(salt).hex() != salt or of(value, bytes.fromhex(salt)) != stated:
                self.fault("opening", ref)
        return len(opened), len(withheld), len(shut - set(manifest["withheld"]))


#: Of an event, beside its body: who acted, and in which unit.
_OFFICIAL = ("actor", "unit")
_WRITTEN = ("note", "reason")


def _committed(event: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The commitments of an event, in the order of the pack."""
    for name in _OFFICIAL:
        if isinstance(event[name], dict):
            yield name, event[name]
    for name, value in sorted(event["body"].items()):
        if isinstance(value, dict):
            yield name, value


def _closed(event: Mapping[str, Any]) -> bool:
    """Whether something that the hash covers in clear stands there as a commitment."""
    return any(name in (*_OFFICIAL, *_WRITTEN) for name, _ in _committed(event))


def _plain(value: Any) -> str:
    return "" if isinstance(value, dict) else str(value)


def _of_event(name: str) -> Callable[[str, bytes], str]:
    return lambda value, salt: commitment(name, value, salt)


def _of_leaf(path: str) -> Callable[[str, bytes], str]:
    return lambda value, salt: leaves.commitment(path, value, salt)


def _signed(public: str, signature: bytes, told: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(signature, told)
    except (InvalidSignature, ValueError):
        return False
    return True


def _us(text: str) -> int:
    at = parse_instant(text)
    return (at - from_microseconds(0)) // timedelta(microseconds=1)


def _worked(
    day: date, open_: list[list[int]], start: datetime, due: datetime, pauses: list[tuple[datetime, datetime]]
) -> int:
    """The minutes of a day that count: opening hours from the start to the due instant, less the pauses."""

    def before(at: datetime) -> int:
        minute = int((at.astimezone(VIET_NAM) - at_clock(day, 0)).total_seconds() // 60)
        return sum(min(max(minute - a, 0), b - a) for a, b in open_)

    begin, end = max(at_clock(day, 0), start), min(at_clock(day, 1440), due)
    if end <= begin:
        return 0
    total, credited = before(end) - before(begin), begin
    for from_at, to_at in sorted(pauses):
        from_at, to_at = max(from_at, at_clock(day, 0), credited), min(to_at, at_clock(day, 1440), end)
        if to_at > from_at:
            total -= before(to_at) - before(from_at)
            credited = to_at
    return total


def withheld_again(file: bytes, also: Callable[[str, str], bool]) -> bytes:
    """The pack with more blacked out, by whoever holds it: `also(ref, class)` says what. Raises `Unreadable`."""
    entries = envelope.opened(file)
    manifest = json.loads(entries["manifest.json"])
    openings = json.loads(entries["openings.json"])
    classes = dict(_classes(entries, len(manifest["dossiers"])))
    shut = {ref for ref, _, _ in openings["opened"] if also(ref, classes[ref])} | set(openings["withheld"])
    entries["openings.json"] = canonical(
        {
            "opened": [each for each in openings["opened"] if each[0] not in shut],
            "withheld": [ref for ref in classes if ref in shut],
        }
    )
    return envelope.sealed(entries)


def _classes(entries: Mapping[str, bytes], count: int) -> Iterator[tuple[str, str]]:
    for n in range(1, count + 1):
        number = f"{n:04d}"
        for event in json.loads(entries[f"dossiers/{number}/events.json"])["events"]:
            for name, _ in _committed(event):
                kind = "officials" if name in (*_OFFICIAL, *_WRITTEN) else "personal"
                yield f"{number}/event/{event['seq']}/{name}", kind
        for k, message in enumerate(json.loads(entries[f"dossiers/{number}/messages.json"])["messages"], 1):
            for m, (_, kind, _) in enumerate(message["leaves"]):
                yield f"{number}/message/{k}/{m}", kind
