"""Differences and doubtful records that change no verdict, as checks (`inspection.data_findings` says where)."""

from __future__ import annotations

from functools import partial
from typing import cast

import narwhals as nw

from motcua.inspection import data_findings
from motcua.inspection.checks import grounds
from motcua.inspection.checks.check import Check, Given, Ground, Severity

_COMPARED = (grounds.PORTAL, *grounds.one_stop("Điều 25 khoản 2 điểm g", "Điều 27"))
_PROMISED = grounds.one_stop("Điều 15 khoản 1, Điều 17", "Điều 17")

#: Code → number in law paper §6.6, title, explanation, grounds, remedy.
_WORDS: dict[str, tuple[str, str, str, tuple[Ground, ...], str]] = {
    "over_promised": (
        "V-11", "Hẹn trả dài hơn thời hạn công bố",
        "Ngày hẹn trả trên giấy tiếp nhận muộn hơn thời hạn đã công bố, tính theo lịch làm việc biết được hôm đó.",
        _PROMISED, "ask_explanation",
    ),
    "evidence_before_receipt": (
        "V-22", "Chứng cứ có trước ngày tiếp nhận",
        "Văn bản kết quả có thời điểm trước khi hồ sơ được tiếp nhận.", grounds.FORBIDDEN, "ask_explanation",
    ),
    "document_unknown": (
        "", "Tạm dừng hoặc hẹn lại chưa rõ văn bản",
        "Có tạm dừng hoặc hẹn lại nhưng dữ liệu không cho biết có văn bản hay không.",
        grounds.one_stop("Điều 12 khoản 4", "Điều 19"), "load_missing_fact",
    ),
    "unit_unresolved": (
        "V-20", "Chưa rõ đơn vị nào trên Cổng", "Tên đơn vị trên Cổng chưa có trong bảng đối chiếu đơn vị.",
        _COMPARED, "correct_mapping_and_resend",
    ),
    "unit_differs": (
        "V-20", "Khác đơn vị trên Cổng", "Cổng tính hồ sơ ở đơn vị khác.", _COMPARED, "correct_mapping_and_resend",
    ),
    "procedure_differs": (
        "V-20", "Khác thủ tục trên Cổng", "Mã thủ tục hai bên khác nhau.", _COMPARED, "correct_mapping_and_resend",
    ),
    "receipt_differs": (
        "V-20", "Khác thời điểm tiếp nhận trên Cổng", "Thời điểm tiếp nhận hai bên khác nhau.", _COMPARED,
        "send_whole",
    ),
    "due_differs": ("V-20", "Khác hẹn trả trên Cổng", "Hẹn trả hai bên khác nhau.", _COMPARED, "send_due"),
    "end_differs": (
        "V-20", "Khác thời điểm kết thúc trên Cổng", "Thời điểm kết thúc hai bên khác nhau.", _COMPARED,
        "resend_finish",
    ),
    "end_not_there": (
        "V-20", "Đã kết thúc, Cổng chưa có", "Hồ sơ đã kết thúc ở một cửa, trên Cổng vẫn mở.", _COMPARED,
        "send_update",
    ),
    "end_only_there": (
        "V-20", "Cổng đã kết thúc, một cửa chưa", "Hồ sơ đã kết thúc trên Cổng, ở một cửa vẫn mở.", _COMPARED,
        "look_into",
    ),
    "further_record_there": (
        "V-20", "Có thêm bản ghi trên Cổng", "Cổng giữ thêm bản ghi của cùng hồ sơ.", _COMPARED, "close_duplicate",
    ),
}  # fmt: skip


def _holds(code: str, given: Given) -> nw.Expr:
    return data_findings.checks(given.scope)[code].holds


def _check(code: str, number: str, title: str, explanation: str, ground: tuple[Ground, ...], remedy: str) -> Check:
    kinds = data_findings.SHAPES
    return Check(
        code=code,
        number=number,
        title=title,
        explanation=explanation,
        grounds=ground,
        severity=cast("Severity", kinds[code][0]),
        remedy=remedy,
        evidence=kinds[code][1],
        holds=partial(_holds, code),
    )


CHECKS: tuple[Check, ...] = tuple(_check(code, *words) for code, words in _WORDS.items())
