"""Words for people. Rules give codes, this door gives words, in the language of the reader; a house test finds what
is missing. Vietnamese is the source; the English stands in locale/en (`scripts/translations`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.utils.translation import get_language, gettext, ngettext

from motcua.rules.instants import VIET_NAM
from motcua.rules.moves import Refused

Code = TypeVar("Code")


class Words(Mapping[Code, str]):
    """Codes with their words: each is translated when it is read, not when the module is."""

    def __init__(self, words: dict[Code, str]) -> None:
        self._words = words

    def __getitem__(self, code: Code) -> str:
        return gettext(self._words[code])

    def __iter__(self) -> Iterator[Code]:
        return iter(self._words)

    def __len__(self) -> int:
        return len(self._words)


SIDES = Words({"shown": "Trên Cổng DVCQG", "recorded": "Theo một cửa", "true": "Thực tế"})
SHORT_SIDES = Words({"shown": "Cổng", "recorded": "một cửa", "true": "thực tế"})
LATE_BY = Words({"shown": "Trễ trên Cổng DVCQG", "recorded": "Trễ theo một cửa", "true": "Trễ thực tế"})
LEGS = Words({"sync": "do đồng bộ", "record": "do thao tác"})
WEEKDAYS = Words({0: "T2", 1: "T3", 2: "T4", 3: "T5", 4: "T6", 5: "T7", 6: "CN"})
MEASURES = Words(
    {
        "reception": "Chậm tiếp nhận",
        "open": "Đang xử lý quá hạn",
        "finished": "Đã giải quyết trễ hạn",
        "all": "Trễ hạn, quá hạn",
    }
)
CAUSES = Words(
    {
        "missing_here": "không có trong hệ thống một cửa",
        "missing_there": "chưa có trên Cổng quốc gia",
        "duplicate_there": "trùng hồ sơ",
        "misplaced_there": "sai đơn vị, sai thủ tục",
        "step_lost": "mất bước trong nhật ký",
        "only_return_sent": "chỉ gửi bước trả kết quả",
        "status_unmapped": "trạng thái chưa ánh xạ",
        "update_refused": "bị từ chối",
        "accepted_not_shown": "đã nhận nhưng không hiện",
        "update_not_sent": "chưa gửi cập nhật",
        "clock_shift": "lệch giờ",
        "closed_early_there": "gửi kết thúc sớm",
        "finish_differs": "lệch thời điểm kết thúc",
        "pause_not_carried": "chưa gửi tạm dừng",
        "due_not_carried": "lệch hạn trả",
        "rule_differs": "khác cách tính",
        "step_skipped": "thiếu bước",
        "late_entry": "chậm thao tác",
        "back_dated": "giờ ghi nhận sớm hơn chứng cứ",
        "due_moved": "sửa hạn trả",
        "pause_unlawful": "tạm dừng không căn cứ",
        "not_enough_data": "chưa đủ dữ liệu",
        "unexplained": "chưa rõ nguyên nhân",
    }
)
REMEDIES = Words(
    {
        "find_or_enter": "Tìm hồ sơ giấy, nhập vào hệ thống một cửa hoặc đề nghị Cổng đóng bản ghi.",
        "send_whole": "Gửi lại toàn bộ hồ sơ lên Cổng quốc gia.",
        "close_duplicate": "Đề nghị đóng bản ghi trùng; sửa bảng mã thay thế.",
        "correct_mapping_and_resend": "Sửa ánh xạ thủ tục, đơn vị rồi gửi lại.",
        "resend_step": "Gửi lại bước kết thúc vào nhật ký.",
        "send_finish": "Gửi bước “Đã xử lý xong” (9) với thời điểm kết thúc.",
        "map_status": "Bổ sung ánh xạ trạng thái rồi gửi lại.",
        "correct_and_resend": "Sửa nội dung bị từ chối rồi gửi lại.",
        "resend_and_ask_portal": "Gửi lại; nếu vẫn không hiện, gửi phiếu xử lý cho Cổng.",
        "send_update": "Gửi bản cập nhật kết thúc.",
        "correct_clock_and_resend": "Sửa múi giờ của phần mềm gửi rồi gửi lại.",
        "reopen_there": "Gửi lại trạng thái đúng để mở lại trên Cổng.",
        "resend_finish": "Gửi lại thời điểm kết thúc đúng.",
        "send_pause": "Gửi bước yêu cầu bổ sung và hẹn trả mới.",
        "send_due": "Gửi bản cập nhật có hẹn trả mới.",
        "explain_rule": "Không phải lỗi dữ liệu: nêu cách tính khác nhau trong giải trình.",
        "record_missing_step": "Ghi bổ sung bước đã làm bằng một sự kiện mới, kèm chứng cứ.",
        "record_on_time": "Nhắc thao tác ngay khi xong việc; hồ sơ giữ nguyên, chứng cứ quyết định.",
        "ask_explanation": "Yêu cầu đơn vị giải trình, kèm văn bản.",
        "load_missing_fact": "Nạp dữ kiện còn thiếu.",
        "look_into": "Chuyển chuyên viên xem trực tiếp.",
        "instruct_staff": "Nhắc, hướng dẫn người thụ lý; sửa cách làm từ hồ sơ sau.",
        "apologise_now": "Gửi thư xin lỗi, hẹn lại ngay bằng văn bản mới; trả kết quả sớm nhất.",
        "return_paper": "Trả lại giấy tờ thừa, xin lỗi người nộp; dùng dữ liệu đã có.",
        "close_or_remind": "Nhắc người nộp; quá hạn chờ thì kết thúc hồ sơ bằng văn bản.",
        "attach_result": "Đính tệp kết quả kèm mã kết quả rồi gửi lại.",
        "digitise": "Số hóa thành phần hồ sơ còn thiếu.",
        "offer_online_payment": "Mở thanh toán trực tuyến cho thủ tục; hướng dẫn người nộp.",
        "fix_catalogue": "Sửa, công khai lại thủ tục.",
        "fix_process": "Sửa quy trình điện tử cho khớp quyết định công bố.",
        "separate_accounts": "Mỗi người một tài khoản; đổi mật khẩu, khai tài khoản máy.",
    }
)
STATUSES = Words(
    {
        1: "Mới đăng ký",
        2: "Được tiếp nhận",
        3: "Không được tiếp nhận",
        4: "Đang xử lý",
        5: "Yêu cầu bổ sung giấy tờ",
        6: "Yêu cầu thực hiện nghĩa vụ tài chính",
        7: "Công dân yêu cầu rút hồ sơ",
        8: "Dừng xử lý",
        9: "Đã xử lý xong",
        10: "Đã trả kết quả",
    }
)
KINDS = Words(
    {
        "registered": "Đăng ký",
        "received": "Tiếp nhận",
        "refused": "Từ chối",
        "step_started": "Bắt đầu bước",
        "step_finished": "Xong bước",
        "supplement_requested": "Yêu cầu bổ sung",
        "supplement_received": "Nhận bổ sung",
        "suspended": "Tạm dừng",
        "resumed": "Tiếp tục",
        "payment_requested": "Yêu cầu nghĩa vụ tài chính",
        "paid": "Đã nộp",
        "leg_sent": "Lấy ý kiến, liên thông",
        "leg_returned": "Nhận trả lời",
        "extended": "Xin lỗi và hẹn lại",
        "withdrawn": "Rút hồ sơ",
        "stopped": "Dừng giải quyết",
        "finished": "Kết thúc xử lý",
        "returned": "Trả kết quả",
        "corrected": "Đính chính",
        "evidence_attached": "Bổ sung chứng cứ",
    }
)
SHORT_KINDS = Words({
    "registered": "nộp", "received": "nhận", "refused": "từ chối", "supplement_requested": "yêu cầu bổ sung",
    "supplement_received": "đã bổ sung", "suspended": "tạm dừng", "resumed": "tiếp tục", "payment_requested": "NVTC",
    "paid": "đã nộp", "leg_sent": "lấy ý kiến", "leg_returned": "có trả lời", "extended": "hẹn lại",
    "withdrawn": "rút", "stopped": "dừng", "finished": "xong", "returned": "trả", "corrected": "đính chính",
    "evidence_attached": "chứng cứ",
})  # fmt: skip
OWNERS = Words(
    {
        "reception": "Tiếp nhận",
        "step": "Đang xử lý",
        "assignment": "Chờ phân công",
        "applicant": "Chờ người dân",
        "other_agency": "Chờ đơn vị khác",
        "payment": "Chờ nộp nghĩa vụ tài chính",
        "suspension": "Tạm dừng khác",
        "outage": "Sự cố hệ thống",
    }
)


def holder(owner: str, step: str) -> str:
    """Whose minutes: a step by its name, else the owner."""
    return step or OWNERS[owner]


VERDICTS = Words(
    {
        "late": "quá hạn",
        "on_time": "đúng hạn",
        "open_late": "đang quá hạn",
        "open_in_time": "trong hạn",
        "paused": "đang tạm dừng",
        "no_due": "không có hẹn trả",
        "absent": "không có hồ sơ",
        "not_accepted": "chưa tiếp nhận",
    }
)
#: The shape that goes with a state: colour never speaks alone.
SHAPES = {
    "late": "late",
    "open_late": "late",
    "on_time": "done",
    "open_in_time": "open",
    "paused": "paused",
    "no_due": "unknown",
    "absent": "unknown",
    "not_accepted": "reception",
}
CHANNELS = Words({"desk": "Trực tiếp", "online": "Trực tuyến", "post": "Bưu chính"})
DIMENSIONS = Words(
    {
        "agency": "đơn vị",
        "field": "lĩnh vực",
        "procedure": "thủ tục",
        "month": "tháng tiếp nhận",
        "source": "hệ thống xử lý",
    }
)
SEVERITIES = Words(
    {
        "A": "A · ảnh hưởng người dân, can thiệp dữ liệu",
        "B": "B · thời hạn, nghĩa vụ",
        "C": "C · ghi nhận, dữ liệu",
    }
)
FLAGS = Words(
    {
        "unproven": "Chưa có chứng cứ",
        "disputed": "Khác nhau theo cách tính",
        "no_due": "Không có hẹn trả",
    }
)
#: Marks that lists are asked for, and bridges do not count.
MARKS = Words({"due_today": "Đến hạn hôm nay"})
FLAG_HINTS = Words(
    {
        "unproven": "ghi đúng hạn nhưng bấm sau hạn, không có chứng cứ",
        "disputed": "kết luận đổi theo cách đọc luật",
        "no_due": "không tính được trễ hay không",
        "not_enough_data": "thiếu dữ kiện để nêu nguyên nhân",
    }
)
#: The pages of the menu, by the names of their addresses.
PAGES = Words({
    "bridge": "Đối chiếu", "my-day": "Việc của tôi", "requests": "Yêu cầu giải trình", "findings": "Phát hiện",
    "rounds": "Đợt kiểm tra",
    "causes": "Nguyên nhân chênh lệch", "checks": "Thư viện kiểm tra", "agencies": "Đơn vị", "dossiers": "Hồ sơ",
    "paste": "Tra mã", "loading": "Nạp dữ liệu",
    "sync": "Đồng bộ", "collector": "Điểm thu", "accounts": "Tài khoản",
    "directives": "Giao nhiệm vụ", "notices": "Thông báo", "meeting": "Giao ban", "papers": "Văn bản",
    "warnings": "Cảnh báo sớm",
})  # fmt: skip
#: The groups of the menu that hold several pages.
MENUS = Words({
    "bridge": "Đối chiếu", "mine": "Việc của tôi", "answers": "Giải trình", "findings": "Phát hiện",
    "rounds": "Đợt kiểm tra", "orders": "Chỉ đạo", "agencies": "Đơn vị", "data": "Dữ liệu", "sync": "Đồng bộ",
    "people": "Tài khoản",
})  # fmt: skip
PARTS = Words(
    {
        "oversight": "Kiểm tra, giám sát",
        "exchange": "Đồng bộ với Cổng quốc gia",
        "desk": "Phần mềm một cửa",
        "portal": "Trang cho người dân",
    }
)
FIRST_STEPS = Words(
    {
        "province": "Tỉnh, thành phố",
        "logo": "Biểu trưng",
        "hours": "Giờ làm việc",
        "holidays": "Ngày nghỉ",
        "parts": "Các phần của hệ thống",
        "account": "Người quản trị đầu tiên",
    }
)
LEVELS = Words(
    {
        1: "danh sách",
        2: "nhật ký bước của một cửa",
        3: "bản tin qua điểm thu dữ liệu",
        4: "đọc lại từ Cổng",
    }
)
DIRECTIONS = Words({"removed": "bớt đi", "added": "thêm vào"})
ROLES = Words(
    {
        "clerk": "Công chức một cửa",
        "officer": "Công chức thụ lý",
        "seal_clerk": "Văn thư",
        "focal_point": "Đầu mối KSTT",
        "unit_head": "Lãnh đạo đơn vị",
        "inspector": "Chuyên viên kiểm soát TTHC",
        "leader": "Lãnh đạo tỉnh",
        "operator": "Quản trị kỹ thuật",
        "administrator": "Quản trị đơn vị",
    }
)
MODES = Words(
    {
        "keep-clock": "đến đúng giờ tiếp nhận của ngày cuối",
        "day-end": "đến hết giờ làm việc của ngày cuối",
        "hours": "tính bằng giờ làm việc, một ngày là tám giờ",
    }
)
PAUSES = Words(
    {
        "supplement": "Chờ bổ sung giấy tờ",
        "suspension": "Tạm dừng",
        "payment": "Chờ nghĩa vụ tài chính",
    }
)
PAUSE_FAULTS = Words(
    {
        "no_document": "không có văn bản",
        "asked_late": "yêu cầu bổ sung muộn",
        "asked_again": "yêu cầu bổ sung lần nữa",
    }
)
EXTENSION_FAULTS = Words(
    {
        "no_letter": "không có văn bản xin lỗi",
        "extended_again": "hẹn lại quá một lần",
        "announced_late": "xin lỗi muộn",
        "not_later": "hẹn mới không muộn hơn",
    }
)
DATA_CHECKS = Words(
    {
        "over_promised": "hẹn trả dài hơn thời hạn công bố",
        "evidence_before_receipt": "chứng cứ trước ngày tiếp nhận",
        "document_unknown": "tạm dừng hoặc hẹn lại chưa rõ văn bản",
        "unit_unresolved": "chưa rõ đơn vị nào trên Cổng",
        "unit_differs": "khác đơn vị trên Cổng",
        "procedure_differs": "khác thủ tục trên Cổng",
        "receipt_differs": "khác ngày tiếp nhận trên Cổng",
        "due_differs": "khác hẹn trả trên Cổng",
        "end_differs": "khác thời điểm kết thúc trên Cổng",
        "end_not_there": "đã kết thúc, Cổng chưa có",
        "end_only_there": "Cổng đã kết thúc, ở đây chưa",
        "further_record_there": "có thêm bản ghi trên Cổng",
    }
)
SUB_CAUSES = Words(
    {
        "supplement": "cách tính sau khi bổ sung",
        "payment": "cách trừ thời gian nghĩa vụ tài chính",
        "day": "so ngày hay so giờ",
        "never_sent": "chưa từng gửi",
        "refused": "bị từ chối",
        "accepted_absent": "đã nhận nhưng không có",
        "record_there": "thiếu bản ghi của Cổng",
        "step_log_there": "thiếu nhật ký bước của Cổng",
        "submission_there": "Cổng thiếu thời điểm nộp",
        "instant": "so giờ hay so ngày",
    }
)
EVIDENCE_KINDS = Words(
    {
        "finished": "chứng cứ của việc kết thúc",
        "returned": "chứng cứ của việc trả kết quả",
        "step_finished": "chứng cứ của bước xử lý",
        "refused": "chứng cứ của việc từ chối",
        "stopped": "chứng cứ của việc dừng",
        "evidence_attached": "chứng cứ bổ sung",
    }
)
#: The facts that prove a finding.
EVIDENCE = Words(
    {
        "sync_minutes": "phút từ lúc nhập đến lúc tới Cổng",
        "sync_entered_at": "nhập ở một cửa",
        "sync_arrived_at": "đến Cổng",
        "missing_numbers": "số mã khuyết",
        "first_missing": "mã khuyết đầu tiên",
        "last_missing": "mã khuyết cuối cùng",
        "late_petitions": "số phản ánh, kiến nghị quá hạn",
        "worst_petition": "quá hạn lâu nhất",
        "workdays_over": "số ngày làm việc quá hạn",
        "waiting_findings": "số phát hiện chưa giải trình",
        "requests": "số yêu cầu",
        "answer_due_at": "hạn giải trình sớm nhất đã qua",
        "due_0": "hẹn trả",
        "due_3": "hẹn trả có căn cứ",
        "finish_at": "một cửa ghi kết thúc",
        "true_finish_at": "kết thúc thực tế",
        "evidence_at": "chứng cứ",
        "finish_recorded_at": "bấm lúc",
        "t_due_at": "hẹn trả trên Cổng",
        "t_nine_at": "Cổng ghi xử lý xong",
        "t_nine_last_at": "Cổng ghi xử lý xong lần cuối",
        "t_ten_at": "Cổng ghi trả kết quả",
        "t_closed_at": "Cổng ghi kết thúc",
        "t_received_at": "Cổng ghi tiếp nhận",
        "t_status": "trạng thái trên Cổng",
        "t_procedure": "thủ tục trên Cổng",
        "t_unit_name": "đơn vị trên Cổng",
        "t_code": "mã trên Cổng",
        "t_duplicates": "bản ghi thừa trên Cổng",
        "delivery": "bản tin kết thúc",
        "delivery_message": "lời của Cổng",
        "pause_fault": "tạm dừng",
        "extension_fault": "hẹn lại",
        "sub_cause": "khác ở",
        "evidence_kind": "loại",
        "slip_due_at": "hẹn trên giấy tiếp nhận",
        "limit_due_at": "hạn theo thời hạn công bố",
        "received_at": "tiếp nhận",
        "unknown_documents": "lần chưa rõ văn bản",
        "t_unit": "mã đơn vị trên Cổng",
        "procedure": "thủ tục",
        "t_withdrawn_at": "Cổng ghi rút hồ sơ",
        "submitted_at": "nộp lúc",
        "answered_at": "trả lời đầu tiên",
        "reception_due_at": "hạn trả lời",
        "channel": "hình thức nộp",
        "receipt_recorded_at": "nhập tiếp nhận lúc",
        "first_recorded_at": "nhập lần đầu lúc",
        "transferred_at": "chuyển lúc",
        "events": "số lần",
        "out_of": "trên tổng số",
        "rate": "tỷ lệ",
        "least_rate": "tỷ lệ ít nhất",
        "requests_n": "số lần yêu cầu bổ sung",
        "first_request_at": "yêu cầu bổ sung lần đầu",
        "last_pause_at": "tạm dừng gần nhất",
        "shortest_request": "số chữ cái của nội dung",
        "due_by_pauses": "hạn kể cả tạm dừng",
        "request_slack": "phút làm việc còn lại khi yêu cầu",
        "pause_slack": "phút làm việc còn lại khi tạm dừng",
        "undocumented_n": "lần không có văn bản",
        "unlisted_n": "giấy tờ ngoài danh mục",
        "papers_n": "giấy tờ đã nộp",
        "peers_rate": "tỷ lệ nơi khác",
        "upper_rate": "mức cao nhất do may rủi",
        "q_value": "xác suất nêu sai (q)",
        "scatter": "độ phân tán chung",
        "most_due_at": "hạn có lợi nhất",
        "best_finish_at": "kết thúc sớm nhất",
        "apology_at": "xin lỗi, hẹn lại lúc",
        "extensions_n": "số lần hẹn lại",
        "bare_extension_at": "hẹn lại không văn bản",
        "due_moved_after_at": "dời hạn lúc",
        "silence": "phút làm việc im lặng",
        "limit_minutes": "thời hạn (phút làm việc)",
        "acts_n": "số thao tác",
        "steps_n": "số bước",
        "steps_first_at": "ghi bước đầu lúc",
        "steps_last_at": "ghi bước cuối lúc",
        "step_over": "phút quá hạn của bước",
        "limited_steps_n": "bước có thời hạn",
        "legs_n": "lần lấy ý kiến",
        "legs_back_n": "lần có trả lời",
        "leg_back_at": "trả lời lúc",
        "entered_late": "phút làm việc nhập chậm",
        "impossible_n": "thao tác có giờ không thể có",
        "after_end_n": "thao tác sau khi kết thúc",
        "decided_by_administrator_n": "thao tác của quản trị viên",
        "from_at": "từ",
        "to_at": "đến",
        "agencies": "số đơn vị",
        "finish_kind": "kết thúc bằng",
        "refusal_at": "từ chối lúc",
        "returned_at": "trả lúc",
        "results_n": "giấy tờ kết quả",
        "undigitised_n": "giấy tờ chưa số hóa",
        "ignored_reuse_n": "giấy tờ phải nộp lại",
        "fee": "phí công bố (đồng)",
        "paid_amount": "đã thu (đồng)",
        "refiled_at": "nộp lại lúc",
        "lacking": "còn thiếu",
        "steps_minutes": "tổng thời hạn các bước (phút)",
        "steps": "số bước của quy trình",
        "last_entry_at": "thao tác cuối",
        "quiet_minutes": "phút làm việc im lặng của đơn vị",
        "expected": "số lượt lẽ ra có",
        "open": "hồ sơ đang mở",
    }
)
#: The facts that decide, by cause; the rest stand on the page of the dossier.
MAIN_EVIDENCE = {
    "missing_here": ("t_received_at", "t_due_at", "t_status"),
    "missing_there": ("due_0", "finish_at", "delivery"),
    "duplicate_there": ("t_duplicates", "due_0", "finish_at"),
    "misplaced_there": ("t_procedure", "t_unit_name", "due_0", "finish_at"),
    "step_lost": ("t_status", "finish_at", "due_0"),
    "only_return_sent": ("finish_at", "t_ten_at", "due_0"),
    "status_unmapped": ("finish_at", "t_status", "delivery"),
    "update_refused": ("delivery_message", "finish_at"),
    "accepted_not_shown": ("delivery", "finish_at", "t_status"),
    "update_not_sent": ("finish_at", "due_0", "delivery"),
    "clock_shift": ("finish_at", "t_nine_at", "due_0"),
    "closed_early_there": ("t_nine_at", "finish_at", "due_0"),
    "finish_differs": ("finish_at", "t_nine_at", "t_closed_at", "due_0"),
    "pause_not_carried": ("t_due_at", "due_0", "finish_at"),
    "due_not_carried": ("t_due_at", "due_0", "finish_at"),
    "rule_differs": ("sub_cause", "due_0", "t_due_at"),
    "step_skipped": ("evidence_at", "due_3"),
    "late_entry": ("evidence_at", "due_0", "finish_at"),
    "back_dated": ("finish_at", "evidence_at", "due_0"),
    "due_moved": ("extension_fault", "due_0", "due_3", "finish_at"),
    "pause_unlawful": ("pause_fault", "due_0", "due_3", "finish_at"),
    "not_enough_data": ("due_0", "finish_at", "t_due_at"),
    "unexplained": ("due_0", "finish_at", "t_due_at", "t_nine_at"),
}
#: Inside a finding's proof, codes have words too.
EVIDENCE_WORDS: dict[str, Mapping[Any, str]] = {
    "t_status": STATUSES,
    "pause_fault": PAUSE_FAULTS,
    "extension_fault": EXTENSION_FAULTS,
    "sub_cause": SUB_CAUSES,
    "evidence_kind": EVIDENCE_KINDS,
}
DELIVERY_STATES = Words(
    {
        "waiting": "đang chờ gửi",
        "delivered": "Cổng đã nhận",
        "dead": "bị từ chối",
        "unmapped": "chưa ánh xạ",
    }
)
REFUSALS = Words(
    {
        "act.in_the_future": "Thời điểm {at:%H:%M %d/%m/%Y} chưa đến. Nhập thời điểm đã xảy ra.",
        "act.before_the_last": "Thời điểm {at:%H:%M %d/%m/%Y} sớm hơn {last:%H:%M %d/%m/%Y}. Kiểm tra lại giờ.",
        "dossier.already_accepted": "Hồ sơ đã được tiếp nhận lúc {at:%H:%M %d/%m/%Y}.",
        "dossier.not_accepted": "Hồ sơ {dossier} chưa được tiếp nhận. Tiếp nhận trước.",
        "dossier.has_ended": "Hồ sơ đã kết thúc lúc {at:%H:%M %d/%m/%Y}. Dùng “Đính chính” nếu ghi nhầm.",
        "dossier.is_suspended": "Hồ sơ đang tạm dừng từ {since:%H:%M %d/%m/%Y}. Bấm “Tiếp tục” trước.",
        "dossier.not_suspended": "Hồ sơ {dossier} không ở trạng thái chờ này.",
        "dossier.known": "Mã hồ sơ {dossier} đã có.",
        "dossier.unknown": "Không thấy hồ sơ {dossier}. Xem lại mã.",
        "step.already_finished": "Bước “{step}” vừa được đồng nghiệp kết thúc. Xem lại rồi chọn việc tiếp theo.",
        "step.already_started": "Bước “{step}” đang do {holder} xử lý.",
        "step.unknown": "Quy trình không có bước “{step}”.",
        "step.not_your_unit": "Bước “{step}” thuộc đơn vị {unit}.",
        "supplement.asked_before": "Hồ sơ {dossier} đã được yêu cầu bổ sung; mỗi hồ sơ chỉ một lần.",
        "extension.not_later": "Hẹn mới phải muộn hơn {due_at:%H:%M %d/%m/%Y}.",
        "extension.no_due": "Hồ sơ {dossier} không có hẹn trả để hẹn lại.",
        "result.not_finished": "Hồ sơ {dossier} chưa kết thúc xử lý. Bấm “Kết thúc xử lý” trước.",
        "result.already_returned": "Kết quả đã trả lúc {at:%H:%M %d/%m/%Y}.",
        "leg.none": "Hồ sơ {dossier} không đang lấy ý kiến đơn vị nào.",
        "evidence.before_receipt": "Chưa dùng: chứng cứ {at:%H:%M %d/%m/%Y} trước tiếp nhận {received:%H:%M %d/%m/%Y}.",
        "evidence.known": "Hồ sơ {dossier} đã có chứng cứ này.",
        "finding.unknown": "Không thấy phát hiện số {finding}.",
        "finding.not_your_unit": "Phát hiện này thuộc đơn vị khác.",
        "finding.not_your_post": "Việc này không thuộc vai trò đang giữ.",
        "finding.not_in_this_state": "Phát hiện vừa đổi trạng thái. Xem lại rồi chọn việc tiếp theo.",
        "finding.before_the_last": "Vừa có việc khác lúc {last:%H:%M %d/%m/%Y}. Xem lại rồi làm lại.",
        "finding.date_has_passed": "Ngày đã chọn phải sau {at:%H:%M %d/%m/%Y}.",
        "finding.no_extension_asked": "Đơn vị chưa xin gia hạn.",
        "finding.nobody_named": "Chưa chọn người nhận việc.",
        "finding.answer_incomplete": "Trả lời còn thiếu: cách trả lời, nội dung, chứng cứ hoặc khắc phục.",
        "finding.no_outcome": "Chưa chọn kết luận.",
        "finding.not_heard": "Đơn vị chưa giải trình và chưa hết hạn: chưa kết luận vi phạm được.",
        "finding.reason_missing": "Ghi lý do trước.",
        "correction.unknown_event": "Không có sự kiện số {seq} để đính chính.",
        "fee.bad_amount": "Số tiền {amount} của “{item}” không dùng được. Nhập số đồng nguyên, từ 0 trở lên.",
        "fee.unknown_kind": "Loại hoặc thời điểm thu của “{item}” không có trong danh mục phí, lệ phí.",
        "fee.nameless": "Khoản thu {amount} đồng chưa có tên hoặc mã. Ghi rõ khoản nào.",
        "enclosure.bad_address": "“{item}” không phải là địa chỉ tải tệp. Nhập địa chỉ bắt đầu bằng https://.",
        "enclosure.nameless": "Giấy tờ kèm theo chưa có tên hoặc mã. Ghi rõ giấy tờ nào.",
        "paper.unknown_reuse": "Cách tái sử dụng của “{item}” không có trong danh mục.",
    }
)


def say(refusal: Refused) -> str:
    """A refusal in words, with the facts of the case."""
    return REFUSALS[refusal.code].format_map(local(refusal.facts))


def local(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a case with their instants on the office wall."""
    return {
        name: value.astimezone(VIET_NAM) if hasattr(value, "astimezone") else value for name, value in facts.items()
    }


def instant(value: str | datetime | None) -> str:
    """15:10 05/03/2026, on the office wall."""
    if not value:
        return ""
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at.astimezone(VIET_NAM):%H:%M %d/%m/%Y}"


def stamp(value: str | None) -> str:
    """05/03/2026 15:10, the way tables write it."""
    return f"{datetime.fromisoformat(value).astimezone(VIET_NAM):%d/%m/%Y %H:%M}" if value else ""


def day(value: str) -> str:
    """T5 05/03/2026, from an ISO day."""
    at = datetime.fromisoformat(value)
    return f"{WEEKDAYS[at.weekday()]} {at:%d/%m/%Y}"


def worked(minutes: int) -> str:
    """2 ngày 4 giờ 10 phút, of working time (a working day has eight hours)."""
    days, rest = divmod(abs(minutes), 480)
    parts = [(days, gettext("ngày")), (rest // 60, gettext("giờ")), (rest % 60, gettext("phút"))]
    return " ".join(f"{number(count)} {unit}" for count, unit in parts if count) or f"0 {gettext('phút')}"


_ROMAN = ("", "I", "II", "III", "IV")


def period(text: str | None) -> str:
    """Quý III/2026, from `2026-Q3`."""
    if not text:
        return gettext("Từ trước đến nay")
    if "/" in text:
        first, last = (f"{datetime.fromisoformat(part):%d/%m/%Y}" for part in text.split("/"))
        return gettext("{first} đến {last}").format(first=first, last=last)
    year, *rest = text.split("-")
    regime = gettext(" (kỳ báo cáo)") if "BC" in rest else ""
    part = rest[-1] if rest and rest[-1] != "BC" else ""
    if part.startswith("Q"):
        return gettext("Quý {quarter}/{year}").format(quarter=_ROMAN[int(part[1])], year=year) + regime
    if part:
        return gettext("Tháng {month}/{year}").format(month=int(part), year=year) + regime
    return gettext("Năm {year}").format(year=year) + regime


def ago(seconds: int) -> str:
    """An age in words."""
    if seconds < 90:
        return gettext("{n} giây").format(n=seconds)
    if seconds < 5400:
        return gettext("{n} phút").format(n=seconds // 60)
    return gettext("{n} giờ").format(n=seconds // 3600)


def evidence(finding: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The facts that decide a finding, each with its name."""
    facts = finding["evidence"]
    return [(EVIDENCE[name], fact(name, facts[name])) for name in MAIN_EVIDENCE[finding["cause"]] if name in facts]


def fact(name: str, value: Any) -> str:
    """One fact of a proof, in words."""
    if name.endswith("_at") or name.startswith("due_"):
        return instant(value)
    if name == "delivery":
        return DELIVERY_STATES.get(value, str(value))
    return EVIDENCE_WORDS.get(name, {}).get(value, str(value))


def english() -> bool:
    """Whether the reader chose English."""
    return get_language() == "en"


def number(value: int) -> str:
    """1.505: thousands as Vietnamese pages write them; 1,505 in English."""
    return f"{value:,}" if english() else f"{value:,}".replace(",", ".")


def value(value: float | str) -> str:
    """A parameter's value as it is typed: 0,05; 0.05 in English."""
    if isinstance(value, float):
        return f"{value:g}" if english() else f"{value:g}".replace(".", ",")
    return str(value)


def dossiers(count: int) -> str:
    """1.505 hồ sơ."""
    return ngettext("{n} hồ sơ", "{n} hồ sơ", count).format(n=number(count))


def signs(count: int) -> str:
    """34 dấu hiệu."""
    return ngettext("{n} dấu hiệu", "{n} dấu hiệu", count).format(n=number(count))


def percent(value: float | None) -> str:
    """23,7%; an empty group has no figure."""
    if value is None:
        return gettext("không có số liệu")
    return f"{value * 100:.1f}%" if english() else f"{value * 100:.1f}%".replace(".", ",")
