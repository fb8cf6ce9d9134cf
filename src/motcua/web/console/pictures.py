"""Pictures as shapes that templates draw in SVG: the waterfall, the two-track timeline, whose minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext

from motcua.rules.instants import VIET_NAM
from motcua.web import labels
from motcua.web.console.asked import Asked


def waterfall(document: Mapping[str, Any], asked: Asked) -> list[dict[str, Any]]:
    """The bars of the bridge, top to bottom, each with the address of its list. Places and widths in per cent."""
    shown, recorded, true = (document[f"late_{side}"] for side in ("shown", "recorded", "true"))
    added = sum(c["added"] for c in document["causes"])
    most = max(shown + added, recorded + added, true, 1)
    bars: list[dict[str, Any]] = []
    level = 0

    def put(kind: str, title: str, start: int, end: int, sign: str, **chosen: Any) -> None:
        nonlocal level
        low, high = min(start, end), max(start, end)
        bars.append(
            {
                "kind": kind,
                "title": title,
                "sign": sign,
                "count": high - low,
                "x": round(100 * low / most, 3),
                "width": round(100 * (high - low) / most, 3),
                "from": round(100 * level / most, 3) if bars else None,  # the thread from the bar above
                "to": round(100 * end / most, 3),
                "href": asked.link("/ho-so", **chosen),
            }
        )
        level = end

    put("shown", labels.SIDES["shown"], 0, shown, "", side="shown")
    for leg, total, side in (("sync", recorded, "recorded"), ("record", true, "true")):
        for cause in document["causes"]:
            if cause["leg"] != leg:
                continue
            drawn = [(way, sign) for way, sign in (("removed", -1), ("added", 1)) if cause[way]]
            if not drawn and cause["cause"] == "unexplained":  # always drawn: zero is a statement
                drawn = [("removed", 0)]
            for way, sign in drawn:
                put(
                    leg, labels.CAUSES[cause["cause"]], level, level + sign * cause[way],
                    {-1: "−", 0: "", 1: "+"}[sign], leg=leg, cause=cause["cause"], direction=way,
                )  # fmt: skip
        level = total
        put(side, labels.SIDES[side], 0, total, "", side=side)
    return bars


def drawn(bars: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The same bars in pixels, for an image that stands by itself: a line each, names on the left, counts behind."""
    left, width, top, line = 300, 740, 84, 34

    def x(share: float) -> float:
        return round(left + width * share / 100, 1)

    shapes = [
        {
            "kind": bar["kind"],
            "title": bar["title"],
            "sign": bar["sign"],
            "count": bar["count"],
            "x": x(bar["x"]),
            "width": round(width * bar["width"] / 100, 1),
            "count_x": x(bar["x"] + bar["width"]) + 8,
            "from": None if bar["from"] is None else x(bar["from"]),
            "y": top + line * number,
        }
        for number, bar in enumerate(bars)
    ]
    bottom = top + line * len(bars)
    return {"bars": shapes, "name_x": left - 14, "width": left + width + 80, "bottom": bottom, "height": bottom + 66}


# ---- the two tracks of a dossier ---------------------------------------------------------------------------------

_WIDTH, _LEFT, _RIGHT = 1240, 118, 24
_OURS, _THEIRS = 120, 204
_LETTER = 6.7  # pixels of a letter at 13 px


class _Shelf:
    """Levels on which labels stand without touching one another; a label without room is left to the table."""

    def __init__(self, base: int, step: int, levels: int) -> None:
        self.base, self.step = base, step
        self.taken: list[list[tuple[float, float]]] = [[] for _ in range(levels)]

    def place(self, x: float, text: str) -> dict[str, Any] | None:
        """Where the label stands: the nearest level with room."""
        width = len(text) * _LETTER
        left = min(max(x - 4, 2), _WIDTH - width - 2)
        for level, spans in enumerate(self.taken):
            if all(left >= end + 8 or left + width + 8 <= start for start, end in spans):
                spans.append((left, left + width))
                return {"x": round(left, 1), "y": self.base + self.step * level, "text": text}
        return None


def timeline(story: Mapping[str, Any]) -> dict[str, Any] | None:
    """The two tracks of a dossier: ours above, the portal's below; pauses, due instants, late clicks, evidence."""
    entries = [entry for entry in story["timeline"] if entry["at"]]
    if not entries:
        return None
    moments = [_at(entry["at"]) for entry in entries]
    moments += [_at(e["recorded_at"]) for e in entries if e["side"] == "ours"]
    moments += [_at(e["evidence_at"]) for e in entries if e["evidence_at"]]
    moments += [_at(story[side]["due_at"]) for side in labels.SIDES if story[side]["due_at"]]
    scale = _Scale(min(moments), max(moments))
    above = _Shelf(_OURS - 22, -18, 5)
    below = _Shelf(_THEIRS + 30, 18, 3)
    dues = _dues(story, scale, above, below)
    marks = [_mark(entry, scale, above if entry["side"] == "ours" else below) for entry in _telling_first(entries)]
    written = [label["y"] for shape in [*marks, *dues] if (label := shape["label"])]
    top, bottom = min([_OURS - 22, *written]) - 16, max([_THEIRS + 30, *written]) + 10
    return {
        "width": _WIDTH,
        "top": top,
        "height": bottom - top,
        "left": _LEFT,
        "right": _WIDTH - _RIGHT,
        "turn": _WIDTH - 160,  # beyond it a text to the right of its mark would leave the picture
        "ours": _OURS,
        "theirs": _THEIRS,
        "middle": (_OURS + _THEIRS) // 2,
        "marks": marks,
        "dues": dues,
        "days": scale.days(),
        "pauses": [
            {"x": scale.x(e["at"]), "width": round(max(scale.x(e["until"]) - scale.x(e["at"]), 3), 1),
             "title": gettext("{what}: {start} đến {end}").format(
                 what=labels.KINDS[e["kind"]], start=labels.instant(e["at"]), end=labels.instant(e["until"]))}
            for e in entries
            if e["until"]
        ],
    }  # fmt: skip


class _Scale:
    """Instants as pixels."""

    def __init__(self, first: datetime, last: datetime) -> None:
        self.first = first
        self.span = max((last - first).total_seconds(), 3600.0)
        self.last = first + timedelta(seconds=self.span)

    def x(self, text: str) -> float:
        share = (_at(text) - self.first).total_seconds() / self.span
        return round(_LEFT + 14 + (_WIDTH - _LEFT - _RIGHT - 28) * min(max(share, 0.0), 1.0), 1)

    def days(self) -> list[dict[str, Any]]:
        """Midnights, at most a dozen with their day."""
        count = (self.last.date() - self.first.date()).days
        every = max(1, -(-count // 12))
        start = self.first.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        found = [start + timedelta(days=n) for n in range(0, count, every)]
        return [{"x": self.x(day.isoformat()), "text": f"{day:%d/%m}"} for day in found if day <= self.last]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(VIET_NAM)


def _telling_first(entries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Ends and beginnings get their labels before the steps between them."""
    telling = {"finished": 0, "returned": 1, "received": 2, "supplement_requested": 3, "extended": 3}
    return sorted(entries, key=lambda e: ({9: 0, 10: 1, 2: 2}.get(e["status"], 5) if e["side"] == "theirs"
                                          else telling.get(e["kind"], 4), e["at"]))  # fmt: skip


def _mark(entry: Mapping[str, Any], scale: _Scale, shelf: _Shelf) -> dict[str, Any]:
    ours = entry["side"] == "ours"
    x = scale.x(entry["at"])
    at = _at(entry["at"])
    if ours:
        title = labels.KINDS[entry["kind"]]
        short = labels.SHORT_KINDS.get(entry["kind"], "")
        if entry["kind"].startswith("step_"):
            short = (entry["step"] or gettext("bước"))[:18].lower()
            if entry["kind"] == "step_finished":
                short = gettext("xong {step}").format(step=short)
    else:
        title = f"{entry['status']}. {labels.STATUSES.get(entry['status'], '')}"
        short = f"{entry['status']}"
    if entry["step"]:
        title += f": {entry['step']}"
    typed = _at(entry["recorded_at"]) if ours else at
    behind = typed - at >= timedelta(hours=1)
    text, told = f"{short} {at:%d/%m %H:%M}", f"{title}, {labels.instant(entry['at'])}"
    if behind:
        text += gettext(", bấm {at}").format(at=f"{typed:%d/%m %H:%M}")
        told += gettext(", bấm lúc {at}").format(at=labels.instant(entry["recorded_at"]))
    evidence = entry["evidence_at"]
    return {
        "side": entry["side"],
        "x": x,
        "y": _OURS if ours else _THEIRS,
        "title": told,
        "end": entry["kind"] in ("finished", "returned") or entry["status"] in (9, 10),
        "typed_x": scale.x(entry["recorded_at"]) if behind else None,
        "evidence_x": scale.x(evidence) if evidence else None,
        "evidence_text": gettext("chứng cứ {at}").format(at=f"{_at(evidence):%d/%m %H:%M}") if evidence else "",
        "evidence": labels.instant(evidence),
        "label": shelf.place(x, text),
    }


def _dues(story: Mapping[str, Any], scale: _Scale, above: _Shelf, below: _Shelf) -> list[dict[str, Any]]:
    """The due instant of each side; equal ones on our track are one line."""
    found: list[dict[str, Any]] = []
    for side in ("recorded", "true", "shown"):
        due = story[side]["due_at"]
        if not due or (side == "true" and due == story["recorded"]["due_at"]):
            continue
        theirs = side == "shown"
        words = gettext("hẹn có căn cứ") if side == "true" else gettext("hẹn")
        found.append(
            {
                "x": scale.x(due),
                "y1": (_THEIRS if theirs else _OURS) - 16,
                "y2": (_THEIRS if theirs else _OURS) + 16,
                "side": side,
                "title": gettext("Hẹn trả {side}: {at}").format(side=labels.SIDES[side], at=labels.instant(due)),
                "label": (below if theirs else above).place(scale.x(due), f"{words} {_at(due):%d/%m %H:%M}"),
            }
        )
    return found


def shares(minutes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Whose minutes, as one bar: place and width in per cent, the late part of each beside it."""
    total = sum(share["minutes"] for share in minutes) or 1
    x = 0.0
    found = []
    for share in minutes:
        width = 100 * share["minutes"] / total
        late = 100 * share["late_minutes"] / total
        found.append({**share, "x": round(x, 3), "width": round(width, 3), "late_x": round(x + width - late, 3),
                      "late_width": round(late, 3)})  # fmt: skip
        x += width
    return found
