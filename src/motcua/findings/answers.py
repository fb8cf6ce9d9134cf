"""Answers filled into a workbook: read, looked at row by row before anything is kept, kept as drafts.

A row that says what its draft says already changes nothing, so that the same file may come twice. Its words are told
by the door (`reasons`: folded word → code), its columns by the hidden row of keys above the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import Any

from django.db.models import QuerySet
from python_calamine import CalamineError, CalamineWorkbook

from motcua.catalogue.folding import fold
from motcua.findings import record
from motcua.findings.models import Finding
from motcua.findings.record import Done
from motcua.inspection import life
from motcua.inspection.life import Person
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Refused

#: The columns that a person fills in, after those that name the finding.
FILLED = ("reason", "text", "number", "dated_on", "remedy", "remedy_on")
KEYS = ("finding", "dossier", *FILLED)
MOST_ROWS = 20_000
#: Why a row is refused; the door has words.
FAULTS = ("no_number", "unknown", "other_dossier", "twice", "reason", "dated_on", "remedy_on", "too_long")
_LONGEST = {"text": 4_000, "remedy": 2_000, "number": 100}


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the workbook: where it stood, which finding it answers, and what it says."""

    row: int
    finding: int | None
    dossier: str
    answer: dict[str, str]
    fault: str = ""


@dataclass(slots=True)
class Preview:
    """What would become of a workbook."""

    taken: list[Line] = field(default_factory=list)
    unchanged: int = 0
    empty: int = 0
    refused: list[tuple[Line, str]] = field(default_factory=list)  # with a code of FAULTS or a refusal's


def read(content: bytes, reasons: Mapping[str, str]) -> list[Line]:
    """The rows of a filled workbook. Raises `Unreadable`: `not_a_workbook`, `no_keys`, `too_many`."""
    try:
        rows = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, IndexError, ValueError, OSError):
        raise Unreadable("not_a_workbook") from None
    head = next((n for n, cells in enumerate(rows[:30]) if "finding" in cells and "reason" in cells), None)
    if head is None:
        raise Unreadable("no_keys")
    if len(rows) - head > MOST_ROWS:
        raise Unreadable("too_many")
    columns = {str(key): n for n, key in enumerate(rows[head]) if key in KEYS}
    return [
        _line(number, {key: cells[n] for key, n in columns.items() if n < len(cells)}, reasons)
        for number, cells in enumerate(rows[head + 1 :], head + 2)
        if any(cell not in ("", None) for cell in cells)
    ]


def _line(row: int, cells: Mapping[str, Any], reasons: Mapping[str, str]) -> Line:
    def text(key: str) -> str:
        value = cells.get(key, "")
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return str(value or "").strip()

    answer = {key: text(key) for key in FILLED if text(key)}
    fault = next((key for key, most in _LONGEST.items() if len(answer.get(key, "")) > most), "") and "too_long"
    if "reason" in answer:
        known = reasons.get(fold(answer["reason"]), "")
        answer["reason"], fault = known or answer["reason"], fault if known else "reason"
    for key in ("dated_on", "remedy_on"):
        if key in answer:
            day = _day(cells[key])
            answer[key], fault = (day.isoformat(), fault) if day else (answer[key], key)
    number = text("finding")
    return Line(row, int(number) if number.isdigit() and len(number) < 16 else None, text("dossier"), answer, fault)


def _day(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    for form in ("%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(str(value).strip(), form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def look(lines: Sequence[Line], visible: QuerySet[Finding, Finding], *, by: Person, at: datetime) -> Preview:
    """What would become of the rows, of the findings that this person sees; nothing is kept."""
    preview = Preview()
    wanted = sorted({line.finding for line in lines if line.finding is not None})
    rows: dict[int, Finding] = {}
    for start in range(0, len(wanted), record.AT_ONCE):
        rows |= {row.pk: row for row in visible.filter(pk__in=wanted[start : start + record.AT_ONCE])}
    seen: set[int] = set()
    for line in lines:
        if not line.answer and not line.fault:
            preview.empty += 1
            continue
        fault = line.fault or _fault(line, rows, seen)
        if line.finding is not None:
            seen.add(line.finding)
        if fault:
            preview.refused.append((line, fault))
            continue
        assert line.finding is not None
        row = rows[line.finding]
        if same(row.answer, line.answer):
            preview.unchanged += 1
            continue
        try:
            life.decide(record.as_life(row), "drafted", by=by, at=max(at, row.last_at), body=line.answer)
        except Refused as refusal:
            preview.refused.append((line, refusal.code))
        else:
            preview.taken.append(line)
    return preview


def _fault(line: Line, rows: Mapping[int, Finding], seen: set[int]) -> str:
    if line.finding is None:
        return "no_number"
    if line.finding not in rows:
        return "unknown"
    if line.finding in seen:
        return "twice"
    return "other_dossier" if line.dossier and line.dossier != rows[line.finding].subject else ""


def same(draft: Mapping[str, Any], answer: Mapping[str, str]) -> bool:
    """Whether a draft says already what an answer says."""
    return all(str(draft.get(key, "")) == answer.get(key, "") for key in FILLED)


def keep(lines: Sequence[Line], *, by: Person, at: datetime) -> Done:
    """Keeps the rows of a preview as drafts; what was handed in with a draft stays with it."""
    said = {line.finding: line.answer for line in lines if line.finding is not None}

    def body(row: Finding) -> Mapping[str, Any]:
        return {**said[row.pk], "attachments": row.answer.get("attachments", [])}

    return record.act_on_all(list(said), "drafted", by=by, at=at, body=body)
