"""Letters about dossiers: to whom, how many, why, until when; behind the signature the list of each unit.

A letter is drafted, never sent. It is in Vietnamese whatever the language of the screen, and names no applicant.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from django.utils import translation
from django.utils.translation import gettext

from motcua.inspection import bridge
from motcua.oversight import named
from motcua.web import labels
from motcua.web.console import workbooks
from motcua.web.labels import Words
from motcua.web.papers import forms, pdf, word
from motcua.web.papers.paper import Block, Column, Foot, Heading, Paper, Paragraph, Signature, Table, head, issuer

FORMS = ("explanation-request", "urge", "correct")
TITLES = Words(
    {
        "explanation-request": "Yêu cầu giải trình",
        "urge": "Đôn đốc",
        "correct": "Chấn chỉnh",
        "meeting": "Tài liệu giao ban",
    }
)
SUBJECTS = Words(
    {
        "explanation-request": "V/v giải trình hồ sơ có dấu hiệu trễ hạn trong giải quyết thủ tục hành chính",
        "urge": "V/v đôn đốc xử lý hồ sơ trong giải quyết thủ tục hành chính",
        "correct": "V/v chấn chỉnh việc giải quyết thủ tục hành chính",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a letter is to say beside its dossiers."""

    form: str
    deadline: date | None = None
    letter: str = ""  # the letter whose annex the codes come from
    agreement: str = ""  # whether its number and the list agree
    task: str = ""  # the task that is urged
    by: str = ""  # who drafts


def agreement(given: named.Pasted, found: int, absent: int, stated: int | None) -> str:
    """Whether a letter's number is that of the list, else why not, in a sentence; empty where no number is known."""
    if stated is None:
        return ""
    if stated == found:
        return gettext("Số hồ sơ văn bản nêu ({n}) khớp với danh sách.").format(n=labels.number(stated))
    reasons = []
    if absent:
        reasons.append(gettext("{n} mã không thấy trên hệ thống").format(n=labels.number(absent)))
    if given.mistaken:
        reasons.append(gettext("{n} dòng không phải mã hồ sơ").format(n=labels.number(len(given.mistaken))))
    repeats = sum(n - 1 for n in given.repeated.values())
    if repeats:
        reasons.append(gettext("{n} dòng lặp").format(n=labels.number(repeats)))
    text = gettext("Văn bản nêu {stated}, danh sách có {found}").format(
        stated=labels.number(stated), found=labels.dossiers(found)
    )
    return f"{text}: {', '.join(reasons)}." if reasons else f"{text}."


def composed(
    asked: Asked, document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], *, home: Path, at: datetime
) -> Paper:
    """The letter. `rows` are dossiers as lists have them; `document` says what they rest on."""
    with translation.override("vi"):
        return _composed(asked, document, rows, home, at)


def _composed(
    asked: Asked, document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], home: Path, at: datetime
) -> Paper:
    top, units = head(), named.by_unit(rows)
    facts = {
        "agency": issuer(top),
        "count": labels.dossiers(len(rows)),
        "units": units[0]["name"] if len(units) == 1 else gettext("{n} cơ quan, đơn vị").format(n=len(units)),
        "as_of": labels.instant(document["as_of"]),
        **{f"late_{side}": labels.dossiers(sum(bool(row[side]) for row in rows)) for side in labels.SIDES},
        "by_sync": labels.dossiers(sum(bool(row["shown"] and not row["recorded"]) for row in rows)),
        "by_clicks": labels.dossiers(sum(bool(row["recorded"] and not row["true"]) for row in rows)),
        "letter": asked.letter,
        "agreement": asked.agreement,
        "task": asked.task,
        "deadline": f"{asked.deadline:%d/%m/%Y}" if asked.deadline else "",
    }
    blocks: dict[str, Sequence[Block]] = {"by_unit": [_by_unit(units)], "causes": [_causes(rows)]}
    return Paper(
        form=asked.form,
        title=TITLES[asked.form],
        subject=SUBJECTS[asked.form],
        agency=facts["agency"],
        parent=top["parent"],
        place=top["place"],
        symbol=top["symbol"],
        to=[unit["name"] for unit in units]
        if len(units) <= 6
        else [gettext("Các cơ quan, đơn vị có tên trong danh sách kèm theo")],
        body=forms.wording(asked.form, home, facts, blocks),
        annex=list(_annex(units, rows)),
        signatures=[Signature(top["signer"] or gettext("Thủ trưởng đơn vị"), top["signer_name"])],
        copies=[gettext("Như trên"), gettext("Lãnh đạo Ủy ban nhân dân tỉnh (để báo cáo)"), gettext("Lưu: VT, KSTT")],
        foot=foot(document, rows, by=asked.by, at=at),
        facts=facts,
        blocks=blocks,
    )


def foot(document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], *, by: str, at: datetime) -> Foot:
    """What a paper about these dossiers rests on; its code changes with any of them."""
    told = [
        [row["dossier"], row["shown"], row["recorded"], row["true"], row["sync_cause"], row["record_cause"]]
        for row in rows
    ]
    digest = hashlib.sha256(json.dumps([document["as_of"], document["policy"], told]).encode()).hexdigest()
    return Foot(
        by=by,
        at=at,
        as_of=datetime.fromisoformat(document["as_of"]),
        policy=document["policy"],
        formula="bridge v1" if document["formula"] == bridge.FORMULA else document["formula"],
        code="-".join((digest[:4], digest[4:8], digest[8:12])),
    )


def _by_unit(units: Sequence[Mapping[str, Any]]) -> Table:
    """The units with their counts, the sum on top."""
    columns = [
        Column(gettext("Cơ quan, đơn vị"), 5),
        Column(gettext("Hồ sơ"), 1.3, "right"),
        *(Column(title, 1.6, "right") for title in labels.SIDES.values()),
    ]
    names = ("count", *labels.SIDES)
    whole = [gettext("Cộng"), *(labels.number(sum(unit[name] for unit in units)) for name in names)]
    rows = [[unit["name"], *(labels.number(unit[name]) for name in names)] for unit in units]
    return Table(columns, [whole, *rows], total=True)


def _causes(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The causes of both legs with their counts, the most frequent first."""
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        for leg in labels.LEGS:
            if row[f"{leg}_cause"]:
                found[leg, row[f"{leg}_cause"]] += 1
    columns = [
        Column(gettext("Nguyên nhân"), 5),
        Column(gettext("Thuộc phần"), 2),
        Column(gettext("Hồ sơ"), 1.3, "right"),
    ]
    return Table(
        columns,
        [
            [labels.CAUSES[cause], labels.LEGS[leg], labels.number(n)]
            for (leg, cause), n in sorted(found.items(), key=lambda each: (-each[1], each[0]))
        ],
    )


def _annex(units: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]) -> list[Block]:
    """The list of each unit."""
    found: list[Block] = [Paragraph(gettext("DANH SÁCH HỒ SƠ"), "centre")]
    for unit in units:
        own = [row for row in rows if row["agency"] == unit["agency"]]
        found += [Heading(f"{unit['name']}: {labels.dossiers(len(own))}"), listed(own)]
    return found


def listed(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Dossiers as a table of a paper; those that carry `signs` (what findings saw) are told with them."""
    signs = any(row.get("signs") for row in rows)
    columns = [
        Column(gettext("STT"), 1.2, "right"),
        Column(gettext("Mã hồ sơ"), 4),
        Column(gettext("Thủ tục"), 3.3),
        Column(gettext("Hẹn trả"), 2.35),
        Column(gettext("Kết thúc"), 2.35),
        Column(gettext("Trễ ở"), 2.1),
        Column(gettext("Dấu hiệu") if signs else gettext("Nguyên nhân"), 3),
    ]
    lines = []
    for number, row in enumerate(rows, 1):
        late = [labels.SHORT_SIDES[side] for side in labels.SIDES if row[side]]
        causes = [labels.CAUSES[row[f"{leg}_cause"]] for leg in labels.LEGS if row[f"{leg}_cause"]]
        why = row["signs"] if signs else causes
        lines.append(
            [
                str(number),
                row["dossier"],
                _cut(row["procedure_name"]),
                labels.stamp(row["due_at"]),
                labels.stamp(row["finished_at"]),
                ", ".join(late),
                "; ".join(why),
            ]
        )
    return Table(columns, lines, dense=True)


_LONGEST = 90


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def files(
    paper: Paper,
    rows: Sequence[Mapping[str, Any]],
    *,
    home: Path,
    kinds: Sequence[str] = ("docx", "pdf", "xlsx"),
) -> dict[str, bytes]:
    """The files of a letter: Word, PDF, and its list as Excel with a sheet for each unit."""
    make = {
        "docx": lambda: word.made(paper, home=home),
        "pdf": lambda: pdf.made(paper, home=home),
        "xlsx": lambda: workbook(paper, rows).getvalue(),
    }
    with translation.override("vi"):
        return {kind: make[kind]() for kind in kinds}


_SHEETS = 60  # units with a sheet of their own; every dossier is on the first sheet whatever their number


def workbook(paper: Paper, rows: Sequence[Mapping[str, Any]]) -> BytesIO:
    """All dossiers, then the units, then a sheet for each unit."""
    units = named.by_unit(rows)
    columns = workbooks.listed_dossier()
    plain = [dict(row) for row in rows]
    of_units: list[workbooks.Column] = [
        (gettext("Mã đơn vị"), 14, lambda row: row["agency"]),
        (gettext("Đơn vị"), 44, lambda row: row["name"]),
        (gettext("Hồ sơ"), 10, lambda row: row["count"]),
        *((title, 14, lambda row, side=side: row[side]) for side, title in labels.LATE_BY.items()),
    ]
    parts = [(gettext("Danh sách hồ sơ"), columns, plain), (gettext("Theo đơn vị"), of_units, [dict(u) for u in units])]
    taken = {parts[0][0].lower(), parts[1][0].lower()}
    for unit in units[:_SHEETS]:
        own = [row for row in plain if row["agency"] == unit["agency"]]
        parts.append((_sheet_name(unit["name"], taken), columns, own))
    return workbooks.sheets(
        parts, title=f"{paper.title}. {paper.subject}", line=paper.foot.line(), author=paper.foot.by
    )


def _sheet_name(name: str, taken: set[str]) -> str:
    """A name that Excel takes: 31 signs, none of []:*?/\\, and no other sheet's."""
    plain = "".join(" " if sign in "[]:*?/\\'" else sign for sign in name).strip()[:31] or "-"
    made, number = plain, 2
    while made.lower() in taken:
        made = f"{plain[:27]} {number}"
        number += 1
    taken.add(made.lower())
    return made
