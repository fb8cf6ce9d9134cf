"""`motcua report`: papers from the command line, and one clear line for what cannot be."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from python_calamine import CalamineWorkbook
from tests.directives import ward
from tests.web.test_papers import words_of

from motcua.cli.main import run
from motcua.directives.models import Meeting

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])


@pytest.fixture
def province(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(timezone, "now", lambda: ward.NOW)
    ward.built(home, tmp_path)
    return tmp_path


def test_papers_are_made_and_say_what_they_hold(province: Path, capsys: Any) -> None:
    def made(*words: str) -> dict[str, Any]:
        assert run(["report", *words, "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    late = len(ward.UNSENT) + len(ward.CLICKED_LATE) + len(ward.OPEN_LATE)
    told = made("meeting", "-o", str(province / "m.docx"), "--keep", "2026-03-16")
    assert (told["dossiers"], told["compared_with"], Meeting.objects.count()) == (late, None, 1)
    assert "TÀI LIỆU GIAO BAN" in words_of((province / "m.docx").read_bytes())
    told = made(
        "urge", "--measure", "open", "--side", "true", "-o", str(province / "u.pdf"), "--deadline", "2026-03-20"
    )
    assert told["dossiers"] == len(ward.OPEN_LATE) and (province / "u.pdf").read_bytes().startswith(b"%PDF")
    codes = province / "codes.txt"
    codes.write_text("\n".join([*ward.UNSENT, ward.UNSENT[0], "H99.12-sai-1"]), encoding="utf-8")
    told = made("explanation-request", "--codes", str(codes), "--stated", "7", "-o", str(province / "e.xlsx"))
    assert told["agreement"] == "Văn bản nêu 7, danh sách có 6 hồ sơ: 1 dòng không phải mã hồ sơ, 1 dòng lặp."
    book = CalamineWorkbook.from_filelike(BytesIO((province / "e.xlsx").read_bytes()))
    assert [row[1] for row in book.get_sheet_by_index(0).to_python()[5:]] == ward.UNSENT
    for wrong in (
        ["meeting", "-o", "x.odt"], ["meeting", "-o", "/no/where/x.pdf"],
        ["urge", "--codes", "none.txt", "-o", "x.pdf"],
        ["correct", "--deadline", "soon", "-o", "x.pdf"], ["urge", "--agency", "H00", "-o", str(province / "x.pdf")],
        ["urge", "--measure", "reception", "-o", str(province / "x.pdf")],
    ):  # fmt: skip
        assert run(["report", *wrong]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert not (province / "x.pdf").exists()
