"""The causes of the bridge as checks: a dossier whose verdict differs between two sides has one cause in each leg."""

from __future__ import annotations

from typing import cast

import narwhals as nw

from motcua.inspection.causes import RECORD, REST, SYNC, Cause
from motcua.inspection.checks import grounds
from motcua.inspection.checks.check import Check, Given, Ground, Rows, Severity
from motcua.inspection.remedies import REMEDIES, SEVERITIES

_ENDS = ("due_0", "finish_at", "t_due_at", "t_nine_at", "t_nine_last_at", "t_ten_at", "t_closed_at", "t_status")
_OF_SYNC = (*_ENDS, "t_received_at", "t_procedure", "t_unit_name", "t_code", "t_duplicates", "delivery",
            "delivery_message", "sub_cause")  # fmt: skip
_OF_RECORD = ("due_0", "due_3", "finish_at", "true_finish_at", "evidence_at", "evidence_kind", "finish_recorded_at",
              "pause_fault", "extension_fault")  # fmt: skip
_SYNC_GROUNDS = (grounds.PORTAL, *grounds.one_stop("Điều 25 khoản 2 điểm g", "Điều 27"))
_RECORD_GROUNDS: dict[Cause, tuple[Ground, ...]] = {
    Cause.STEP_SKIPPED: (*grounds.one_stop("Điều 12 khoản 4", "Điều 19"), grounds.STEPS_RECORDED),
    Cause.LATE_ENTRY: (*grounds.one_stop("Điều 12 khoản 4", "Điều 19"), grounds.STEPS_RECORDED),
    Cause.BACK_DATED: grounds.FORBIDDEN,
    Cause.DUE_MOVED: grounds.one_stop("Điều 19 khoản 9", "Điều 19"),
    Cause.PAUSE_UNLAWFUL: grounds.one_stop("Điều 12 khoản 4, Điều 19 khoản 4", "Điều 19"),
}

#: Title and explanation of each cause.
_WORDS: dict[Cause, tuple[str, str]] = {
    Cause.MISSING_HERE: (
        "Không có trong hệ thống một cửa",
        "Cổng quốc gia đang giữ hồ sơ mà hệ thống một cửa không có.",
    ),
    Cause.MISSING_THERE: (
        "Chưa có trên Cổng quốc gia",
        "Hệ thống một cửa có hồ sơ, Cổng quốc gia không có: chưa gửi, bị từ chối, hoặc đã nhận mà không lưu.",
    ),
    Cause.DUPLICATE_THERE: (
        "Trùng hồ sơ trên Cổng",
        "Cổng có thêm bản ghi của cùng hồ sơ; bản ghi thừa chưa kết thúc nên bị tính trễ.",
    ),
    Cause.MISPLACED_THERE: (
        "Sai đơn vị hoặc sai thủ tục trên Cổng",
        "Cổng tính hồ sơ ở đơn vị hoặc thủ tục khác, nên hạn trả khác.",
    ),
    Cause.STEP_LOST: (
        "Mất bước trong nhật ký của Cổng",
        "Bản ghi trên Cổng đã kết thúc nhưng nhật ký bước không có bước kết thúc.",
    ),
    Cause.ONLY_RETURN_SENT: (
        "Chỉ gửi bước trả kết quả",
        "Cổng chỉ nhận bước trả kết quả (10), thiếu bước xử lý xong (9), nên tính hạn đến lúc trả.",
    ),
    Cause.STATUS_UNMAPPED: (
        "Trạng thái chưa ánh xạ",
        "Trạng thái kết thúc của phần mềm chưa có mã tương ứng trên Cổng quốc gia.",
    ),
    Cause.UPDATE_REFUSED: ("Cập nhật bị Cổng từ chối", "Bản tin kết thúc đã gửi nhưng Cổng từ chối."),
    Cause.ACCEPTED_NOT_SHOWN: (
        "Cổng đã nhận nhưng không hiện",
        "Cổng trả lời đã nhận bản tin kết thúc, nhưng khi đọc lại thì không có.",
    ),
    Cause.UPDATE_NOT_SENT: ("Chưa gửi cập nhật kết thúc", "Hồ sơ đã kết thúc ở một cửa, bản tin kết thúc chưa gửi."),
    Cause.CLOCK_SHIFT: ("Lệch giờ", "Thời điểm kết thúc trên Cổng lệch đúng 7 hoặc 12 giờ."),
    Cause.CLOSED_EARLY_THERE: (
        "Gửi kết thúc sớm lên Cổng",
        "Cổng ghi kết thúc trước khi một cửa kết thúc, nên đúng hạn trên Cổng mà trễ trong sổ.",
    ),
    Cause.FINISH_DIFFERS: ("Lệch thời điểm kết thúc", "Cổng ghi kết thúc muộn hơn hệ thống một cửa."),
    Cause.PAUSE_NOT_CARRIED: ("Chưa gửi tạm dừng lên Cổng", "Thời gian chờ có trong sổ nhưng Cổng không biết."),
    Cause.DUE_NOT_CARRIED: ("Lệch hạn trả", "Hẹn lại hoặc sửa hạn ở một cửa chưa gửi lên Cổng."),
    Cause.RULE_DIFFERS: ("Khác cách tính", "Dữ kiện hai bên giống nhau, chỉ cách tính hạn của Cổng khác."),
    Cause.STEP_SKIPPED: (
        "Thiếu bước kết thúc",
        "Việc đã xong theo chứng cứ nhưng không ai bấm bước kết thúc.",
    ),
    Cause.LATE_ENTRY: (
        "Chậm thao tác",
        "Chứng cứ cho thấy xong đúng hạn; bước kết thúc được ghi sau hạn.",
    ),
    Cause.BACK_DATED: (
        "Giờ ghi nhận sớm hơn chứng cứ",
        "Giờ kết thúc ghi trong sổ là đúng hạn, nhưng chứng cứ có thời điểm sau hạn.",
    ),
    Cause.DUE_MOVED: (
        "Sửa hạn trả",
        "Chỉ đúng hạn nhờ một lần hẹn lại không hợp lệ: quá muộn, quá một lần hoặc không có thư xin lỗi.",
    ),
    Cause.PAUSE_UNLAWFUL: (
        "Tạm dừng không căn cứ",
        "Chỉ đúng hạn nhờ một lần tạm dừng không hợp lệ: quá muộn, lặp lại hoặc không có văn bản.",
    ),
    Cause.NOT_ENOUGH_DATA: (
        "Chưa đủ dữ liệu để kết luận",
        "Hai bên khác nhau nhưng còn thiếu một dữ kiện để biết vì sao.",
    ),
    Cause.UNEXPLAINED: ("Chưa rõ nguyên nhân", "Hai bên khác nhau và không dữ kiện nào giải thích được."),
}


def _is(leg: str, cause: Cause) -> Rows:
    def holds(given: Given) -> nw.Expr:
        return nw.col(f"{leg}_cause") == cause.value

    return holds


def _check(leg: str, cause: Cause) -> Check:
    title, explanation = _WORDS[cause]
    return Check(
        code=cause.value,
        title=title,
        explanation=explanation,
        grounds=_RECORD_GROUNDS[cause] if leg == "record" else _SYNC_GROUNDS,
        severity=cast("Severity", SEVERITIES[cause.value]),
        remedy=REMEDIES[cause.value],
        evidence=_OF_RECORD if leg == "record" else _OF_SYNC,
        number="V-20" if leg == "sync" else "",
        leg=leg,
        holds=_is(leg, cause),
        at="finish_at",
        measures=frozenset({"all", "open", "finished", "reception"} if leg == "sync" else {"all", "open", "finished"}),
    )


CHECKS: tuple[Check, ...] = (
    *(_check("sync", cause) for cause in (*SYNC, *REST)),
    *(_check("record", cause) for cause in RECORD),
)
