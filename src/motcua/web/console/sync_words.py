"""Words of the page of the synchronisation, its tickets and its alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext, ngettext

from motcua.rules.instants import VIET_NAM
from motcua.web import labels
from motcua.web.labels import Words

VERDICTS = Words(
    {
        "equal": "khớp",
        "differs": "lệch",
        "outdated": "đã gửi thêm sau lần đọc Cổng",
        "not_looked": "chưa đọc Cổng",
        "only_there": "chỉ có trên Cổng",
        "nowhere": "không thấy",
    }
)
#: The shape that goes with a verdict.
SHAPES = {
    "equal": "done", "differs": "differs", "outdated": "open", "not_looked": "unknown", "only_there": "differs",
    "nowhere": "unknown",
}  # fmt: skip
FIELDS = Words(
    {
        "MaTTHC": "thủ tục",
        "DonViXuLy": "đơn vị",
        "NgayTiepNhan": "ngày tiếp nhận",
        "NgayHenTra": "hẹn trả",
        "TrangThaiHoSo": "trạng thái",
        "NgayKetThucXuLy": "kết thúc xử lý",
        "NgayTra": "ngày trả",
        "NgayTuChoi": "ngày từ chối",
        "KenhThucHien": "kênh nộp",
        "DanhSachHoSoBoSung": "các lần bổ sung",
        "DanhSachLePhi": "phí, lệ phí",
        "DanhSachGiayToKetQua": "giấy tờ kết quả",
        "TaiLieuNop": "giấy tờ nộp",
        "dossier": "cả hồ sơ",
    }
)
#: The fields of a row of these lists.
COLUMNS = Words(
    {
        "NgayBoSung": "ngày yêu cầu",
        "NgayTiepNhanBoSung": "ngày nhận bổ sung",
        "NgayHenTraTruoc": "hẹn trả trước đó",
        "NgayHenTraMoi": "hẹn trả mới",
        "MaPhiLePhi": "mã khoản thu",
        "Gia": "số tiền",
        "HinhThucThu": "thời điểm thu",
        "LoaiPhiLePhi": "loại khoản thu",
        "MaGiayToKetQua": "mã kết quả",
        "GiayToId": "số tệp",
        "DuongDanTepTinKetQua": "địa chỉ tệp",
        "MaThanhPhanHoSo": "thành phần hồ sơ",
        "TepDinhKemId": "số tệp",
        "DuongDanTaiTepTin": "địa chỉ tệp",
    }
)
WHYS = Words(
    {
        "on_the_way": "chưa gửi",
        "refused": "Cổng từ chối",
        "unmapped": "chưa ánh xạ trạng thái",
        "not_shown": "Cổng đã nhận nhưng không hiện",
        "changed_there": "thay đổi phía Cổng",
        "never_sent": "chưa từng gửi",
        "other_sender": "phần mềm khác gửi",
    }
)
#: What helps against a refusal, for each code of `exchange.remedies`.
REMEDIES = Words(
    {
        "shorten": "Rút gọn nội dung (ghi chú, trích yếu) rồi gửi lại.",
        "send_again": "Gửi lại cả hồ sơ; Cổng và một cửa hiểu khác nhau về việc hồ sơ đã có hay chưa.",
        "map_procedure": "Sửa ánh xạ thủ tục theo danh mục của Cổng rồi gửi lại.",
        "correct_date": "Đính chính thời điểm sai bằng một sự kiện mới rồi gửi lại.",
        "map_status": "Sửa ánh xạ trạng thái (motcua exchange status-map) rồi gửi lại.",
        "map_unit": "Sửa mã định danh hoặc quyền gửi thay của đơn vị rồi gửi lại.",
        "fill_in": "Bổ sung trường mà Cổng bắt buộc rồi gửi lại.",
        "look_into": "Cổng chỉ không trả lời bản tin này: xem nội dung gửi, báo đơn vị vận hành Cổng, rồi gửi lại.",
        "ask_portal": "Chưa rõ cách xử lý: gửi lời của Cổng cho đơn vị vận hành Cổng.",
    }
)
OWNERS = Words(
    {
        "vendor": "Nhà cung cấp phần mềm",
        "ministry": "Hệ thống của bộ, ngành",
        "unit": "Đơn vị",
        "internal": "Nội bộ",
    }
)
SHORT_OWNERS = Words({"vendor": "nhà cung cấp", "ministry": "bộ", "unit": "đơn vị", "internal": "nội bộ"})
STATES = Words({"open": "Đang xử lý", "sent": "Đã gửi", "closed": "Đã đóng"})
ACTS = Words(
    {
        "opened": "Lập phiếu",
        "sent": "Ghi nhận đã gửi",
        "noted": "Ghi chú",
        "agreed": "Dữ liệu đã khớp",
        "differed": "Dữ liệu lệch lại",
        "closed": "Đóng phiếu",
        "closed_by_data": "Đóng theo dữ liệu",
        "reopened": "Mở lại",
        "reopened_by_data": "Mở lại theo dữ liệu",
    }
)

_NEVER = datetime.min.replace(tzinfo=UTC)


def portal(circuits: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """How the portal stands, in one line with its shape."""
    if not circuits:
        return {"shape": "unknown", "text": gettext("chưa gửi bản tin nào")}
    worst = max(circuits, key=lambda each: (each["state"] != "closed", each["answered_at"] or _NEVER))
    at = hour(worst["answered_at"])
    if worst["state"] == "closed":
        return {"shape": "done", "text": gettext("trả lời lúc {at}").format(at=at)}
    again = hour(worst["retry_at"])
    text = gettext("không trả lời, gửi lại lúc {again}; không mất gì").format(again=again)
    return {"shape": "late", "text": text}


def hour(at: datetime | None) -> str:
    """16:41 06/03."""
    return f"{at.astimezone(VIET_NAM):%H:%M %d/%m}" if at else gettext("chưa lần nào")


def age(seconds: int | None) -> str:
    """7 phút, 3 giờ, 2 ngày."""
    if seconds is None:
        return ""
    return gettext("{n} ngày").format(n=seconds // 86_400) if seconds >= 172_800 else labels.ago(seconds)


def value(name: str, text: str) -> str:
    """A value of the portal's record as people write it."""
    if name == "TrangThaiHoSo" or name == "dossier":
        return labels.STATUSES.get(int(text), text) if text.isdigit() else text or gettext("không có")
    if len(text) == 14 and text.isdigit():
        return f"{text[8:10]}:{text[10:12]} {text[6:8]}/{text[4:6]}/{text[:4]}"
    return text or gettext("trống")


def difference(name: str, ours: str, there: str) -> str:
    """One difference, here against there."""
    if name.startswith("step -"):
        return gettext("Cổng thiếu bước {step}").format(step=_step(ours))
    if name.startswith("step +"):
        return gettext("Cổng có thêm bước {step}").format(step=_step(there))
    if name.startswith("code "):
        return gettext("trên Cổng mang mã {code}").format(code=there)
    if name == "dossier":
        return gettext("Cổng chưa có hồ sơ") if not there else gettext("một cửa không có hồ sơ")
    return f"{field(name)}: {value(name, ours)} ≠ {value(name, there)}"


def field(name: str) -> str:
    """A field of the record in words; of a list's row "phí, lệ phí 2, số tiền"."""
    parts = name.split(" ")
    if len(parts) == 3 and parts[0] in FIELDS and parts[2] in COLUMNS:
        return f"{FIELDS[parts[0]]} {parts[1]}, {COLUMNS[parts[2]]}"
    return FIELDS.get(name, name)


def _step(text: str) -> str:
    status, _, rest = text.partition(" ")
    title = labels.STATUSES.get(int(status), status) if status.isdigit() else status
    return f"“{title}” {value('', rest[:14])}" if rest else f"“{title}”"


def last(message: Mapping[str, Any]) -> str:
    """The last message about a dossier: when, by whom, what became of it. Keys of `Line.evidence`."""
    at = message["last_at"]
    when = hour(datetime.fromisoformat(at)) if at else ""
    if message["last_state"]:
        text = labels.DELIVERY_STATES.get(message["last_state"], message["last_state"])
        words = f": “{message['last_words']}”" if message["last_words"] else ""
        return f"{when} {text}{words}".strip()
    if not at:
        return gettext("không có bản tin")
    return gettext("{at} do {sender} gửi").format(at=when, sender=message["sender"])


def outcome(done: Any) -> str:
    """What a resend came to, in dossiers."""
    told = (
        (done.replayed, gettext("{n} hồ sơ có bản tin lỗi được đưa gửi lại")),
        (done.again, gettext("{n} hồ sơ Cổng đã nhận mà không hiện được đưa gửi lại")),
        (done.first, gettext("{n} hồ sơ đang chờ được đưa lên trước")),
        (done.equal, gettext("{n} hồ sơ không có gì để gửi")),
        (done.not_ours, gettext("{n} hồ sơ do phần mềm khác gửi: lập phiếu xử lý cho nơi đó")),
    )
    return "; ".join(text.format(n=labels.number(count)) for count, text in told if count) + "."


def messages(count: int) -> str:
    """1.204 bản tin."""
    return ngettext("{n} bản tin", "{n} bản tin", count).format(n=labels.number(count))


def alert(kind: str, subject: str, facts: Mapping[str, Any]) -> str:
    """An alert in a sentence."""
    match kind:
        case "breaker_open":
            answered = facts.get("answered_at")
            at = hour(datetime.fromisoformat(answered) if answered else None)
            return gettext("Cổng DVCQG chưa trả lời (gần nhất {at}). Không mất gì, bản tin chờ sẽ tự gửi lại.").format(
                at=at
            )
        case "oldest_waiting":
            return gettext("Bản tin cũ nhất đã chờ {age}; đang chờ {n}.").format(
                age=age(facts["age_s"]), n=messages(facts["count"])
            )
        case "dead_letters":
            return gettext("{n} bị Cổng từ chối: “{words}”.").format(n=messages(facts["count"]), words=subject)
        case "silent_sender":
            return gettext("{sender} im lặng {age} (thường {n} bản tin/giờ làm việc).").format(
                sender=facts["name"] or subject, age=age(facts["silence_s"]), n=rate(facts["usual_per_hour"])
            )
        case "silent_job":
            return gettext("Việc nền “{job}” chưa chạy lại; xem motcua doctor.").format(job=subject)
        case _:
            return gettext("Phiếu xử lý số {number} đã quá hạn, còn {n} chưa khớp.").format(
                number=subject, n=labels.dossiers(facts["left"])
            )


def rate(per_hour: float | None) -> str:
    """20 or 1,5."""
    if per_hour is None:
        return "?"
    text = labels.number(round(per_hour)) if per_hour >= 10 else f"{per_hour:.1f}"
    return text if labels.english() or per_hour >= 10 else text.replace(".", ",")
