"""Words for what the room of accounts refuses and tells."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from motcua.accounts.models import Post
from motcua.accounts.refusals import Refusal
from motcua.catalogue.folding import fold
from motcua.rules.instants import VIET_NAM
from motcua.web import labels
from motcua.web.labels import Words

REFUSALS = Words(
    {
        "account.not_yours": "Tài khoản này còn chức danh ngoài đơn vị của anh/chị; nhờ quản trị tỉnh làm.",
        "account.name": "Tên đăng nhập gồm chữ không dấu, số và @ . + - _.",
        "account.name_taken": "Tên đăng nhập “{name}” đã có người dùng.",
        "account.email": "Email công vụ “{email}” không phải là địa chỉ email.",
        "account.email_taken": "Email “{email}” đã thuộc một tài khoản khác.",
        "account.full_name": "Ghi đủ họ và tên.",
        "account.national_id": "Số định danh gồm 12 chữ số.",
        "account.national_id_taken": "Số định danh này đã thuộc một tài khoản khác.",
        "account.phone": "Số điện thoại “{phone}” không gọi được: ghi 8 đến 15 chữ số.",
        "account.known": "Email “{email}” là của người khác{who}; mỗi người một email.",
        "post.role": "Chưa rõ vai trò “{role}”: chọn một vai trò trong danh sách của tệp mẫu.",
        "post.role_not_yours": "Vai trò “{role}” do quản trị tỉnh cấp.",
        "post.unit": "Ghi đơn vị: vai trò “{role}” làm việc cho một đơn vị.",
        "post.unit_unknown": "Chưa rõ đơn vị “{agency}”: chọn đơn vị đúng, hoặc nạp danh sách đơn vị trước.",
        "post.unit_not_yours": "Đơn vị {agency} không thuộc quyền quản trị của anh/chị.",
        "post.days": "Ngày chưa đúng: ghi ngày/tháng/năm, ngày cuối không trước ngày đầu.",
        "post.held": "Người này đang giữ đúng chức danh đó trong những ngày ấy.",
        "post.has_ended": "Chức danh này đã kết thúc ngày {on:%d/%m/%Y}.",
        "post.last_administrator": "Đây là quản trị tỉnh duy nhất: giao thêm một người rồi mới kết thúc được.",
        "post.your_own": "Không tự kết thúc được chức danh quản trị của mình; nhờ quản trị tỉnh.",
        "post.same": "Người này đang ở đúng đơn vị và vai trò đó.",
        "post.not_proposed": "Việc này đã được trả lời rồi; xem lại trang.",
        "deputy.same": "Không tự ủy quyền cho chính mình được.",
        "deputy.not_of_the_unit": "Người nhận phải đang giữ chức danh ở đơn vị trong suốt những ngày ấy.",
        "deputy.of_a_deputy": "Đây là chức danh được ủy quyền: không chuyển hay ủy quyền tiếp được, chỉ kết thúc.",
        "deputy.outside": "Những ngày ủy quyền phải nằm trong thời gian giữ chức danh.",
        "password.short": "Mật khẩu cần ít nhất {shortest} ký tự.",
        "password.common": "Mật khẩu này quá dễ đoán, ai cũng biết; chọn một câu dài hơn.",
        "password.digits": "Mật khẩu không được chỉ gồm chữ số.",
        "password.yours": "Mật khẩu không được ghép từ tên, email hay số điện thoại của mình.",
        "password.again": "Hai lần nhập mật khẩu khác nhau.",
        "invitation.dead": "Mã này không dùng được: đã dùng, đã thay bằng mã mới, hoặc quá hạn. Xin quản trị đơn vị"
        " cấp phiếu mới.",
        "invitation.email": "{n} người không có email công vụ: in phiếu, hoặc ghi email rồi gửi.",
        "roster.none": "Tệp {file}: không thấy dòng tiêu đề có “Họ tên” và “Vai trò”. Dùng tệp mẫu, hoặc sửa tiêu đề.",
        "roster.taken": "Danh sách này đã nạp lúc {at}.",
        "roster.nothing": "Tệp {file}: không có dòng nào dưới tiêu đề, hoặc quá {largest} dòng.",
        "factor.code": "Mã chưa đúng. Xem lại giờ trên điện thoại, rồi nhập mã đang hiện.",
        "factor.none": "Không còn lớp xác thực nào như vậy; xem lại trang.",
        "factor.key": "Trình duyệt hoặc khóa bảo mật chưa xác nhận được. Thử lại, hoặc dùng cách khác.",
        "tries.wait": "Đã thử sai nhiều lần. Chờ {minutes} phút rồi thử lại.",
    }
)
VERDICTS = Words(
    {
        "new": "người mới",
        "post": "thêm chức danh",
        "corrected": "sửa thông tin",
        "same": "đã có, không đổi",
        "refused": "từ chối",
    }
)
COLUMNS = Words(
    {
        "full_name": "Họ tên",
        "email": "Email công vụ",
        "phone": "Điện thoại",
        "unit": "Đơn vị",
        "role": "Vai trò",
        "username": "Tên đăng nhập",
        "national_id": "Số định danh",
        "first": "Từ ngày",
        "last": "Đến ngày",
    }
)
STATES = Words(
    {
        "invited": "đã cấp phiếu, chưa kích hoạt",
        "expired": "phiếu quá hạn",
        "new": "chưa cấp phiếu",
        "active": "đang dùng",
        "locked": "đã khóa",
        "ended": "đã thôi ở đơn vị",
    }
)
SIGN_ON = Words(
    {
        "stranger": "{title} không cho biết số định danh, nên chưa đăng nhập được.",
        "unknown": "Chưa có tài khoản mang số định danh này. Quản trị đơn vị ghi số định danh vào tài khoản của"
        " anh/chị trước.",
        "locked": "Tài khoản này đã khóa. Liên hệ quản trị đơn vị.",
        "cancelled": "Chưa đăng nhập: {title} cho biết việc xác thực đã hủy.",
        "stale": "Lần đăng nhập này đã quá lâu hoặc mở ở cửa sổ khác. Bấm đăng nhập lại.",
        "provider": "{title} chưa trả lời đúng, nên chưa đăng nhập được. Dùng mật khẩu, hoặc thử lại sau.",
        "off": "Chưa đăng nhập được bằng tài khoản chung: tệp cài đặt chưa đúng. Báo quản trị kỹ thuật.",
    }
)
FACTORS = Words({"app": "Ứng dụng xác thực", "key": "Khóa bảo mật"})


def refusal(refused: Refusal) -> str:
    """A refusal in words."""
    facts = dict(refused.facts)
    if "role" in facts:
        facts["role"] = labels.ROLES.get(facts["role"], facts["role"])
    if refused.code == "roster.taken":
        facts["at"] = f"{facts['at'].astimezone(VIET_NAM):%H:%M %d/%m/%Y}"
    if refused.code == "account.known":
        facts["who"] = _whose(facts)
    if refused.code == "account.email" and not facts.get("email"):
        return gettext("Ghi email công vụ, hoặc tên đăng nhập.")
    return REFUSALS[refused.code].format(**facts)


def _whose(facts: dict[str, Any]) -> str:
    if facts.get("full_name"):
        return f" ({facts['full_name']})"
    return gettext(" ở dòng {n}").format(n=facts["line"]) if facts.get("line") else ""


def titles() -> dict[str, str]:
    """Every title of a role, folded, with its code: Vietnamese, and what the reader's language has."""
    found = {fold(label): str(code) for code, label in Post.Role.choices}
    return {**found, **{fold(title): code for code, title in labels.ROLES.items()}}


def browser(text: str) -> str:
    """A browser's name and system, as far as its own words tell."""
    found = next((name for mark, name in _BROWSERS if mark in text), gettext("trình duyệt khác"))
    system = next((name for mark, name in _SYSTEMS if mark in text), "")
    return f"{found}, {system}" if system else found


_BROWSERS = (("Zalo", "Zalo"), ("Edg/", "Edge"), ("coc_coc", "Coc Coc"), ("OPR/", "Opera"), ("Firefox/", "Firefox"),
             ("Chrome/", "Chrome"), ("Safari/", "Safari"))  # fmt: skip
_SYSTEMS = (("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Mac OS", "macOS"),
            ("Linux", "Linux"))  # fmt: skip
