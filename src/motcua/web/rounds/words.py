"""Words of the rounds. A conclusion speaks of dossiers and units, never of a named official."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from motcua.inspection.checks.check import Check
from motcua.inspection.estimates import Rate
from motcua.oversight import scan
from motcua.rounds.models import Round
from motcua.rules.instants import VIET_NAM, Unreadable
from motcua.rules.moves import Refused
from motcua.web import labels
from motcua.web.labels import Words

STEPS = Words({
    "plan": "Kế hoạch", "freeze": "Chốt số liệu", "scan": "Quét dấu hiệu", "sample": "Chọn mẫu",
    "explain": "Giải trình", "decide": "Kết luận từng hồ sơ", "draft": "Dự thảo kết luận", "remedy": "Kiến nghị",
    "recheck": "Phúc tra", "close": "Đóng",
})  # fmt: skip
#: What is being done while the figures are frozen.
STAGES = Words({
    "": "Đang bắt đầu", "population": "Lấy hồ sơ hai phía", "signs": "Quét dấu hiệu", "logs": "Chép nhật ký từng hồ sơ",
    "proof": "Ghi mã đối chứng",
})  # fmt: skip
ROLES = Words({"lead": "Trưởng đoàn", "member": "Thành viên"})
SORTS = Words({
    "true_late": "Trễ thực tế", "in_time": "Ghi trễ, làm đúng hạn", "no_data": "Chưa đủ dữ liệu",
    "disputed": "Khác nhau theo cách tính", "other": "Có dấu hiệu khác", "clean": "Không có dấu hiệu",
})  # fmt: skip
#: The one question that a unit is asked about a dossier.
ASKED = Words({
    "true_late": "Vì sao hồ sơ trễ, đã xin lỗi người dân chưa?",
    "in_time": "Vì sao ghi nhận hoặc đồng bộ trễ trong khi việc đã xong đúng hạn?",
    "no_data": "Đơn vị có văn bản, tệp nào cho biết thời điểm thực tế?",
    "disputed": "Đơn vị tính thời hạn theo quy định nào?",
    "other": "Đơn vị giải thích dấu hiệu này thế nào?",
})  # fmt: skip
ANSWERS = Words({
    "": "Chưa trả lời", "admit": "Thừa nhận", "explain": "Giải trình kèm văn bản", "contest": "Không đồng ý",
})  # fmt: skip
FINDINGS = Words({
    "": "Chưa kết luận", "accepted": "Chấp nhận", "rejected": "Không chấp nhận",
    "disputed": "Khác nhau theo cách tính",
})  # fmt: skip
QUESTIONS = Words({
    "facts_agree": "Dữ kiện hai phía khớp với giấy tờ",
    "due_right": "Hẹn trả đúng quy định",
    "pauses_grounded": "Tạm dừng, bổ sung có căn cứ",
    "documents_seen": "Đã xem văn bản, chứng cứ",
    "result_returned": "Kết quả đã trả, đúng hình thức",
})  # fmt: skip
CHECKED = Words({"yes": "Có", "no": "Không", "unknown": "Chưa biết"})
KINDS = Words({
    "data": "Cập nhật dữ liệu bằng sự kiện mới", "apology": "Xin lỗi người dân", "training": "Tập huấn, quán triệt",
    "discipline": "Đề nghị xem xét trách nhiệm", "other": "Việc khác",
})  # fmt: skip
PAPERS = Words({
    "plan": "Kế hoạch kiểm tra", "ask": "Yêu cầu giải trình", "minutes": "Biên bản", "draft": "Dự thảo kết luận",
    "conclusion": "Kết luận kiểm tra",
})  # fmt: skip
STRATA = Words({"agency": "đơn vị", "field": "lĩnh vực", "procedure": "thủ tục", "": "không chia nhóm"})
WEIGHTS = Words({
    "grave": "Dấu hiệu nhóm A", "unproven": "Chưa có chứng cứ", "late_true": "Trễ thực tế",
    "late_recorded": "Trễ theo một cửa", "disputed": "Khác nhau theo cách tính", "sign": "Dấu hiệu khác",
    "late_shown": "Trễ trên Cổng DVCQG",
})  # fmt: skip
#: What a row of results counts.
COUNTS = Words({
    "sample": "Mẫu", "signed": "Có dấu hiệu", "answered": "Đã giải trình", "waiting": "Chờ giải trình",
    "late_answers": "Giải trình muộn", "read": "Đã đọc", "confirmed": "Đã xác nhận", "accepted": "Chấp nhận",
    "rejected": "Không chấp nhận", "disputed": "Khác nhau theo cách tính",
})  # fmt: skip
STATES = Words({
    "waiting": "Chờ giải trình", "answered": "Đã giải trình", "read": "Đã đọc", "confirmed": "Đã xác nhận",
    "signed": "Có dấu hiệu",
})  # fmt: skip
PERSONAL = Words(
    {"applicant": "Chủ hồ sơ", "submitter": "Người nộp", "identity": "Số định danh", "phone": "Điện thoại",
     "address": "Địa chỉ", "results": "Giấy tờ kết quả", "papers": "Giấy tờ đã nộp"}
)  # fmt: skip
#: Parts of a plan, as a fault names them.
PLAN = Words({
    "title": "Tên đợt kiểm tra: chưa ghi.", "period": "Kỳ kiểm tra: chưa chọn, hoặc không đọc được.",
    "agencies": "Đơn vị: có mã không thuộc danh mục.", "fields": "Lĩnh vực: có mã không thuộc danh mục.",
    "procedures": "Thủ tục: có mã không thuộc danh mục.",
    "size": "Cỡ mẫu: ghi số hồ sơ từ 1 đến 5.000.", "least": "Ít nhất mỗi nhóm: không vượt cỡ mẫu.",
    "stratify": "Chia nhóm: chọn đơn vị, lĩnh vực, thủ tục hoặc không chia.",
    "weights": "Mức rủi ro: ghi số từ 1 đến 9.", "answer_days": "Hạn giải trình: từ 1 đến 60 ngày làm việc.",
    "members": "Đoàn kiểm tra: một trưởng đoàn và ít nhất một thành viên, có tài khoản đang dùng.",
    "decision_on": "Ngày quyết định: không phải là ngày.", "measure": "Số liệu: chọn một loại.",
    "nonce": "Câu bí mật: ít nhất 8 ký tự.",
    "on": "Ngày: chưa ghi hoặc không phải là ngày.", "after": "Thời điểm niêm phong: không đọc được.",
    "finding": "Chưa chọn kết luận.", "checklist": "Bảng kiểm: có câu không thuộc hồ sơ này.",
    "answer": "Chưa chọn cách trả lời.", "kind": "Chưa chọn loại kiến nghị.", "due_at": "Hạn thực hiện: đã qua.",
    "agency": "Đơn vị: mẫu không có hồ sơ nào của đơn vị này.", "days": "Số ngày: từ 1 đến 60 ngày làm việc.",
})  # fmt: skip
#: What an act on a round was, as its history tells it: the key of the audit that marks it.
ACTS = Words({
    "frozen": "chốt số liệu hai phía", "sealed": "niêm phong kế hoạch", "commitment": "gửi cam kết câu bí mật",
    "drawn": "chọn mẫu", "asked": "gửi yêu cầu giải trình", "due_at": "gia hạn giải trình",
    "decided": "đủ hai người kết luận mọi hồ sơ", "published": "công bố kết luận", "closed": "đóng",
    "rechecked": "mọi kiến nghị đã xong", "made": "lập văn bản", "number": "ghi số, ngày, người ký",
    "finding": "kết luận hồ sơ", "answer": "đơn vị trả lời", "reason": "xem dữ liệu cá nhân", "text": "ghi kiến nghị",
    "decision_number": "ghi số quyết định", "title": "lập, sửa kế hoạch", "confirmed": "xác nhận kết luận hồ sơ",
    "returned": "trả lại người đọc", "unsealed": "mở niêm phong",
})  # fmt: skip
REFUSALS = Words({
    "round.unknown": "Không có đợt kiểm tra số {round}.",
    "round.incomplete": "Kế hoạch còn thiếu.",
    "round.not_a_member": "Chưa làm: chỉ thành viên đoàn kiểm tra làm được việc này.",
    "round.not_the_lead": "Chưa làm: việc này của trưởng đoàn.",
    "round.is_closed": "Chưa làm: đợt kiểm tra đã đóng lúc {at:%H:%M %d/%m/%Y}.",
    "round.is_sealed": "Chưa nhận cam kết: kế hoạch đã niêm phong lúc {at:%H:%M %d/%m/%Y}.",
    "round.is_frozen": "Kế hoạch đã chốt số liệu lúc {at:%H:%M %d/%m/%Y}, không đổi được nữa. Lập đợt mới nếu cần.",
    "round.is_freezing": "Đang chốt số liệu từ {at:%H:%M %d/%m/%Y}. Chờ xong rồi làm tiếp.",
    "round.not_frozen": "Chưa niêm phong: chốt số liệu trước.",
    "round.empty": "Chưa chốt: không hồ sơ nào trong phạm vi của kỳ {period}. Xem lại đơn vị, kỳ, lĩnh vực.",
    "round.not_committed": "Chưa niêm phong: cần người thứ hai gửi cam kết trước.",
    "round.commits_alone": "Chưa niêm phong: người gửi cam kết phải khác trưởng đoàn.",
    "round.sample_is_fixed": "Chưa niêm phong lại: đầu niêm phong sau {at:%H:%M %d/%m/%Y} đã quyết định mẫu. Hãy chọn"
    " mẫu; mất biên nhận thì mở niêm phong, ghi lý do.",
    "round.seal_in_the_past": "Chưa niêm phong: thời điểm {at:%H:%M %d/%m/%Y} đã qua. Chọn thời điểm sắp tới.",
    "round.not_sealed": "Chưa chọn mẫu: niêm phong kế hoạch trước.",
    "round.seal_waits": "Chưa chọn mẫu: chờ qua {at:%H:%M %d/%m/%Y}.",
    "round.no_head_yet": "Chưa chọn mẫu: từ {at:%H:%M %d/%m/%Y} nhật ký chưa có sự kiện mới để niêm phong.",
    "round.wrong_nonce": "Chưa chọn mẫu: câu bí mật và mã kèm không khớp cam kết. Nhập đúng như biên nhận.",
    "round.is_drawn": "Mẫu đã chọn lúc {at:%H:%M %d/%m/%Y}; mỗi đợt chỉ chọn một lần.",
    "round.not_drawn": "Chưa làm: chọn mẫu trước.",
    "round.frozen_altered": "Chưa chọn mẫu: số liệu chốt không còn nguyên vẹn ({fault}). Báo quản trị kỹ thuật.",
    "round.not_in_sample": "Hồ sơ {dossier} không thuộc mẫu của đợt này, hoặc thuộc đơn vị khác.",
    "round.sample_too_small": "Chưa chốt: phạm vi có {groups} nhóm, cần ít nhất {needed} hồ sơ, mẫu chỉ {size}. Tăng "
    "cỡ mẫu hoặc chia nhóm khác.",
    "round.not_drawable": "Chưa chọn mẫu: {fault}.",
    "round.not_asked": "Chưa làm: chưa gửi yêu cầu giải trình.",
    "round.is_asked": "Yêu cầu giải trình đã gửi lúc {at:%H:%M %d/%m/%Y}.",
    "round.answer_awaited": "Chưa kết luận: đơn vị chưa trả lời hồ sơ {dossier} và còn hạn giải trình.",
    "round.answer_empty": "Chưa lưu: không thừa nhận thì nêu lý do; giải trình thì ghi số văn bản.",
    "round.answer_in_finding": "Hồ sơ {dossier} trả lời ở trang yêu cầu giải trình của dấu hiệu.",
    "round.not_your_unit": "Hồ sơ {dossier} thuộc đơn vị khác.",
    "round.is_decided": "Hồ sơ {dossier} đã kết luận; câu trả lời không đổi được nữa.",
    "round.no_reason": "Chưa lưu: ghi lý do (ít nhất vài chữ).",
    "round.not_found_yet": "Hồ sơ {dossier} chưa có kết luận của người đọc.",
    "round.confirms_own": "Chưa xác nhận: người xác nhận phải khác người đọc.",
    "round.is_confirmed": "Hồ sơ {dossier} đã xác nhận lúc {at:%H:%M %d/%m/%Y}.",
    "round.not_all_decided": "Chưa lập: còn {left} hồ sơ chưa đủ hai người kết luận.",
    "round.not_concluded": "Chưa làm: kết luận kiểm tra chưa có số, ngày, hoặc chưa công bố.",
    "round.no_number": "Chưa lưu: ghi số, ngày và người ký theo văn bản đã phát hành.",
    "round.remedy_unknown": "Không có kiến nghị số {remedy}.",
    "round.remedy_empty": "Chưa lưu: ghi nội dung kiến nghị.",
    "round.remedy_open": "Chưa đóng: còn {open} kiến nghị chưa xong.",
    "round.no_such_document": "Không có tệp này trong giấy tờ của hồ sơ {dossier}.",
    "round.no_step": "Chưa làm: lập dự thảo kết luận trước.",
})  # fmt: skip


def say(refusal: Refused) -> str:
    """A refusal in words, with the facts of the case."""
    if refusal.code not in REFUSALS:
        return labels.say(refusal)
    return REFUSALS[refusal.code].format_map(labels.local(refusal.facts))


def passed_over(refused: tuple[int, Refused]) -> str:
    """A finding that was not concluded with its dossier, and why."""
    number, refusal = refused
    return gettext("Phát hiện số {n} không kết luận theo hồ sơ: {why}").format(n=number, why=say(refusal))


def unusable(fault: Unreadable) -> str:
    """What of a form cannot be, in words; the fault's own words where it names no part that we know."""
    text = str(fault)
    part = text.partition(":")[0]
    if part in PLAN:
        return gettext("Chưa lưu. {what}").format(what=PLAN[part])
    if "is not a period" in text:
        return gettext("Chưa lưu. {what}").format(what=PLAN["period"])
    if "there are no facts" in text:
        return gettext("Chưa chốt: chưa có số liệu. Nạp dữ liệu trước.")
    return gettext("Chưa lưu: {fault}").format(fault=text)


def label(round_: Round) -> str:
    """Đợt kiểm tra 02/2026, by which people call it."""
    return gettext("Đợt kiểm tra {number}/{year}").format(
        number=f"{round_.pk:02}", year=round_.created_at.astimezone(VIET_NAM).year
    )


def act(table: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    """One line of the history: what an act was."""
    told = after or {}
    if table == "rounds_item" and told.get("confirmed_by"):
        return ACTS["confirmed"]
    if table == "rounds_item" and told.get("returned"):
        return ACTS["returned"]
    if told.get("sealed", "") is None:
        return f"{ACTS['unsealed']}: {told.get('reason', '')}"
    if table == "rounds_round" and "title" in told:
        return ACTS["title"]
    return next((ACTS[name] for name in ACTS if name in told), table)


def personal(name: str, value: str) -> tuple[str, str]:
    """What a personal value is called, and the value; of a paper (`results.0`) its name, its number, where it lies."""
    kind, of_paper, _ = name.partition(".")
    if of_paper:
        told = json.loads(value)
        value = " · ".join(told[part] for part in ("name", "file", "address") if told.get(part))
    return PERSONAL.get(kind, kind), value


def question(name: str) -> str:
    """A question of the checklist."""
    if name.startswith("sign:"):
        return gettext("Dấu hiệu “{title}” có thật").format(title=check(name.removeprefix("sign:")))
    return QUESTIONS[name]


def check(code: str) -> str:
    """The title of a check, by its code."""
    found: Check | None = scan.library().get(code)
    if code in labels.CAUSES:
        title = labels.CAUSES[code]
        return title[0].upper() + title[1:]
    return gettext(found.title) if found else code


def estimate(rate: Rate) -> str:
    """An estimate with its interval in words: 5,8% (từ 4,1% đến 7,9%)."""
    return gettext("{rate} (từ {low} đến {high})").format(
        rate=labels.percent(rate.rate), low=labels.percent(rate.low), high=labels.percent(rate.high)
    )
