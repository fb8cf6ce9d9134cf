"""Tài liệu giao ban: two pages and an annex for each unit, compared with the last meeting and the published number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from django.utils import translation
from django.utils.translation import gettext

from motcua.directives import meetings, standing, units_to_note
from motcua.directives.models import DayFigures, Meeting
from motcua.oversight import figures
from motcua.oversight.figures import Filter, Question
from motcua.rules.instants import local_day
from motcua.web import labels
from motcua.web.console import workbooks
from motcua.web.orders import words
from motcua.web.papers import forms, letters
from motcua.web.papers.paper import (
    Block,
    Column,
    Heading,
    NewPage,
    Paper,
    Paragraph,
    Signature,
    Table,
    head,
    issuer,
)

_CAUSES, _TASKS, _UNITS, _LISTED = 8, 6, 10, 40
_TOLD = ("reception", "open", "finished")


class Material:
    """Everything that the paper shows, gathered once at one instant."""

    def __init__(self, home: Path, *, period: str, now: datetime, by: str) -> None:
        self.home, self.period, self.now, self.by = home, period, now, by
        self.gathered = meetings.gathered(home, period=period or None, as_of=None, now=now)
        self.as_of = datetime.fromisoformat(self.gathered["open"]["as_of"])
        self.today = local_day(self.as_of)
        #: What it is compared with: the last meeting, else where all dossiers are shown the figures of a week ago.
        self.last: Meeting | DayFigures | None = meetings.before(self.today, period)
        self.met = self.last is not None
        if self.last is None and not period:
            self.last = meetings.week_ago(self.today)
        self.published = meetings.published(self.as_of)
        self.noted = units_to_note.noted(self.gathered["all"]["rows"])
        self.tasks = standing.standings(today=self.today, scope=None)
        self.rows = self._late()

    def _late(self) -> list[dict[str, Any]]:
        """Every dossier that is late on any side, finished or open."""
        found: dict[str, dict[str, Any]] = {}
        asked = Question(measure="all", period=self.period or None, as_of=self.as_of)
        for side in labels.SIDES:
            listed = figures.dossiers(self.home, asked, Filter(side=side), now=self.now, limit=1_000_000)
            found.update((row["dossier"], row) for row in listed["rows"])
        return [found[code] for code in sorted(found)]

    @property
    def other_period(self) -> bool:
        """Whether the last meeting looked at another period: then only what is open can be compared."""
        return isinstance(self.last, Meeting) and self.last.period != self.period

    def before(self, measure: str, side: str) -> int | None:
        """The figure of the last meeting; None where there was none, or none to compare with."""
        if self.last is None or measure not in self.last.figures or (self.other_period and measure != "open"):
            return None
        return int(self.last.figures[measure][f"late_{side}"])

    def change(self, measure: str, side: str) -> int | None:
        """How much more than at the last meeting; None where nothing can be compared."""
        before = self.before(measure, side)
        return None if before is None else int(self.gathered[measure][f"late_{side}"]) - before


def composed(material: Material) -> Paper:
    """The paper."""
    with translation.override("vi"):
        return _composed(material)


def _composed(m: Material) -> Paper:
    top, all_ = head(), m.gathered["all"]
    facts = {
        "as_of": labels.instant(m.as_of.isoformat()),
        "period": labels.period(m.period or None),
        "tiles_note": _tiles_note(m),
        "causes_note": gettext(
            "Cả hồ sơ đang xử lý và đã giải quyết; Cổng {shown} → một cửa {recorded} → thực tế {true}, trên {all}."
        ).format(
            shown=labels.number(all_["late_shown"]),
            recorded=labels.number(all_["late_recorded"]),
            true=labels.number(all_["late_true"]),
            all=labels.dossiers(all_["population"]),
        ),
        "by_sync": labels.dossiers(_removed(all_, "sync")),
        "by_clicks": labels.dossiers(_removed(all_, "record")),
        "late_true": labels.dossiers(all_["late_true"]),
    }
    blocks: dict[str, Sequence[Block]] = {
        "tiles": [_tiles(m)],
        "causes": [_causes(all_)],
        "noted": _noted(m),
        "tasks": _tasks(m),
        "units": [_units(all_)],
    }
    return Paper(
        form="meeting",
        title=gettext("TÀI LIỆU GIAO BAN"),
        subject=gettext("Tình hình giải quyết thủ tục hành chính, {period}, số liệu đến {as_of}").format(
            period=facts["period"][:1].lower() + facts["period"][1:], as_of=facts["as_of"]
        ),
        agency=issuer(top),
        parent=top["parent"],
        place=top["place"],
        body=forms.wording("meeting", m.home, facts, blocks),
        annex=list(_annex(m)),
        on=m.today,
        signatures=[
            Signature(gettext("Người lập biểu"), m.by),
            Signature(top["signer"] or gettext("Thủ trưởng đơn vị"), top["signer_name"]),
        ],
        foot=letters.foot(m.gathered["all"], m.rows, by=m.by, at=m.now),
        facts=facts,
        blocks=blocks,
    )


def _removed(document: Mapping[str, Any], leg: str) -> int:
    return sum(cause["removed"] for cause in document["causes"] if cause["leg"] == leg)


def _signed(change: int | None) -> str:
    if change is None:
        return "–"
    return "0" if change == 0 else f"{'+' if change > 0 else '−'}{labels.number(abs(change))}"


def _tiles(m: Material) -> Table:
    columns = [
        Column("", 3.3),
        Column(gettext("Trên Cổng DVCQG"), 1.5, "right"),
        Column(gettext("So với lần trước"), 1.5, "right"),
        Column(gettext("Số công bố"), 1.5, "right"),
        Column(gettext("Theo một cửa"), 1.4, "right"),
        Column(gettext("Thực tế"), 1.4, "right"),
        Column(gettext("So với lần trước"), 1.5, "right"),
    ]
    lines = []
    for measure in _TOLD:
        document, public = m.gathered[measure], m.published.get(measure)
        lines.append(
            [
                labels.MEASURES[measure],
                labels.number(document["late_shown"]),
                _signed(m.change(measure, "shown")),
                labels.number(public["count"]) if public else "–",
                labels.number(document["late_recorded"]),
                labels.number(document["late_true"]),
                _signed(m.change(measure, "true")),
            ]
        )
    return Table(columns, lines)


def _tiles_note(m: Material) -> str:
    """With which meeting it is compared, and whether the published numbers agree."""
    if m.last is None:
        parts = [gettext("Chưa có số liệu của lần họp trước.")]
    else:
        text = gettext("So với lần họp {day}.") if m.met else gettext("Chưa có lần họp trước; so với ngày {day}.")
        parts = [text.format(day=f"{m.last.on:%d/%m/%Y}")]
    if m.other_period:
        parts.append(gettext("Lần đó xét kỳ khác: chỉ so được số đang xử lý."))
    for measure, public in m.published.items():
        if measure not in _TOLD:
            continue
        ours = m.gathered[measure]["late_shown"]
        same = (
            gettext("khớp")
            if public["count"] == ours
            else gettext("lệch {n}").format(n=_signed(ours - public["count"]))
        )
        parts.append(
            gettext("{measure}: {document} ngày {day} nêu {n}, tính lại {ours}, {same}.").format(
                measure=labels.MEASURES[measure],
                document=public["document"][:60],
                day=f"{local_day(public['dated_at']):%d/%m/%Y}",
                n=labels.number(public["count"]),
                ours=labels.number(ours),
                same=same,
            )
        )
    return " ".join(parts)


def _causes(document: Mapping[str, Any]) -> Table:
    """The greatest causes; the others in one line, so that the sums hold."""
    found = [c for c in document["causes"] if c["removed"] or c["added"]]
    found.sort(key=lambda c: (-(c["removed"] + c["added"]), c["cause"]))
    lines = [
        [labels.CAUSES[c["cause"]], labels.LEGS[c["leg"]], labels.number(c["removed"]), labels.number(c["added"])]
        for c in found[:_CAUSES]
    ]
    if rest := found[_CAUSES:]:
        lines.append(
            [
                gettext("{n} nguyên nhân khác").format(n=len(rest)),
                "",
                labels.number(sum(c["removed"] for c in rest)),
                labels.number(sum(c["added"] for c in rest)),
            ]
        )
    whole = [gettext("Cộng"), "", *(labels.number(sum(c[way] for c in found)) for way in ("removed", "added"))]
    columns = [
        Column(gettext("Nguyên nhân"), 4.5),
        Column(gettext("Thuộc phần"), 2),
        Column(gettext("Bớt đi"), 1.2, "right"),
        Column(gettext("Thêm vào"), 1.2, "right"),
    ]
    return Table(columns, [whole, *lines], total=True, dense=True)


def _noted(m: Material) -> list[Block]:
    if not m.noted:
        return [Paragraph(gettext("Không đơn vị nào trễ hơn mức chung một cách rõ rệt."))]
    columns = [
        Column(gettext("Đơn vị"), 5),
        Column(gettext("Trễ thực tế"), 1.5, "right"),
        Column(gettext("Tổng số"), 1.5, "right"),
        Column(gettext("Mức chung"), 1.5, "right"),
    ]
    lines = [
        [one.name, labels.number(one.late), labels.number(one.population), labels.number(round(one.expected))]
        for one in m.noted
    ]
    note = gettext("Mức chung: số trễ nếu đơn vị trễ như các đơn vị khác. Đơn vị dưới {n} hồ sơ không xếp hạng.")
    return [Table(columns, lines, dense=True), Paragraph(note.format(n=units_to_note.SMALLEST), "note")]


def _tasks(m: Material) -> list[Block]:
    if not m.tasks:
        return [Paragraph(gettext("Không có nhiệm vụ nào đang mở."))]
    columns = [
        Column(gettext("Nhiệm vụ"), 5),
        Column(gettext("Hiện tại"), 1.3, "right"),
        Column(gettext("Chỉ tiêu"), 2.4),
        Column(gettext("Hạn"), 1.6),
        Column(gettext("Tình trạng"), 2),
    ]
    lines = [
        [
            _cut(each.directive.title),
            words.value(each.directive.metric, each.whole),
            words.target(each.directive),
            f"{each.directive.due_on:%d/%m/%Y}",
            words.PACES[each.pace],
        ]
        for each in m.tasks[:_TASKS]
    ]
    found: list[Block] = [Table(columns, lines, dense=True)]
    rest = len(m.tasks) - _TASKS
    if rest > 0:
        found.append(Paragraph(gettext("Còn {n} nhiệm vụ khác: xem tệp Excel.").format(n=rest), "note"))
    return found


def _cut(text: str) -> str:
    return text if len(text) <= 100 else text[:99].rstrip() + "…"


_SIDES = ("population", "late_shown", "late_recorded", "late_true")


def _late_units(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    late = [row for row in document["rows"] if row["late_shown"] or row["late_recorded"] or row["late_true"]]
    return sorted(late, key=lambda row: (-row["late_true"], -row["late_shown"], row["key"]))


def _units(document: Mapping[str, Any]) -> Table:
    """The units with the most late dossiers, the others in one line; the sum is the province."""
    columns = [
        Column(gettext("Đơn vị"), 5),
        Column(gettext("Hồ sơ"), 1.3, "right"),
        *(Column(title, 1.6, "right") for title in labels.SIDES.values()),
    ]
    ranked = _late_units(document)
    shown = ranked[:_UNITS]
    keys = {row["key"] for row in shown}
    rest = [row for row in document["rows"] if row["key"] not in keys]
    lines = [[row["name"], *(labels.number(row[name]) for name in _SIDES)] for row in shown]
    if rest:
        lines.append(
            [
                gettext("{n} đơn vị khác").format(n=len(rest)),
                *(labels.number(sum(row[name] for row in rest)) for name in _SIDES),
            ]
        )
    return Table(
        columns,
        [[gettext("Toàn tỉnh"), *(labels.number(document[name]) for name in _SIDES)], *lines],
        total=True,
        dense=True,
    )


def _annex(m: Material) -> list[Block]:
    """A sheet for each unit that has anything late."""
    found: list[Block] = []
    for number, unit in enumerate(_late_units(m.gathered["all"]), 1):
        own = [row for row in m.rows if row["agency"] == unit["key"]]
        if found:
            found.append(NewPage())
        found += [
            Heading(gettext("Phụ lục {n}. {unit}").format(n=number, unit=unit["name"])),
            Paragraph(
                gettext("Cổng {shown} → một cửa {recorded} → thực tế {true}, trên {all}.").format(
                    shown=labels.number(unit["late_shown"]),
                    recorded=labels.number(unit["late_recorded"]),
                    true=labels.number(unit["late_true"]),
                    all=labels.dossiers(unit["population"]),
                )
            ),
            letters.listed(own[:_LISTED]),
        ]
        if len(own) > _LISTED:
            found.append(
                Paragraph(gettext("Còn {n}: xem tệp Excel.").format(n=labels.dossiers(len(own) - _LISTED)), "note")
            )
    return found


def workbook(m: Material, paper: Paper) -> BytesIO:
    """The same as numbers: the tiles, causes, units, tasks, and every late dossier."""
    with translation.override("vi"):
        return _workbook(m, paper)


def _workbook(m: Material, paper: Paper) -> BytesIO:
    tiles: list[workbooks.Column] = [
        (gettext("Con số"), 30, lambda row: labels.MEASURES[row["measure"]]),
        *((title, 16, lambda row, side=side: row[f"late_{side}"]) for side, title in labels.SIDES.items()),
        (
            gettext("Lần họp trước (trên Cổng)") if m.met else gettext("Tuần trước (trên Cổng)"),
            16,
            lambda row: row["before"],
        ),
        (gettext("Số công bố"), 14, lambda row: row["published"]),
    ]
    of_tiles = [
        {
            "measure": measure,
            **m.gathered[measure],
            "before": m.before(measure, "shown"),
            "published": m.published[measure]["count"] if measure in m.published else None,
        }
        for measure in _TOLD
    ]
    causes: list[workbooks.Column] = [
        (gettext("Nguyên nhân"), 40, lambda row: labels.CAUSES[row["cause"]]),
        (gettext("Thuộc phần"), 16, lambda row: labels.LEGS[row["leg"]]),
        (gettext("Bớt đi"), 10, lambda row: row["removed"]),
        (gettext("Thêm vào"), 10, lambda row: row["added"]),
    ]
    units: list[workbooks.Column] = [
        (gettext("Mã đơn vị"), 14, lambda row: row["key"]),
        (gettext("Đơn vị"), 44, lambda row: row["name"]),
        (gettext("Hồ sơ"), 10, lambda row: row["population"]),
        *((title, 16, lambda row, side=side: row[f"late_{side}"]) for side, title in labels.LATE_BY.items()),
    ]
    tasks: list[workbooks.Column] = [
        (gettext("Nhiệm vụ"), 60, lambda row: row["directive"].title),
        (gettext("Hiện tại"), 14, lambda row: row["value"]),
        (gettext("Chỉ tiêu"), 26, lambda row: row["target"]),
        (gettext("Hạn"), 12, lambda row: f"{row['directive'].due_on:%d/%m/%Y}"),
        (gettext("Tình trạng"), 20, lambda row: row["pace_text"]),
    ]
    return workbooks.sheets(
        [
            (gettext("Ba con số"), tiles, of_tiles),
            (gettext("Nguyên nhân"), causes, [c for c in m.gathered["all"]["causes"] if c["removed"] or c["added"]]),
            (gettext("Theo đơn vị"), units, [dict(row) for row in m.gathered["all"]["rows"]]),
            (gettext("Nhiệm vụ"), tasks, [words.row(each, m.today) for each in m.tasks]),
            (gettext("Danh sách hồ sơ"), workbooks.listed_dossier(), m.rows),
        ],
        title=f"{paper.title}. {paper.subject}",
        line=paper.foot.line(),
        author=paper.foot.by,
    )


def without_annex(paper: Paper) -> Paper:
    """The two pages alone."""
    return replace(paper, annex=())
