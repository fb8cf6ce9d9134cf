"""The days of a deadline certificate, told shortly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from django.utils.translation import gettext, ngettext


def folded(certificate: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The days of a certificate, ordinary ones and holidays folded: rows of `first`, `last`, `minutes` and `why`."""
    if not certificate["explain"]:
        return []
    calendar_days = certificate["allotted"].endswith("cd")
    lines: Sequence[Mapping[str, Any]] = certificate["explain"]
    rows: list[dict[str, Any]] = []
    for (notable, holiday), run in groupby(lines, key=lambda line: (line["notable"], bool(line["holiday"]))):
        days = list(run)
        for part in [[day] for day in days] if notable and not holiday else [days]:
            if len(part) == 1:
                why = part[0]["why"]
            elif holiday:
                why = f"{part[0]['holiday']} – {part[-1]['holiday']}: {_closed(len(part))}"
            else:
                why = _summary(part, calendar_days)
            minutes = sum(line["worked_minutes"] for line in part)
            rows.append({"first": part[0]["day"], "last": part[-1]["day"], "minutes": minutes, "why": why})
    return rows


def _closed(count: int) -> str:
    return ngettext("{n} ngày nghỉ", "{n} ngày nghỉ", count).format(n=count)


def _summary(days: Sequence[Mapping[str, Any]], calendar_days: bool) -> str:
    numbers = [day["number"] for day in days if day["number"]]
    worked = sum(not day["number"] and day["worked_minutes"] > 0 for day in days)
    paused = sum(day["paused_minutes"] > 0 for day in days)
    closed = len(days) - len(numbers) - worked - paused
    parts = []
    if len(numbers) == 1:
        text = gettext("ngày thứ {n}") if calendar_days else gettext("ngày làm việc thứ {n}")
        parts.append(text.format(n=numbers[0]))
    elif numbers:
        text = gettext("ngày thứ {a} đến thứ {b}") if calendar_days else gettext("ngày làm việc thứ {a} đến thứ {b}")
        parts.append(text.format(a=numbers[0], b=numbers[-1]))
    if worked:
        parts.append(ngettext("{n} ngày làm việc", "{n} ngày làm việc", worked).format(n=worked))
    if paused:
        parts.append(ngettext("{n} ngày tạm dừng", "{n} ngày tạm dừng", paused).format(n=paused))
    if closed:
        parts.append(_closed(closed))
    return "; ".join(parts)
