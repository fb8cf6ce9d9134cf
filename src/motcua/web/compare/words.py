"""Words of the other comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from motcua.inspection.two_sides import Line
from motcua.rules.clock import Allotted
from motcua.rules.instants import Unreadable
from motcua.web import labels
from motcua.web.labels import Words

TITLES = Words(
    {
        "procedures": "Danh mục thủ tục",
        "online-services": "Dịch vụ công trực tuyến",
        "online-payment": "Thanh toán trực tuyến",
    }
)
#: What a comparison counts.
COUNTED = Words({"procedures": "thủ tục", "online-services": "dịch vụ", "online-payment": "hồ sơ"})
WHERE = Words(
    {"only_ours": "chỉ ở tỉnh", "only_there": "chỉ trên Cổng", "differs": "hai bên khác nhau", "equal": "khớp"}
)
#: The shape that goes with a side.
SHAPES = {"only_ours": "differs", "only_there": "differs", "differs": "differs", "equal": "done"}
CAUSES = Words(
    {
        "": "khớp",
        "abolished": "Cổng đã bãi bỏ hoặc thôi công khai",
        "unknown_there": "Cổng không có thủ tục này",
        "unmapped": "mã của tỉnh chưa ánh xạ sang mã quốc gia",
        "not_offered": "Cổng công khai cho cấp tỉnh, cấp xã, tỉnh không có",
        "ended_here": "tỉnh đã thôi tiếp nhận, Cổng còn công khai",
        "limit_differs": "khác thời hạn giải quyết",
        "level_differs": "khác mức độ, cấp thực hiện",
        "field_differs": "khác lĩnh vực",
        "name_differs": "khác tên",
        "not_read": "chưa lấy được nội dung từ Cổng, mới so theo mã",
        "procedure_unknown_there": "Cổng không có cả thủ tục",
        "not_online_there": "Cổng có thủ tục, không cung cấp trực tuyến",
        "procedure_unknown_here": "tỉnh không có cả thủ tục",
        "not_online_here": "tỉnh tiếp nhận, không cung cấp trực tuyến",
        "level_unstated": "một bên không nêu mức độ",
        "absent_there": "Cổng không có hồ sơ",
        "on_the_way": "bản tin đang chờ gửi",
        "refused": "Cổng từ chối bản tin cuối",
        "not_carried": "Cổng có hồ sơ, không ghi thanh toán trực tuyến",
        "paid_at_desk": "tỉnh ghi thu tại quầy",
        "unpaid_here": "tỉnh ghi chưa thanh toán",
        "no_payment_here": "tỉnh không có khoản thanh toán nào",
        "gateway_differs": "khác cổng thanh toán",
    }
)
REMEDIES = Words(
    {
        "abolished": "Ngừng tiếp nhận hoặc thay bằng thủ tục mới đã công bố.",
        "unknown_there": "Kiểm tra mã; nếu thủ tục còn hiệu lực, đề nghị công khai trên Cổng.",
        "unmapped": "Ánh xạ mã của tỉnh sang mã quốc gia.",
        "not_offered": "Bổ sung vào danh mục của tỉnh, hoặc ghi rõ không phát sinh.",
        "ended_here": "Đề nghị Cổng thôi công khai cho tỉnh, hoặc mở lại.",
        "limit_differs": "Sửa thời hạn theo quyết định công bố đang hiệu lực.",
        "level_differs": "Thống nhất theo quyết định phê duyệt danh mục.",
        "field_differs": "Sửa lĩnh vực theo Cổng.",
        "name_differs": "Sửa tên theo Cổng.",
        "not_read": "Chạy tiếp việc lấy danh mục.",
        "procedure_unknown_there": "Kiểm tra mã thủ tục trước.",
        "not_online_there": "Tích hợp dịch vụ lên Cổng.",
        "procedure_unknown_here": "Kiểm tra danh mục thủ tục của tỉnh trước.",
        "not_online_here": "Bổ sung vào danh sách dịch vụ của tỉnh, hoặc gỡ trên Cổng.",
        "level_unstated": "Ghi mức độ vào danh sách.",
        "absent_there": "Gửi hồ sơ lên Cổng.",
        "on_the_way": "Chờ lượt gửi kế tiếp.",
        "refused": "Xem bản tin lỗi, sửa rồi gửi lại.",
        "not_carried": "Gửi lại hồ sơ để Cổng ghi nhận thanh toán.",
        "paid_at_desk": "Kiểm tra chứng từ; sửa bên ghi sai.",
        "unpaid_here": "Hỏi cổng thanh toán, cập nhật khoản thu.",
        "no_payment_here": "Tìm chứng từ; lập phiếu cho phần mềm đã gửi.",
        "gateway_differs": "Sửa cổng thanh toán ở bên ghi sai.",
    }
)
VALUES = Words(
    {
        "full": "toàn trình",
        "partial": "một phần",
        "portal": "Cổng thanh toán quốc gia",
        "province": "cổng của tỉnh",
        "other": "cổng khác",
    }
)


def equation(counts: Mapping[str, Any]) -> str:
    """The two totals and what lies between them, as one sum."""
    return gettext("tỉnh {ours} − {a} chỉ ở tỉnh + {b} chỉ trên Cổng = Cổng {there}").format(
        ours=labels.number(counts["ours"]), a=labels.number(counts["only_ours"]),
        b=labels.number(counts["only_there"]), there=labels.number(counts["there"]),
    )  # fmt: skip


def side(value: str | None) -> str:
    """What a side states of a thing."""
    if value is None:
        return gettext("không có")
    return VALUES.get(value) or ", ".join(_limit(part) for part in value.split(", ")) or gettext("không nêu")


def _limit(text: str) -> str:
    """A time limit as people say it; anything else as it stands."""
    try:
        return Allotted.parse(text).words(gettext)
    except Unreadable:
        return text


def sides(kind: str, line: Line) -> str:
    """Both sides of a line."""
    return gettext("tỉnh: {ours} | Cổng: {there}").format(ours=side(line.ours), there=side(line.there))
