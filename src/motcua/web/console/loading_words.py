"""The words of the pages on which lists are loaded and codes are looked up."""

from __future__ import annotations

from django.utils.translation import ngettext

from motcua.web import labels
from motcua.web.labels import Words

KINDS = Words(
    {
        "published": "Danh sách Cổng công bố",
        "dossiers": "Danh sách một cửa",
        "steps": "Nhật ký bước",
        "agencies": "Đơn vị",
        "petitions": "Phản ánh, kiến nghị",
        "procedures": "Danh mục thủ tục",
        "unknown": "Chưa rõ",
    }
)
KIND_HINTS = Words(
    {
        "published": "hồ sơ trễ do Cổng DVCQG hoặc công văn nêu, chỉ cần cột mã hồ sơ",
        "dossiers": "mỗi dòng một hồ sơ của phần mềm một cửa",
        "steps": "mỗi dòng một thao tác, của hồ sơ đã nạp",
        "agencies": "mã định danh và tên đơn vị",
        "petitions": "mỗi dòng một phản ánh, kiến nghị của người dân",
    }
)
FIELDS = Words(
    {
        "code": "Mã hồ sơ",
        "verdict": "Tình trạng hạn",
        "state": "Trạng thái xử lý",
        "submitted_at": "Ngày nộp",
        "received_at": "Ngày tiếp nhận",
        "due_at": "Ngày hẹn trả",
        "finished_at": "Ngày kết thúc",
        "unit": "Đơn vị",
        "procedure": "Mã thủ tục",
        "procedure_name": "Tên thủ tục",
        "applicant": "Chủ hồ sơ",
        "channel": "Kênh nộp",
        "at": "Thời điểm",
        "activity": "Bước, thao tác",
        "actor": "Người xử lý",
        "agency_code": "Mã đơn vị",
        "agency_name": "Tên đơn vị",
        "parent": "Đơn vị cấp trên",
        "petition": "Mã phản ánh",
        "answered_at": "Ngày trả lời",
        "published_at": "Ngày công khai",
        "refused_at": "Ngày từ chối",
        "asked_at": "Ngày yêu cầu bổ sung",
        "transferred_at": "Ngày chuyển đơn vị khác",
    }
)
#: What a word of a column may mean.
MEANINGS = Words(
    {
        "late": "quá hạn, trễ hạn",
        "on_time": "đúng hạn, trong hạn",
        "open": "chưa kết thúc",
        "finished": "Đã xử lý xong",
        "returned": "Đã trả kết quả",
        "withdrawn": "Công dân rút hồ sơ",
        "stopped": "Dừng xử lý",
        "refused": "Không được tiếp nhận",
        "step_finished": "xong một bước",
        "step_started": "bắt đầu một bước",
        "received": "tiếp nhận",
        "supplement_requested": "yêu cầu bổ sung",
        "supplement_received": "đã bổ sung",
        "suspended": "tạm dừng",
        "resumed": "tiếp tục",
        "payment_requested": "yêu cầu nghĩa vụ tài chính",
        "paid": "đã nộp nghĩa vụ tài chính",
        "leg_sent": "lấy ý kiến, gửi liên thông",
        "leg_returned": "có trả lời",
        "desk": "trực tiếp",
        "online": "trực tuyến",
        "post": "bưu chính",
    }
)
STATES = Words(
    {
        "received": "đang đọc tệp",
        "looked": "chờ xác nhận cột",
        "checking": "đang kiểm tra",
        "checked": "chờ xác nhận nạp",
        "loading": "đang nạp",
        "done": "đã nạp",
        "withdrawing": "đang thu hồi",
        "withdrawn": "đã thu hồi",
        "failed": "không đọc được",
    }
)
REASONS = Words(
    {
        "no_code": "Dòng không có mã hồ sơ.",
        "bad_code": "“{value}” không phải là mã hồ sơ (ví dụ 000.15.21.H99-260226-0007) hoặc mã đơn vị.",
        "bad_instant": "“{value}” không phải là ngày, giờ có thật (ví dụ 05/03/2026 17:00).",
        "no_receipt": "Không có ngày tiếp nhận và ngày nộp.",
        "no_instant": "Không có thời điểm.",
        "no_activity": "Không có tên bước, thao tác.",
        "unknown_word": "Chưa biết “{value}” nghĩa là gì: chọn nghĩa ở bước 4.",
        "ended_without_day": "“{value}” nhưng không có ngày kết thúc.",
        "no_unit": "Chưa biết “{value}” là đơn vị nào: ghép đơn vị ở bước 4.",
        "no_name": "Đơn vị {value} không có tên.",
        "unknown_dossier": "Hồ sơ {value} chưa được nạp: nạp danh sách một cửa trước.",
        "not_taken": "Không nạp được: {value}",
        "no_petition": "Dòng không có mã phản ánh, hoặc mã dài quá 100 ký tự.",
        "before_receipt": "“{value}” trước ngày tiếp nhận của chính phản ánh này.",
        "to_come": "“{value}” chưa tới.",
    }
)
#: What is said of a file that cannot be read, by a part of the reader's own words.
_UNREADABLE = Words(
    {
        "the file is empty": "Tệp rỗng.",
        "cannot be read as a workbook": "Tệp hỏng, hoặc không phải là bảng tính như tên của nó.",
        "save the file as UTF-8": "Chữ trong tệp không đọc được.",
        "ends inside a quoted text": "Tệp đứt giữa chừng, trong một ô có dấu ngoặc kép.",
    }
)
ERRORS = Words(
    {
        "no_file": "Chưa chọn tệp.",
        "no_column": "Chưa chọn đủ cột bắt buộc: {names}.",
        "no_day": "Chưa ghi ngày của công văn (số liệu đến ngày nào).",
        "day_to_come": "Ngày số liệu của công văn chưa tới. Ghi ngày đã qua hoặc hôm nay.",
        "no_kind": "Chưa chọn danh sách này là gì.",
        "twice": "Cột “{name}” được chọn cho hai nội dung.",
        "moved_on": "Lần nạp này vừa chuyển sang bước khác. Xem lại trạng thái bên dưới.",
        "no_codes": "Chưa có mã hồ sơ nào trong phần đã dán.",
        "bad_count": "Số hồ sơ trong công văn phải là số.",
    }
)


def reason(code: str, value: str) -> str:
    """Why a row was refused, in words."""
    return REASONS[code].format(value=value)


def rows(count: int) -> str:
    """So many rows."""
    return ngettext("{n} dòng", "{n} dòng", count).format(n=labels.number(count))


def unreadable(error: str) -> str:
    """Why a file cannot be read, in the reader's language; empty where its own words have to do."""
    return next((_UNREADABLE[part] for part in _UNREADABLE if part in error), "")
