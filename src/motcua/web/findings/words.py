"""Words of the findings' pages: states, acts, answers, conclusions, and what the look at a signature found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, ngettext

from motcua.catalogue.folding import fold
from motcua.findings.models import Finding
from motcua.inspection.checks.check import Check
from motcua.inspection.life import ASKED
from motcua.oversight import scan
from motcua.rules.moves import Refused
from motcua.web import labels
from motcua.web.labels import Words

STATES = Words({
    "new": "Mới", "sent": "Đã gửi", "drafting": "Đang soạn", "to_approve": "Chờ lãnh đạo duyệt",
    "answered": "Đã giải trình", "concluded": "Đã kết luận", "to_remedy": "Chờ khắc phục", "closed": "Đã đóng",
    "overdue": "Quá hạn giải trình", "asked": "Chờ giải trình", "open": "Chưa xong", "remedied": "Chờ phúc tra",
    "claims": "Chứng cứ chờ xác minh", "extensions": "Xin gia hạn",
})  # fmt: skip
#: The shape that goes with a state: colour never speaks alone.
SHAPES = {
    "new": "open", "sent": "open", "drafting": "open", "to_approve": "soon", "answered": "reception",
    "concluded": "done", "to_remedy": "soon", "closed": "done", "overdue": "late",
}  # fmt: skip
REASONS = Words({
    "admitted": "thừa nhận", "other_evidence": "có chứng cứ khác", "system": "do hệ thống",
    "other_agency": "do cơ quan khác",
})  # fmt: skip
OUTCOMES = Words({
    "violation": "Có vi phạm", "excused": "Không phải lỗi của đơn vị", "overturned": "Dấu hiệu không đúng",
})  # fmt: skip
OUTCOME_HINTS = Words({
    "violation": "không chấp nhận giải trình, hoặc đơn vị thừa nhận",
    "excused": "chấp nhận giải trình: dấu hiệu có thật, do hệ thống hoặc cơ quan khác",
    "overturned": "chấp nhận giải trình: bỏ dấu hiệu, tính vào độ chính xác của phép kiểm tra",
})  # fmt: skip
ACTS = Words({
    "opened": "Phát hiện", "changed": "Dữ kiện đổi", "closed_by_data": "Dữ liệu đã khớp, tự đóng",
    "reopened_by_data": "Dấu hiệu trở lại, mở lại", "assigned": "Giao chuyên viên", "sent": "Gửi yêu cầu giải trình",
    "recalled": "Thu hồi yêu cầu", "extended": "Gia hạn", "extension_declined": "Không gia hạn",
    "asked_again": "Yêu cầu giải trình lại", "concluded": "Kết luận", "reconsidered": "Xem xét lại",
    "evidence_verified": "Xác minh chứng cứ", "evidence_rejected": "Không chấp nhận chứng cứ", "closed": "Đóng",
    "given": "Giao người soạn", "drafted": "Soạn trả lời", "submitted": "Trình lãnh đạo",
    "returned": "Trả lại để sửa", "answered": "Duyệt và gửi", "extension_asked": "Xin gia hạn",
    "remedied": "Báo đã khắc phục", "appealed": "Kiến nghị xem lại", "noted": "Ghi chú",
    "evidence_added": "Nộp chứng cứ",
})  # fmt: skip
STANDINGS = Words({
    "fixes": "Xác định thời điểm xong", "bounds": "Chứng minh đã xong trước đó", "claim": "Chờ đoàn xác minh",
    "none": "Tài liệu kèm", "rejected": "Không chấp nhận",
})  # fmt: skip
LOOKED = Words({
    "stamped": "Chữ ký số có dấu thời gian {at}.",
    "no_time_stamp": "Chỉ có giờ máy người ký ({signed}): chờ đoàn xác minh.",
    "stamp_untrusted": "Dấu thời gian không thuộc danh sách tin cậy: chờ đoàn xác minh.",
    "stamp_broken": "Chưa dùng được: dấu thời gian trên tệp này không đúng.",
    "certificate_expired": "Chưa dùng được chữ ký trên tệp này làm chứng cứ: chứng thư hết hạn {valid_to}. "
                           "Nộp bản ký còn hiệu lực, hoặc ghi số và ngày văn bản để đoàn xác minh.",
    "certificate_early": "Chưa dùng được chữ ký: chứng thư chỉ có hiệu lực từ {valid_from}.",
    "signer_untrusted": "Chưa dùng được chữ ký: chứng thư không thuộc danh sách tin cậy. "
                        "Ghi số và ngày văn bản để đoàn xác minh.",
    "revoked": "Chưa dùng được chữ ký: chứng thư đã bị thu hồi.",
    "altered": "Chưa dùng được: tệp bị sửa sau khi ký. Nộp bản gốc.",
    "unsigned": "Tệp không có chữ ký số: kèm làm tài liệu. Ghi số và ngày văn bản để đoàn xác minh.",
    "not_a_pdf": "Không phải PDF: kèm làm tài liệu.",
    "damaged": "Tệp PDF hỏng, không đọc được chữ ký. Xuất lại tệp rồi nộp.",
    "not_looked_at": "Máy chủ chưa cài phần kiểm tra chữ ký: chờ đoàn xác minh.",
})  # fmt: skip
FILTER_FAULTS = Words({
    "filter_name": "Chưa lưu: đặt tên bộ lọc, nhiều nhất 80 ký tự.",
    "filter_empty": "Chưa lưu: chưa chọn điều kiện nào.",
    "filter_many": "Chưa lưu: đã có 50 bộ lọc, bỏ bớt trước.",
})  # fmt: skip
FILE_FAULTS = Words({
    "empty": "Tệp trống.", "too_big": "Tệp lớn hơn 10 MB. Nén hoặc tách tệp.",
    "kind": "Chỉ nhận PDF, PNG, JPG, Word (docx), Excel (xlsx); xem theo nội dung tệp, không theo tên.",
    "macros": "Tệp có macro hoặc tệp nhúng: lưu lại dạng thường rồi nộp.", "known": "Tệp này đã nộp rồi.",
    "number": "Ghi số văn bản.", "future": "Ngày văn bản chưa đến.", "date": "Ghi ngày văn bản.",
    "gone": "Không thấy tệp.", "altered": "Tệp lưu trên máy chủ đã bị đổi: báo quản trị kỹ thuật.",
    "decided": "Chứng cứ này đã được quyết định.",
})  # fmt: skip
#: Why a row of a workbook is refused.
ROW_FAULTS = Words({
    "no_number": "thiếu số phát hiện: giữ nguyên cột “Số”", "unknown": "không có phát hiện này trong đơn vị",
    "other_dossier": "số phát hiện thuộc hồ sơ khác", "twice": "số phát hiện lặp lại trong tệp",
    "reason": "cách trả lời không có trong danh sách", "dated_on": "ngày văn bản không phải là ngày",
    "remedy_on": "hạn khắc phục không phải là ngày", "too_long": "nội dung quá dài",
})  # fmt: skip
BOOK_FAULTS = Words({
    "not_a_workbook": "Không đọc được tệp Excel này. Dùng đúng tệp đã tải về.",
    "no_keys": "Tệp không phải mẫu trả lời: tải lại mẫu rồi điền.", "too_many": "Tệp có quá nhiều dòng.",
})  # fmt: skip
SYSTEMS = Words({"software": "Phần mềm một cửa", "portal": "Cổng Dịch vụ công quốc gia"})
MODES = Words({"active": "đang dùng", "watch": "chỉ theo dõi"})
SCANNED = Words({
    "scanned": "đã quét", "partly": "quét được một phần", "not_scanned": "chưa quét được",
    "broken": "lỗi phép kiểm tra",
})  # fmt: skip
#: What a comparison lacks, beyond the facts that its check names.
LACKS = Words({
    "enough_cases": "đủ số trường hợp để xét", "actors": "người thao tác", "local_time": "giờ địa phương",
    "payments": "dữ liệu thanh toán", "numbered_without_gaps": "đánh số liên tục",
    "working_check": "phép kiểm tra chạy được",
})  # fmt: skip
KINDS = Words({"certain": "chắc chắn", "statistical": "thống kê"})
SUBJECTS = Words({"dossier": "hồ sơ", "unit": "đơn vị", "official": "người thao tác", "procedure": "thủ tục"})
MISSING = Words({"reason": "cách trả lời", "text": "nội dung", "remedy": "cách khắc phục", "evidence": "chứng cứ"})


def title(code: str) -> str:
    """The title of a check."""
    check = scan.library().get(code)
    return gettext(check.title) if check else labels.CAUSES.get(code, code)


def number(code: str) -> str:
    """The number of a check in the catalogue of violations, empty where it has none."""
    check = scan.library().get(code)
    return check.number if check else ""


def state(finding: Finding, *, now: datetime) -> str:
    """The state as a page shows it: past the answer date is said before all else."""
    overdue = finding.state in ASKED and finding.due_at is not None and finding.due_at < now
    return "overdue" if overdue else finding.state


def evidence(found: Mapping[str, Any], *, most: int = 0) -> list[tuple[str, str]]:
    """The facts of a sign, each with its name."""
    facts = [(labels.EVIDENCE.get(name, name), labels.fact(name, value)) for name, value in found.items()]
    return facts[:most] if most else facts


def parameters(check: Check | None, values: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """The parameters with which a check saw a sign: title, value, whether it was the province's own."""
    known = {parameter.name: parameter for parameter in check.parameters} if check else {}
    return [
        (gettext(known[name].title) if name in known else name, labels.value(value),
         name in known and value != known[name].default)
        for name, value in values.items() if value != ""
    ]  # fmt: skip


def main(finding: Finding) -> list[tuple[str, str]]:
    """The few facts that decide, for a row of a list."""
    wanted = labels.MAIN_EVIDENCE.get(finding.check_code)
    if wanted:
        return evidence({name: finding.evidence[name] for name in wanted if name in finding.evidence})
    return evidence(finding.evidence, most=3)


def looked(code: str, facts: Mapping[str, Any]) -> str:
    """What the look at a file's signature found, in a sentence."""
    if code not in LOOKED:
        return ""
    return LOOKED[code].format(
        at=labels.instant(facts.get("stamped_at")), signed=labels.instant(facts.get("signed_at")),
        valid_from=labels.instant(facts.get("valid_from")), valid_to=labels.instant(facts.get("valid_to")),
    )  # fmt: skip


def verdict(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What evidence did to the verdicts, in a sentence; empty where nothing."""
    late, in_time = gettext("trễ hạn"), gettext("đúng hạn")
    said = [
        gettext("{side} đổi từ {a} thành {b}").format(
            side=labels.SIDES[side], a=late if before[side] else in_time, b=late if after[side] else in_time
        )
        for side in labels.SIDES
        if side in before and side in after and before[side] != after[side]
    ]
    return "; ".join(said)


def reasons() -> dict[str, str]:
    """The words of an answer, folded, with their codes: in both languages, whatever the workbook was made in."""
    return {fold(word): code for code, word in REASONS.items()} | {fold(word): code for code, word in
                                                                   REASONS._words.items()}  # fmt: skip


def fault(code: str, facts: Mapping[str, Any] | None = None) -> str:
    """Why a row is refused."""
    if code in ROW_FAULTS:
        return ROW_FAULTS[code]
    return labels.say(Refused(code, **(facts or {}))) if code in labels.REFUSALS else code


def findings(count: int) -> str:
    """34 phát hiện."""
    return ngettext("{n} phát hiện", "{n} phát hiện", count).format(n=labels.number(count))


def units(count: int) -> str:
    """3 đơn vị."""
    return ngettext("{n} đơn vị", "{n} đơn vị", count).format(n=labels.number(count))


def share(value: float | None) -> str:
    """A share as whole per cent; no figure is no figure."""
    return gettext("chưa có số") if value is None else f"{round(value * 100)}%"
