"""Which national status each of our events carries, declared as data (contract §4.1).

A map is refused when it is loaded unless `status_proof` finds it sound for every order of acts that the rules
allow. A province's own map is a TOML file: docs/reference/status-map.md.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from motcua.rules.dossier import Dossier, Status
from motcua.rules.events import KINDS
from motcua.rules.instants import Unreadable

#: The event carries the status in which it leaves the dossier.
STANDING: Literal["standing"] = "standing"

#: Acts of the inspection: the portal has no word for them, and they are never sent.
INTERNAL = frozenset({"evidence_attached"})
#: Events that are no step of the processing.
RECORD_ONLY = frozenset({"corrected"}) | INTERNAL

#: What a word of another system can mean: the ten statuses, and a suspension, which has no status of its own.
STATES: Mapping[str, Status] = {
    **{status.name.lower(): status for status in Status},
    "suspended": Status.PROCESSING,
}


@dataclass(frozen=True, slots=True)
class Word:
    """A status word of another system: the state that it means, and the national status that it is sent as."""

    state: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusMap:
    """A map, not yet proved."""

    name: str
    events: Mapping[str, Status | Literal["standing"]]
    steps: Mapping[tuple[str, str], Status] = field(default_factory=dict)  # (procedure or "", step) → status in hand
    exceptions: Mapping[tuple[Status, Status], str] = field(default_factory=dict)  # unlawful moves, with the reason
    words: Mapping[str, Word] = field(default_factory=dict)  # of another system, for an audit

    def standing(self, dossier: Dossier) -> Status:
        """The national status of a dossier as it stands: the step in hand may mean another than 4."""
        if dossier.step and dossier.status is Status.PROCESSING and not dossier.is_suspended:
            named = self.steps.get((dossier.procedure, dossier.step)) or self.steps.get(("", dossier.step))
            return named or dossier.status
        return dossier.status

    def needs_standing(self, kind: str) -> bool:
        """Whether the status of such an event depends on the dossier that it leaves."""
        return self.events.get(kind) == STANDING or (kind == "step_started" and bool(self.steps))

    def national(self, kind: str, after: Dossier | None = None) -> Status | None:
        """The status that an event carries, `after` being the dossier that it leaves; None where unmapped.

        `after` may be left out where `needs_standing` says no.
        """
        value = self.events.get(kind)
        if value is None:
            return None
        if value != STANDING and not self.needs_standing(kind):
            return Status(int(value))
        if after is None:
            raise ValueError(f"the status of {kind} depends on the dossier")
        return self.standing(after)

    def without(self, kinds: Iterable[str]) -> StatusMap:
        """The same map with gaps."""
        gone = frozenset(kinds)
        return replace(self, events={kind: value for kind, value in self.events.items() if kind not in gone})


_NO_CLICK = "trả kết quả khi chưa ai bấm kết thúc: Cổng tính theo 10 (contract §4.5)"

#: The built-in map.
NATIONAL = StatusMap(
    name="motcua",
    events={
        "registered": STANDING,  # an imported dossier may be registered as accepted
        "received": Status.ACCEPTED,
        "refused": Status.REFUSED,
        "step_started": Status.PROCESSING,
        "step_finished": Status.PROCESSING,
        "supplement_requested": Status.SUPPLEMENT,
        "supplement_received": STANDING,
        "suspended": Status.PROCESSING,
        "resumed": STANDING,
        "payment_requested": Status.PAYMENT,
        "paid": STANDING,
        "leg_sent": STANDING,  # opinions and apologies end no waiting: 5 stays 5, 6 stays 6
        "leg_returned": STANDING,
        "extended": STANDING,
        "withdrawn": Status.WITHDRAWN,
        "stopped": Status.STOPPED,
        "finished": Status.FINISHED,
        "returned": STANDING,  # papers handed back after a refusal or withdrawal are no result
    },
    exceptions={(Status(before), Status.RETURNED): _NO_CLICK for before in (2, 4, 5, 6)},
)


def parse(document: Mapping[str, Any], *, name: str = "") -> StatusMap:
    """A map from a parsed TOML file. Raises `Unreadable`, naming the entry."""
    for part in document:
        if part not in ("name", "events", "steps", "exceptions", "words"):
            raise Unreadable(f"{part!r} is none of name, events, steps, exceptions, words")
    events: dict[str, Status | Literal["standing"]] = {}
    for kind, value in document.get("events", {}).items():
        if kind not in KINDS or kind in RECORD_ONLY:
            raise Unreadable(f"[events] {kind!r} is none of {', '.join(k for k in KINDS if k not in RECORD_ONLY)}")
        events[kind] = STANDING if value == STANDING else _status(f"[events] {kind}", value)
    steps: dict[tuple[str, str], Status] = {}
    for number, entry in enumerate(document.get("steps", ()), 1):
        step = str(entry.get("step", ""))
        if not step:
            raise Unreadable(f"[[steps]] {number}: names no step")
        steps[str(entry.get("procedure", "")), step] = _status(f"[[steps]] {step!r}", entry.get("status"))
    exceptions: dict[tuple[Status, Status], str] = {}
    for number, entry in enumerate(document.get("exceptions", ()), 1):
        place = f"[[exceptions]] {number}"
        if not entry.get("because"):
            raise Unreadable(f"{place}: `because` gives no reason")
        exceptions[_status(place, entry.get("from")), _status(place, entry.get("to"))] = str(entry["because"])
    words: dict[str, Word] = {}
    for word, entry in document.get("words", {}).items():
        if not isinstance(entry, Mapping) or entry.get("state") not in STATES:
            raise Unreadable(f"[words] {word!r}: `state` is none of {', '.join(STATES)}")
        words[word] = Word(entry["state"], _status(f"[words] {word!r}", entry.get("status")))
    if not events and not words:
        raise Unreadable("neither [events] nor [words]: this maps nothing")
    return StatusMap(
        name=str(document.get("name", name)), events=events, steps=steps, exceptions=exceptions, words=words
    )


def _status(place: str, value: Any) -> Status:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 10:
        raise Unreadable(f"{place}: {value!r} is not a national status, a number from 1 to 10")
    return Status(value)


def read(path: Path) -> StatusMap:
    """The map in a TOML file, not yet proved. Raises `Unreadable`, naming the file and the entry."""
    try:
        return parse(tomllib.loads(path.read_text(encoding="utf-8-sig")), name=path.stem)
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, Unreadable) as error:
        raise Unreadable(f"{path}: {error}") from None


def written(rules: StatusMap) -> str:
    """The map as a file that `read` takes back: where a province's own begins."""
    lines = [f"name = {_text(rules.name)}", "", "[events]"]
    lines += [
        f"{kind} = {_text(STANDING) if value == STANDING else int(value)}" for kind, value in rules.events.items()
    ]
    for (procedure, step), status in rules.steps.items():
        lines += ["", "[[steps]]", *([f"procedure = {_text(procedure)}"] if procedure else ())]
        lines += [f"step = {_text(step)}", f"status = {int(status)}"]
    for (before, after), why in rules.exceptions.items():
        lines += ["", "[[exceptions]]", f"from = {int(before)}", f"to = {int(after)}", f"because = {_text(why)}"]
    if rules.words:
        lines += ["", "[words]"]
    for word, meant in rules.words.items():
        lines.append(f"{_text(word)} = {{ state = {_text(meant.state)}, status = {int(meant.status)} }}")
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def named() -> Path | None:
    """The file of the province's own map, where MOTCUA_STATUS_MAP names one."""
    file = os.environ.get("MOTCUA_STATUS_MAP")
    return Path(file) if file else None
