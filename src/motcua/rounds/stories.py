"""The stories of the sample's dossiers, told once from the frozen figures: what inspectors read, for ever."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import translation

from motcua.ledger.models import Change
from motcua.oversight import explain, reading
from motcua.rounds import frozen
from motcua.rules.events import Event, from_body
from motcua.rules.instants import from_microseconds, iso

FILE = "stories.ndjson"
#: A story is told in Vietnamese; what of it is words, also in the other languages of the screen.
_OTHERS = ("en",)
_WORDS = ("sentence", "certificate")


def write(folder: Path, codes: Sequence[str], *, as_of: datetime) -> str:
    """Tells the stories of these dossiers from the frozen tables and keeps them. Returns the file's digest."""
    agencies, procedures = frozen.names()
    pairs = frozen.rows(folder, "pairs", of=("dossier", codes))
    further = _by(frozen.rows(folder, "duplicates", ("of_dossier", "record"), of=("of_dossier", codes)), "of_dossier")
    records = [row["t_code"] or row["dossier"] for row in pairs] + [r["record"] for rs in further.values() for r in rs]
    steps = _by(frozen.rows(folder, "their_steps", of=("code", records)), "code")
    events = _by(frozen.rows(folder, "events", of=("dossier", codes)), "dossier")
    deliveries = _by(frozen.rows(folder, "deliveries", of=("dossier", codes)), "dossier")
    due_changes = _by(frozen.rows(folder, "due_changes", of=("dossier", codes)), "dossier")
    catalogue = reading.catalogue()
    with translation.override("vi"), (folder / FILE).open("w", encoding="utf-8") as out:
        for row in pairs:
            code = row["dossier"]
            others = sorted(r["record"] for r in further.get(code, []))
            theirs = {r: [_step(s) for s in _in_order(steps.get(r, []))] for r in (row["t_code"] or code, *others)}
            sources = explain.Sources(
                row={**row, "further": others},
                events=[_event(e) for e in sorted(events[code], key=lambda e: e["seq"])] if row["exists_here"]
                else None,
                steps=theirs,
                deliveries=[_delivery(d) for d in deliveries.get(code, [])],
                due_changes=[{name: _iso(change[name]) for name in ("found_at", "before_at", "after_at")}
                             for change in due_changes.get(code, [])],
                terms=catalogue.terms(row["procedure"], row["agency"]),
                procedure_name=procedures.get(row["procedure"], row["procedure"]),
                agency_name=agencies.get(row["agency"], row["agency"]),
            )  # fmt: skip
            story = {**explain.told(sources, at=as_of), "other_words": _in_other_words(sources, as_of)}
            out.write(json.dumps(story, ensure_ascii=False, sort_keys=True) + "\n")
    return frozen.sha256(folder / FILE)


def _in_other_words(sources: explain.Sources, as_of: datetime) -> dict[str, dict[str, Any]]:
    """By language, what of a story is words."""
    found: dict[str, dict[str, Any]] = {}
    for language in _OTHERS:
        with translation.override(language):
            story = explain.told(sources, at=as_of)
        found[language] = {name: story[name] for name in _WORDS}
    return found


def _by(rows: Iterable[dict[str, Any]], key: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row[key]].append(row)
    return found


def _event(row: Mapping[str, Any]) -> Event:
    return from_body(
        row["kind"], json.loads(row["body"]), at=from_microseconds(row["at"]),
        recorded_at=from_microseconds(row["recorded_at"]), seq=row["seq"], actor=row["actor"], unit=row["unit"],
        step=row["step"],
    )  # fmt: skip


def _in_order(steps: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted((s for s in steps if s["at"] is not None), key=lambda s: (s["at"], s["id"]))


def _step(row: Mapping[str, Any]) -> explain.TheirStep:
    return int(row["status"]), from_microseconds(row["at"]), from_microseconds(row["stored_at"])


def _iso(value: int | None) -> str | None:
    return None if value is None else iso(from_microseconds(value))


def _delivery(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: row[name] for name in ("seq", "kind", "status", "state", "attempts", "error")}
    return {**kept, "sent_at": _iso(row["sent_at"]), "done_at": _iso(row["done_at"])}


def of(folder: Path, code: str) -> dict[str, Any] | None:
    """The frozen story of a dossier, in the reader's language where it was told in it; None: not of the sample."""
    mark = json.dumps(code, ensure_ascii=False)
    with (folder / FILE).open(encoding="utf-8") as lines:
        for line in lines:
            if mark in line:
                story: dict[str, Any] = json.loads(line)
                if story["dossier"] == code:
                    others = story.pop("other_words", {})
                    return {**story, **others.get(translation.get_language() or "", {})}
    return None


def verify(folder: Path, number: int) -> list[str]:
    """Whether the stories are those that the audit names. Empty: they are."""
    file = folder / FILE
    if not file.is_file():
        return [f"{file}: missing"]
    named = Change.objects.filter(table="rounds_round", key=str(number), after__stories=frozen.sha256(file)).exists()
    return [] if named else [f"{file}: altered"]
