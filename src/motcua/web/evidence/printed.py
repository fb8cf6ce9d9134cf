"""The cover of a pack as PDF/A with tags, set by Typst: the same pack gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typst
from django.utils.translation import gettext

from motcua.rules.instants import parse_instant
from motcua.web import labels
from motcua.web.evidence import words
from motcua.web.papers.glyphs import FONTS
from motcua.web.papers.glyphs import printed as letters
from motcua.web.training import marks as training

_FORM = Path(__file__).resolve().parent / "cover.typ"
#: So many dossiers are told with their events; `cover.html` tells all.
TOLD = 20


def cover(pack: Mapping[str, Any], told: Sequence[Mapping[str, Any]], *, key: str, root: str) -> bytes:
    """The PDF. `told`: the dossiers as `cover.html` tells them; `key`, `root`: digits in groups."""
    document = _printed(_document(pack, told, key, root))
    compiled: Any = typst.compile
    made: bytes = compiled(
        {"main.typ": training.on_typst().encode() + _FORM.read_bytes()}, font_paths=[str(FONTS)],
        ignore_system_fonts=True, format="pdf", pdf_standards=["a-2a", "ua-1"],
        sys_inputs={"cover": json.dumps(document, ensure_ascii=False)},
        timestamp=int(parse_instant(pack["made_at"]).timestamp()),
    )  # fmt: skip
    return made


def _document(pack: Mapping[str, Any], told: Sequence[Mapping[str, Any]], key: str, root: str) -> dict[str, Any]:
    subject, head = pack["subject"], pack["head"]
    made = gettext("{at}; {by}").format(at=labels.instant(pack["made_at"]), by=pack["made_by"])
    return {
        "title": gettext("Gói chứng cứ {code}").format(code=subject["code"]),
        "agency": told[0]["story"]["agency_name"],
        "kind": words.KINDS[subject["kind"]],
        "code": subject["code"],
        "subtitle": "" if subject["title"] == subject["code"] else subject["title"],
        "facts": [
            [gettext("Lập lúc, người lập"), made, ""],
            [gettext("Số hồ sơ"), gettext("{n}; số liệu đến {at}").format(
                n=labels.number(len(pack["dossiers"])), at=labels.instant(told[0]["story"]["as_of"])), ""],
            [gettext("Đã che"), gettext("{what}; {n} giá trị chỉ còn cam kết").format(
                what=words.BLACK_OUTS[pack["black_out"]], n=labels.number(len(pack["withheld"]))), ""],
            [gettext("Sổ niêm phong"), gettext("{n} sự kiện, niêm phong lúc {at}").format(
                n=labels.number(head["size"]), at=labels.instant(head["signed_at"])), root],
            [gettext("Khóa của cơ quan"), gettext("so với khóa mà cơ quan công bố:"), key],
        ],
        "proves": [
            gettext("Mỗi sự kiện dưới đây nằm trong sổ đã niêm phong, đúng vị trí, đúng thứ tự, không đổi một chữ từ"
                    " lúc ghi."),
            gettext("Mỗi thành phần của gói đúng như lúc cơ quan ký; sửa, thêm, bớt hay đổi chỗ đều lộ ra."),
            gettext("Phần đã che không đọc được, nhưng ai biết giá trị thật thì đối chiếu được với cam kết."),
        ],
        "not_proved": gettext("Gói không chứng minh rằng điều đã ghi là đúng sự thật, cũng không chứng minh sau lần"
                              " niêm phong này không còn sự kiện nào nữa."),
        "check": gettext("Trên máy bất kỳ có Python 3.8 trở lên, không cần mạng. So khóa ở trên với khóa mà cơ quan"
                         " công bố."),
        "command": f"python3 check.py GOI.zip --key {key}".replace(key, "".join(key.split())),
        "columns": [gettext("STT"), gettext("Mã hồ sơ"), gettext("Đơn vị"), gettext("Trên Cổng DVCQG"),
                    gettext("Theo một cửa"), gettext("Thực tế")],
        "event_columns": [gettext("Số"), gettext("Việc"), gettext("Xảy ra"), gettext("Bấm, nhận lúc"),
                          gettext("Người, đơn vị"), gettext("Vị trí trong sổ")],
        "dossiers": [_dossier(n, each) for n, each in enumerate(told, 1)],
        "told": min(len(told), TOLD),
        "rest": gettext("Sự kiện của {n} hồ sơ còn lại: xem cover.html trong gói.").format(
            n=labels.number(max(len(told) - TOLD, 0))),
        "foot": gettext("Gói chứng cứ {code}; lập lúc {at}").format(
            code=subject["code"], at=labels.instant(pack["made_at"])),
        "words": {
            "nation": gettext("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"), "motto": gettext("Độc lập - Tự do - Hạnh phúc"),
            "pack": gettext("Gói chứng cứ"), "proves_title": gettext("Gói này chứng minh gì"),
            "check_title": gettext("Kiểm tra thế nào"), "dossiers": gettext("Các hồ sơ"), "page": gettext("Trang"),
            "what": gettext("Mục"), "value": gettext("Nội dung"),
        },
    }  # fmt: skip


def _dossier(n: int, each: Mapping[str, Any]) -> dict[str, Any]:
    story = each["story"]
    sides = {side: labels.VERDICTS[story[side]["verdict"]] for side in labels.SIDES}
    found = [_event(event) for event in each["events"]] if n <= TOLD else []
    return {
        "code": story["dossier"],
        "about": f"{story['procedure_name']} · {story['agency_name']}",
        "verdicts": "; ".join(f"{title}: {sides[side].lower()}" for side, title in labels.SIDES.items()),
        "sentence": story["sentence"],
        "cells": [str(n), story["dossier"], story["agency_name"], *sides.values()],
        "events": found,
    }


def _event(event: Mapping[str, Any]) -> list[str]:
    entered = labels.stamp(event["entered"]) if event["entered"] != event["stated"] else gettext("cùng lúc")
    step = f": {event['step']}" if event["step"] else ""
    return [
        str(event["seq"]), f"{labels.KINDS[event['kind']]}{step}", labels.stamp(event["stated"]), entered,
        " ".join(part for part in (event["actor"], event["unit"]) if part), labels.number(event["position"]),
    ]  # fmt: skip


def _printed(value: Any) -> Any:
    match value:
        case str():
            return letters(value)
        case Mapping():
            return {name: _printed(inner) for name, inner in value.items()}
        case list():
            return [_printed(inner) for inner in value]
    return value
