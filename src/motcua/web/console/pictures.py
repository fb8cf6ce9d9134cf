"""Pictures as shapes that templates draw in SVG: the waterfall and the two-track timeline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from motcua.web import labels

_LEFT, _WIDTH, _ROW = 330, 560, 26


def waterfall(document: Mapping[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    """The bars of the bridge, top to bottom, each with the address of its list. Units: pixels of a 1000-wide box."""
    shown, recorded, true = (document[f"late_{side}"] for side in ("shown", "recorded", "true"))
    added = sum(c["added"] for c in document["causes"])
    most = max(shown + added, recorded + added, true, 1)
    bars: list[dict[str, Any]] = []

    def put(kind: str, title: str, start: float, end: float, text: str, **chosen: str) -> None:
        low, high = min(start, end), max(start, end)
        x = _LEFT + _WIDTH * low / most
        width = max(_WIDTH * (high - low) / most, 1.5)
        bars.append(
            {
                "kind": kind, "title": title, "text": text, "x": round(x, 1), "width": round(width, 1),
                "y": 8 + _ROW * len(bars), "label_x": round(x + width + 8, 1),
                "href": "/ho-so?" + urlencode({**query, **chosen}),
            }
        )  # fmt: skip

    level = shown
    put("shown", labels.SIDES["shown"], 0, shown, labels.number(shown), side="shown")
    for leg, total, side in (("sync", recorded, "recorded"), ("record", true, "true")):
        for cause in document["causes"]:
            if cause["leg"] != leg:
                continue
            always = cause["cause"] == "unexplained"
            for direction, sign in (("removed", -1), ("added", 1)):
                count = cause[direction]
                if count or (always and direction == "removed"):
                    mark = ("−" if sign < 0 else "+") if count else ""
                    put(
                        leg, labels.CAUSES[cause["cause"]], level, level + sign * count,
                        f"{mark} {labels.number(count)}".strip(), leg=leg, cause=cause["cause"], direction=direction,
                    )  # fmt: skip
                    level += sign * count
        put(side, labels.SIDES[side], 0, total, labels.number(total), side=side)
    return {"bars": bars, "height": 16 + _ROW * len(bars), "left": _LEFT}


def timeline(story: Mapping[str, Any]) -> dict[str, Any]:
    """The two tracks of a dossier: ours above, the portal's below; pauses, due instants, late clicks."""
    entries = [e for e in story["timeline"] if e["at"]]
    if not entries:
        return {}

    def at(text: str) -> float:
        return datetime.fromisoformat(text).timestamp()

    dues = [(side, story[side]["due_at"]) for side in ("shown", "recorded", "true") if story[side]["due_at"]]
    moments = [at(e["at"]) for e in entries] + [at(due) for _, due in dues]
    moments += [at(e["recorded_at"]) for e in entries if e["side"] == "ours"]
    first, last = min(moments), max(moments)
    span = max(last - first, 3600.0)

    def x(text: str) -> float:
        return round(130 + 820 * (min(at(text), last) - first) / span, 1)

    marks, pauses = [], []
    lane = {"ours": 0, "theirs": 0}
    for entry in entries:
        side = entry["side"]
        if entry["until"]:
            pauses.append({"x": x(entry["at"]), "width": round(max(x(entry["until"]) - x(entry["at"]), 2), 1)})
        title = labels.KINDS[entry["kind"]] if side == "ours" else labels.STATUSES[entry["status"]]
        if entry["step"]:
            title += f": {entry['step']}"
        gap = side == "ours" and at(entry["recorded_at"]) - at(entry["at"]) >= 3600
        marks.append(
            {
                "side": side, "x": x(entry["at"]), "title": title, "at": entry["at"], "status": entry["status"],
                "end": entry["kind"] in ("finished", "returned") or entry["status"] in (9, 10),
                "late_x": x(entry["recorded_at"]) if gap else None, "level": lane[side] % 3,
                "evidence_x": x(entry["evidence_at"]) if entry["evidence_at"] else None,
            }
        )  # fmt: skip
        lane[side] += 1
    return {
        "marks": marks,
        "pauses": pauses,
        "dues": [{"side": side, "x": x(due), "title": labels.SIDES[side], "at": due} for side, due in dues],
    }
