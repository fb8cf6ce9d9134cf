"""The door's words, formats and pictures: nothing is missing, nothing is read the American way."""

from __future__ import annotations

import hashlib
import re
from datetime import date
from pathlib import Path
from typing import Any, get_args

from django.forms import DateField
from django.utils import formats

from motcua.inspection.causes import Cause
from motcua.inspection.run import CHECKS
from motcua.oversight import figures
from motcua.rules import minutes
from motcua.web import labels
from motcua.web.console import pictures

STATIC = Path(labels.__file__).parent / "static"
TEMPLATES = Path(labels.__file__).parent / "templates"


def test_a_day_is_written_and_read_day_first() -> None:
    assert DateField().clean("03/04/2026") == date(2026, 4, 3)
    assert DateField().clean("25/04/2026") == date(2026, 4, 25)
    assert formats.date_format(date(2026, 4, 3)) == "03/04/2026"
    assert formats.number_format(1505, use_l10n=True, force_grouping=True) == "1.505"


def test_every_cause_has_its_main_evidence_and_every_fact_its_name() -> None:
    assert set(labels.MAIN_EVIDENCE) == {str(cause) for cause in Cause}
    assert {name for names in labels.MAIN_EVIDENCE.values() for name in names} <= set(labels.EVIDENCE)
    of_checks = {name for check in CHECKS for name in check.evidence}
    assert {*figures._EVIDENCE, *figures._FACTS} | of_checks == set(labels.EVIDENCE)
    assert set(labels.SHAPES) == set(labels.VERDICTS)
    assert {*labels.FLAGS, "not_enough_data"} == set(labels.FLAG_HINTS)


def test_every_owner_of_minutes_has_a_word_and_a_colour() -> None:
    assert set(get_args(minutes.Owner)) == set(labels.OWNERS)
    css = (STATIC / "web" / "console.css").read_text()
    assert all(f".o-{owner}" in css for owner in labels.OWNERS)


def test_times_and_periods_read_as_people_say_them() -> None:
    assert labels.worked(2 * 480 + 4 * 60 + 10) == "2 ngày 4 giờ 10 phút"
    assert labels.worked(0) == "0 phút"
    assert labels.instant("2026-03-05T08:10:00+00:00") == "15:10 05/03/2026"
    assert labels.stamp("2026-03-05T15:10:00+07:00") == "05/03/2026 15:10"
    assert labels.day("2026-03-05") == "T5 05/03/2026"
    assert labels.period("2026-Q3") == "Quý III/2026"
    assert labels.period("2026-BC-12") == "Tháng 12/2026 (kỳ báo cáo)"
    assert labels.period("2026-12-01/2026-12-15") == "01/12/2026 đến 15/12/2026"
    assert labels.period(None) == "Từ trước đến nay"
    assert (labels.number(1505), labels.percent(0.237), labels.percent(None)) == ("1.505", "23,7%", "không có số liệu")


#: Files that are opened from a disk, without a server and its content policy, with what goes into them.
STAND_ALONE = {"cover.html"}


def test_no_page_has_inline_style_or_script() -> None:
    for template in TEMPLATES.rglob("*.html"):
        if template.name in STAND_ALONE:
            continue
        text = template.read_text()
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:|<script(?! src=)", text), template.name


def test_what_we_ship_of_others_is_what_its_paper_says() -> None:
    paper = (STATIC / "vendor" / "README.md").read_text()
    for font in [*(STATIC / "vendor").rglob("*.woff2"), *(STATIC / "vendor").rglob("*.ttf")]:
        assert hashlib.sha256(font.read_bytes()).hexdigest() in paper, font.name


def _story(**more: Any) -> dict[str, Any]:
    sides = {"due_at": "2026-03-09T17:00:00+07:00", "finished_at": None, "verdict": "open_in_time"}
    return {"shown": sides, "recorded": sides, "true": sides, "timeline": [], **more}


def _entry(kind: str, at: str, **more: Any) -> dict[str, Any]:
    return {"side": "ours", "kind": kind, "status": None, "at": at, "recorded_at": at, "until": None, "step": "",
            "evidence_at": None, **more}  # fmt: skip


def test_labels_of_the_timeline_never_touch() -> None:
    entries = [_entry("step_finished", f"2026-03-02T{hour:02d}:{minute:02d}:00+07:00", step="Thẩm định hồ sơ")
               for hour in (8, 9, 10) for minute in range(0, 60, 5)]  # fmt: skip
    picture = pictures.timeline(_story(timeline=entries))
    assert picture is not None
    labelled = [m["label"] for m in picture["marks"] + picture["dues"] if m["label"]]
    assert labelled
    assert len(picture["marks"]) == len(entries)  # a mark without room for its label still stands
    for one in labelled:
        for other in labelled:
            if one is not other and one["y"] == other["y"]:
                first, second = sorted((one, other), key=lambda label: label["x"])
                assert first["x"] + len(first["text"]) * pictures._LETTER < second["x"]
    for label in labelled:
        assert picture["top"] < label["y"] < picture["top"] + picture["height"]


def test_a_late_click_is_drawn_from_when_it_happened_to_when_it_was_made() -> None:
    entry = _entry("returned", "2026-03-06T10:00:00+07:00", recorded_at="2026-03-06T16:20:00+07:00")
    picture = pictures.timeline(_story(timeline=[entry]))
    assert picture is not None
    mark = picture["marks"][0]
    assert mark["typed_x"] > mark["x"]
    assert "bấm 06/03 16:20" in mark["label"]["text"]


def test_a_dossier_without_any_entry_has_no_picture() -> None:
    assert pictures.timeline(_story()) is None


def test_shares_of_the_minutes_fill_the_bar() -> None:
    minutes_of = [{"owner": "reception", "minutes": 20, "late_minutes": 0},
                  {"owner": "step", "minutes": 60, "late_minutes": 30}]  # fmt: skip
    bars = pictures.shares(minutes_of)
    assert sum(bar["width"] for bar in bars) == 100
    assert bars[1]["late_x"] + bars[1]["late_width"] == 100
