"""Dossiers by name: a pasted list of codes, and a published list beside what we count."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np

from motcua.dossiers.importing import guess
from motcua.dossiers.models import AlternativeCode, DossierRow
from motcua.inspection import bridge as bridges
from motcua.inspection import engines
from motcua.oversight import figures
from motcua.oversight.figures import Question, View
from motcua.oversight.models import PastedList, PublishedList, PublishedRow
from motcua.wire.codes import agency_forms, agency_of_dossier

#: Pasted lists are kept so long.
KEPT = timedelta(days=90)
_NEAR = 3  # codes offered for one that nobody knows
_AT_ONCE = 900  # parameters of one query
_GUESSED_FOR = 200  # unknown codes for which near ones are looked for


@dataclass(slots=True)
class Pasted:
    """What a pasted text holds: its codes once each, in its order, what stood there twice, and what is no code."""

    codes: list[str] = field(default_factory=list)
    repeated: dict[str, int] = field(default_factory=dict)
    mistaken: list[str] = field(default_factory=list)


def read(text: str) -> Pasted:
    """Codes out of whatever was pasted: lines with blanks inside a code, numbers before it, words after it."""
    found = Pasted()
    seen: set[str] = set()
    for line in text.replace(";", "\n").splitlines():
        for code, mistaken in _codes_of(line):
            if mistaken:
                found.mistaken.append(code)
            elif code in seen:
                found.repeated[code] = found.repeated.get(code, 1) + 1
            else:
                seen.add(code)
                found.codes.append(code)
    return found


def _codes_of(line: str) -> list[tuple[str, bool]]:
    """(code, whether it is none) of a line: each word that is a code or was meant as one, else the whole line."""
    words = [guess.code_as_written(word) for cell in line.split("\t") for word in cell.replace(",", " ").split()]
    codes = [word for word in words if guess.is_code(word)]
    if codes:
        return [(word, word not in codes) for word in words if word in codes or _meant(word)]
    cells = [guess.code_as_written(cell) for cell in line.split("\t")]
    codes = [cell for cell in cells if guess.is_code(cell)]
    if codes:
        return [(codes[0], False)]
    if not any(sign.isdigit() for sign in line) or guess.code_as_written(line).isdigit():
        return []  # a heading, a signature, the number of a row alone
    return [(" ".join(line.split())[:200], True)]


def _meant(word: str) -> bool:
    """Whether a word beside codes was meant as one: letters, a hyphen, the day and the number."""
    return "-" in word and any(map(str.isalpha, word)) and sum(map(str.isdigit, word)) >= 8


def keep(text: str, *, by: str, at: datetime) -> str:
    """Keeps a pasted text under a short name. Old ones go."""
    PastedList.objects.filter(at__lt=at - KEPT).delete()
    return PastedList.objects.create(name=secrets.token_urlsafe(6), by=by, at=at, text=text).name


def look_up(home: Path, question: Question, codes: Sequence[str], *, now: datetime) -> dict[str, Any]:
    """The dossiers of a list of codes, in its order: each with its three verdicts and causes, those not found apart.

    `rows` are as `figures.dossiers` lists them, with `asked`, the code as it was given; `absent` holds the codes that
    neither side knows, each with known codes that are nearly it.
    """
    store = figures.facts(home)
    with store.lock:
        view = store.view(question, now=now)
        belongs = _belongs(codes)
        wanted = sorted({*codes, *belongs, *belongs.values(), *(other(code) for code in codes)})
        given = view.engine.rows({"dossier": np.array(wanted, object)}, like=view.pairs.select("dossier"))
        judged = view.judged(view.pairs.join(given, on="dossier", how="semi"))
        rows = {row["dossier"]: row for row in view.engine.collect(judged.select(list(figures.LISTED)))}
        document = figures.head(view, question, bridges.FORMULA, now)
    listed = figures.listed_rows(rows.values())
    by_code = {row["dossier"]: row for row in listed}
    found: list[dict[str, Any]] = []
    absent: list[dict[str, Any]] = []
    for code in codes:
        known = next((c for c in (code, belongs.get(code, ""), other(code)) if c in by_code), None)
        if known is None:
            absent.append({"code": code, "near": []})
        else:
            found.append({**by_code[known], "asked": code})
    _add_near(absent, question)
    return {**document, "rows": found, "absent": absent}


def other(code: str) -> str:
    """A dossier's code under the other generation's agency form."""
    agency = agency_of_dossier(code)
    form = next((form for form in agency_forms(agency) if form != agency), agency)
    return form + code.removeprefix(agency)


def _belongs(codes: Sequence[str]) -> dict[str, str]:
    """The dossiers that are also known under these codes."""
    found: dict[str, str] = {}
    for start in range(0, len(codes), _AT_ONCE):
        part = AlternativeCode.objects.filter(code__in=codes[start : start + _AT_ONCE])
        found.update(part.values_list("code", "dossier"))
    return found


def _add_near(absent: Sequence[dict[str, Any]], question: Question) -> None:
    """Codes one slip away that are there and that the viewer may see."""
    slips = {row["code"]: guess.variants(row["code"]) for row in absent[:_GUESSED_FOR]}
    wanted = sorted({code for codes in slips.values() for code in codes})
    there: set[str] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        known = DossierRow.objects.filter(code__in=wanted[start : start + _AT_ONCE]).exclude(agency="", procedure="")
        if question.scope_of is not None:
            known = known.filter(agency__in=question.scope_of)
        there.update(known.values_list("code", flat=True))
    for row in absent:
        row["near"] = sorted(slips.get(row["code"], set()) & there)[:_NEAR]


# ---- the number of a letter and ours ----------------------------------------------------------------------------


def compare(home: Path, list_id: int, question: Question, *, now: datetime) -> dict[str, Any]:
    """Does it agree: the letter's number, the list's dossiers, what we count; and the codes only on one side.

    `question` is asked as of the list's day, of its measure and its unit. `only_listed`, `only_counted`: late by the
    list or by our figure of the portal; `only_recorded`: late by the one-stop software and not in the list;
    `not_here`: in the list, unknown to the one-stop software.
    """
    kept = PublishedList.objects.get(pk=list_id)
    late = PublishedRow.objects.filter(list=kept, late=True).count()
    store = figures.facts(home)
    with store.lock:
        view = store.view(question, now=now)
        listed = engines.table(view.engine, store.folder, view.manifest, "published")
        listed = listed.filter((nw.col("list") == list_id) & nw.col("late")).select("dossier").unique()
        theirs = {row["dossier"] for row in view.engine.collect(listed)}
        judged = view.judged().filter(nw.col("in_population"))
        rows = view.engine.collect(
            judged.filter(nw.col("shown") | nw.col("recorded")).select("dossier", "shown", "recorded")
        )
        here = _here(view, theirs)
        document = figures.head(view, question, bridges.FORMULA, now)
    shown = {row["dossier"] for row in rows if row["shown"]}
    recorded = {row["dossier"] for row in rows if row["recorded"]}
    return {
        **document,
        "document": kept.document,
        "file": kept.file,
        "dated_at": kept.dated_at,
        "stated": kept.stated_count,
        "listed": late,
        "counted": len(shown),
        "recorded": len(recorded),
        "only_listed": sorted(theirs - shown),
        "only_counted": sorted(shown - theirs),
        "only_recorded": sorted(recorded - theirs),
        "not_here": sorted(theirs - here),
    }


def _here(view: View, codes: Iterable[str]) -> set[str]:
    wanted = sorted(codes)
    if not wanted:
        return set()
    given = view.engine.rows({"dossier": np.array(wanted, object)}, like=view.pairs.select("dossier"))
    known = view.pairs.filter(nw.col("exists_here")).join(given, on="dossier", how="semi").select("dossier")
    return {row["dossier"] for row in view.engine.collect(known)}


def by_unit(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Looked-up dossiers by agency: how many, and how many late by each side, the most first."""
    groups: dict[str, dict[str, Any]] = {}
    for row in rows:
        group = groups.setdefault(
            row["agency"],
            {"agency": row["agency"], "name": row["agency_name"], "count": 0, "shown": 0, "recorded": 0, "true": 0},
        )
        group["count"] += 1
        for side in ("shown", "recorded", "true"):
            group[side] += row[side]
    return sorted(groups.values(), key=lambda group: (-group["count"], group["agency"]))
