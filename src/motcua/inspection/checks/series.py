"""Gaps in the serial numbers of a unit's dossiers: a number was given, and no dossier bears it any more.

A code ends in the serial of its day (law: code-1, code-3). Only a unit that numbers without gaps as a rule is held to
it. Left out: codes whose day is not that of the dossier (another check), the first and the last day known of a unit
(a migration begins or ends within a day), days of a known outage, and jumps into another range of numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import narwhals as nw

from motcua.inspection.checks import downtime, grounds
from motcua.inspection.checks.check import Check, Found, Given, Need, Parameter
from motcua.inspection.checks.facts import Facts, Frame
from motcua.inspection.signs import Sign
from motcua.inspection.verdicts import flag, local_day

_DAY = 86_400


def _numbered(facts: Facts) -> Frame:
    """The codes of either side that carry the serial of their own day."""
    on = nw.col("code_on")
    of_its_day = (on == local_day(nw.col("received_at"))) | (on == local_day(nw.col("submitted_at")))
    mine = of_its_day.fill_null(value=False) | ~flag("exists_here")
    frame = facts.dossiers.filter(mine, ~on.is_null(), nw.col("code_serial") > 0, nw.col("code_series") != "")
    return frame.filter(nw.col("agency") != "").select("agency", "code_series", "code_serial", "code_on")


def _gaps(facts: Facts, given: Given) -> Found:
    numbered = _numbered(facts)
    rows = facts.collect(
        numbered.group_by("agency", "code_series", "code_on").agg(
            nw.col("code_serial").n_unique().cast(nw.Int64).alias("n"), nw.col("code_serial").max().alias("last")
        )
    )
    if not rows:
        return Found((), 0)
    known = _known_days(rows, facts)
    rows = [row for row in rows if row["code_on"] in known[row["agency"]]]
    torn = {row["code_series"] for row in rows if row["last"] > row["n"]}
    missing = _missing(numbered, facts, torn, given.number("longest"))
    given_out: dict[str, int] = defaultdict(int)
    lost: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["code_on"], row["code_series"])):
        given_out[row["agency"]] += row["n"]
        lost[row["agency"]] += [(row["code_on"], code) for code in missing.get((row["agency"], row["code_series"]), ())]
    large = {agency: n for agency, n in given_out.items() if n >= given.number("least")}
    whole = {agency: n for agency, n in large.items() if len(lost[agency]) <= given.share("share") * n}
    signs = [
        Sign(check="serial_gap", subject=agency, kind="unit", agency=agency,
             at_s=lost[agency][0][0] * _DAY - 7 * 3600,
             evidence={"missing_numbers": len(lost[agency]), "out_of": n, "first_missing": lost[agency][0][1],
                       "last_missing": lost[agency][-1][1]})
        for agency, n in sorted(whole.items()) if lost[agency]
    ]  # fmt: skip
    lacks = {"enough_cases": len(given_out) - len(large), "numbered_without_gaps": len(large) - len(whole)}
    return Found(signs, len(whole), {fact: n for fact, n in lacks.items() if n})


def _known_days(rows: Iterable[Mapping[str, Any]], facts: Facts) -> dict[str, set[int]]:
    """For each agency the days between its first and its last, in the question's period, without an outage."""
    days: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        days[row["agency"]].add(row["code_on"])
    scope = facts.scope
    start = None if scope.start is None else (scope.start + 7 * 3600) // _DAY
    end = None if scope.end is None else (scope.end + 7 * 3600) // _DAY
    out: dict[str, set[int]] = defaultdict(set)
    if facts.outages is not None:
        for row in facts.collect(facts.outages.filter(nw.col("what") == downtime.SOFTWARE)):
            first, last = ((row[name] + 7 * 3600) // _DAY for name in ("from_s", "caught_up_s"))
            out[row["agency"]] |= set(range(first, last + 1))
    return {
        agency: {
            day for day in held
            if min(held) < day < max(held) and (start is None or day >= start) and (end is None or day < end)
        } - out[agency]
        for agency, held in days.items()
    }  # fmt: skip


def _missing(numbered: Frame, facts: Facts, torn: set[str], longest: int) -> dict[tuple[str, str], list[str]]:
    """The codes that nobody bears between those that somebody does, a jump of more than `longest` left out."""
    if not torn:
        return {}
    serials: dict[tuple[str, str], set[int]] = defaultdict(set)
    for row in facts.collect(numbered.filter(nw.col("code_series").is_in(sorted(torn)))):
        serials[row["agency"], row["code_series"]].add(int(row["code_serial"]))
    found: dict[tuple[str, str], list[str]] = {}
    for (agency, series), held in serials.items():
        before, lost = 0, []
        for serial in sorted(held):
            if 1 < serial - before <= longest + 1:
                lost += [f"{series}-{n:04}" for n in range(before + 1, serial)]
            before = serial
        if lost:
            found[agency, series] = lost
    return found


CHECKS: tuple[Check, ...] = (
    Check(
        code="serial_gap", number="V-22", severity="B", remedy="ask_explanation", concerns="unit",
        title="Khuyết số thứ tự trong mã hồ sơ",
        explanation="Trong một ngày, số thứ tự của mã hồ sơ bị nhảy: có mã đã cấp mà không còn hồ sơ nào mang. Đơn vị"
        " vốn không đánh số liên tục, ngày đầu và ngày cuối của dữ liệu, ngày có sự cố đã khai, bước nhảy sang dải số"
        " khác thì không xét.",
        grounds=(*grounds.FORBIDDEN, *grounds.CODES),
        evidence=("missing_numbers", "out_of", "first_missing", "last_missing"),
        parameters=(
            Parameter(name="longest", default=10, law=False, least=1, title="số mã khuyết liền nhau nhiều nhất"),
            Parameter(name="share", default=0.05, law=False, title="tỷ lệ khuyết của đơn vị đánh số liên tục"),
            Parameter(name="least", default=30, law=False, least=1, title="số hồ sơ tối thiểu để xét"),
        ),
        needs=(Need(fact="serials", title="số thứ tự trong mã hồ sơ", has=lambda: ~nw.col("code_serial").is_null()),),
        signs=_gaps,
    ),
)  # fmt: skip
