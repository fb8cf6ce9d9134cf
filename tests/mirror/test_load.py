"""Messages from a file: what is no message stores nothing, what a portal would refuse is listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.story import at

from motcua.mirror.load import load
from motcua.mirror.models import Message, Record, Step
from motcua.rules.instants import Unreadable

pytestmark = pytest.mark.django_db(databases=["default", "mirror"])
NOW = at("2026-04-01T09:00")
CODE = "H99.12-260302-0001"
RECORD = {
    "session": "s", "madonvi": "H99", "service": "DongBoHoSoMC", "isUpdating": "False",
    "data": [{
        "MaHoSo": CODE, "MaTTHC": "1.000001", "TenTTHC": "Thủ tục mẫu", "DonViXuLy": "H99.12",
        "NgayTiepNhan": "20260302083000", "NgayHenTra": "20260309170000", "TrangThaiHoSo": "9",
    }],
}  # fmt: skip
STEP = {
    "session": "s", "madonvi": "H99", "service": "CapNhatTienDoHoSoMC",
    "data": [{"MaHoSo": CODE, "NguoiXuLy": "Hoa", "ThoiDiemXuLy": "20260306150000", "NoiDungXuLy": "Xong",
              "TrangThai": "9"}],
}  # fmt: skip


def _file(folder: Path, *bodies: Any) -> Path:
    path = folder / "messages.ndjson"
    path.write_text("".join(f"{json.dumps(body) if isinstance(body, dict) else body}\n" for body in bodies))
    return path


def test_a_file_loaded_twice_changes_nothing(tmp_path: Path) -> None:
    path = _file(tmp_path, RECORD, STEP, STEP)
    first, second = load([path], at=NOW), load([path], at=NOW)
    assert (first.records, first.steps) == (1, 1)
    assert (second.records, second.steps, second.duplicates) == (0, 0, 1)
    assert Record.objects.count() == Step.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({**RECORD, "service": "DongBoHoSo"}, "Không có service DongBoHoSo"),
        ({key: value for key, value in RECORD.items() if key != "data"}, "Thiếu data"),
        ({**STEP, "data": "x"}, "Thiếu data"),
    ],
    ids=["an unknown service", "no data", "a text for data"],
)
def test_a_message_that_the_portal_could_not_serve_is_listed_and_the_others_stand(
    body: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    result = load([_file(tmp_path, RECORD, body, STEP)], at=NOW)
    assert [(item["place"], item["reason"]) for item in result.refused] == [("messages.ndjson, line 2", reason)]
    assert (result.records, result.steps) == (1, 1)
    assert Message.objects.filter(error_code=-1).count() == 1


def test_log_ins_and_questions_between_the_messages_pass(tmp_path: Path) -> None:
    question = {"session": "s", "madonvi": "H99", "service": "TraCuuHoSo", "mahoso": CODE}
    result = load([_file(tmp_path, {"username": "u", "password": "p"}, RECORD, question)], at=NOW)
    assert (result.messages, result.refused) == (1, [])


@pytest.mark.parametrize(
    "line",
    ["xin chào", "[" * 50_000, json.dumps(RECORD)[:-20], json.dumps(RECORD).replace("H99.12-", "\\ud800-")],
    ids=["words", "a thousand brackets", "cut off", "half a character"],
)
def test_a_line_that_is_no_message_names_its_place_and_nothing_is_stored(line: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"messages.ndjson, line 2: not JSON"):
        load([_file(tmp_path, RECORD, line)], at=NOW)
    assert not Record.objects.exists() and not Message.objects.exists()
