"""What a round found: by unit, before and after the explanations, and what the sample says of the whole population."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from motcua.inspection import estimates
from motcua.inspection.estimates import Rate
from motcua.rounds import frozen
from motcua.rounds.explanations import Heard, heard
from motcua.rounds.models import Item, Round

#: What a row counts, in dossiers.
COUNTED = ("sample", "signed", "answered", "waiting", "late_answers", "read", "confirmed", "accepted", "rejected",
           "disputed")  # fmt: skip


def counts(
    items: Iterable[Item], said: Mapping[str, Heard], *, answer_due_at: datetime | None
) -> dict[str, int]:  # fmt: skip
    """The counts of some dossiers of the sample; `said`: what their units answered."""
    row = dict.fromkeys(COUNTED, 0)
    for item in items:
        row["sample"] += 1
        row["signed"] += item.sort != Item.Sort.CLEAN
        told = said[item.dossier]
        row["answered"] += bool(told.answer)
        row["waiting"] += told.owes
        late = told.at is not None and answer_due_at is not None and told.at > answer_due_at
        row["late_answers"] += late
        row["read"] += item.read_at is not None
        row["confirmed"] += item.confirmed_at is not None
        if item.finding:
            row[item.finding] += 1
    return row


def by_unit(round_: Round) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """The whole and its units, in the order of their names; the units sum to the whole."""
    agencies, _ = frozen.names()
    groups: dict[str, list[Item]] = {}
    items = list(round_.items.order_by("dossier"))
    said = heard(round_, items)
    for item in items:
        groups.setdefault(item.agency, []).append(item)
    rows = [
        {"agency": code, "name": agencies.get(code, code), **counts(group, said, answer_due_at=round_.answer_due_at)}
        for code, group in groups.items()
    ]
    rows.sort(key=lambda row: (row["name"], row["agency"]))
    return counts(items, said, answer_due_at=round_.answer_due_at), rows


def before_and_after(round_: Round) -> list[dict[str, Any]]:
    """By head, how many of the sample the figures had, and what became of them: both sum to the sample."""
    found: dict[str, Counter[str]] = {sort: Counter() for sort in Item.Sort.values}
    for sort, finding, confirmed_at in round_.items.values_list("sort", "finding", "confirmed_at"):
        found[sort]["sample"] += 1
        found[sort][finding if confirmed_at else "open"] += 1
    return [
        {"sort": sort, "sample": n["sample"], "open": n["open"],
         **{finding: n[finding] for finding in ("accepted", "rejected", "disputed")}}
        for sort, n in found.items()
    ]  # fmt: skip


def population(home: Path, round_: Round) -> list[dict[str, Any]]:
    """By head, how many dossiers of the whole population the frozen figures have."""
    found = frozen.heads(frozen.folder(home, round_.pk))
    return [{"sort": sort, "count": count} for sort, count in found.items()]


def estimate(round_: Round) -> Rate | None:
    """The share of the whole population whose sign stands (rejected); None before anything was drawn.

    What nobody has confirmed yet, and what is disputed, may be either: the lower bound takes it for a no, the upper
    bound for a yes.
    """
    if round_.drawn_at is None or not round_.least_probability:
        return None
    rows = round_.items.values_list("numerator", "denominator", "finding", "confirmed_at")
    probabilities, hits = [], []
    for numerator, denominator, finding, confirmed_at in rows:
        probabilities.append(numerator / denominator)
        hits.append(None if confirmed_at is None or finding == "disputed" else finding == "rejected")
    return estimates.rate(
        probabilities, hits, population=round_.population, least_probability=round_.least_probability
    )  # fmt: skip


def fact_sheet(home: Path, round_: Round) -> dict[str, Any]:
    """All figures of a round that its papers print; JSON values."""
    total, units = by_unit(round_)
    rate = estimate(round_)
    return {
        "population": round_.population,
        "heads": population(home, round_),
        "sample": before_and_after(round_),
        "total": total,
        "units": units,
        "estimate": rate and {"rate": rate.rate, "low": rate.low, "high": rate.high, "confidence": rate.confidence},
    }
