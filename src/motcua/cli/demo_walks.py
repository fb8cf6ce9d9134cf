"""Where each walk through the demo begins: who signs in, which page, and what to look for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from motcua.cli import demo_people


class Walk(NamedTuple):
    """A walk: its number, the account, the page by the name of its address, and the task. `how`: a planted fault whose
    dossier is where it ends."""

    number: int
    name: str
    page: str
    task: str
    how: str = ""
    lived: str = ""  # what of the lived-in house its page shows


WALKS = (
    Walk(1, "vanhanh", "loading", "nạp hai danh sách Excel, xem đối chiếu, thu hồi một lần nạp"),
    Walk(5, "thanhtra", "paste", "dán danh sách mã của một công văn", "update_not_sent"),
    Walk(6, "thanhtra", "bridge", "ô đầu trang → thanh → danh sách → hồ sơ", "late_entry"),
    Walk(7, "daumoi", "request", "trả lời yêu cầu giải trình của phường", lived="request"),
    Walk(8, "thanhtra", "round", "cùng thanhtra2: chọn mẫu, giải trình, kết luận hai người", lived="round"),
    Walk(9, "vanhanh", "sync", "dừng rồi chạy lại máy chủ mô phỏng, xem gì đang chờ", "update_refused"),
    Walk(10, "lanhdao", "leader", "mở trên điện thoại 360 điểm, giao một nhiệm vụ"),
    Walk(12, "quantriphuong", "accounts", "nạp sáu người, chuyển một, kết thúc một, ủy quyền"),
)


def told(planted: Sequence[dict[str, Any]], lived: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The walks that this house has pages and people for, as the demo's document holds them."""
    from django.urls import NoReverseMatch, reverse

    names = {row["name"] for row in demo_people.told()}
    found = []
    for walk in WALKS:
        number = lived.get(walk.lived)
        if walk.lived and number is None:
            continue
        try:
            page = reverse(walk.page, args=[number] if walk.lived else [])
        except NoReverseMatch:
            continue
        if walk.name in names:
            dossier = next((fault["dossier"] for fault in planted if walk.how and fault["how"] == walk.how), "")
            if walk.page == "request" and number is not None:
                dossier = _first_asked(number)
            found.append({"walk": walk.number, "name": walk.name, "page": page, "dossier": dossier, "task": walk.task})
    return found


def _first_asked(request: int) -> str:
    """The first dossier that a request asks about."""
    from motcua.findings.models import Finding

    rows = Finding.objects.filter(request=request).order_by("-rank", "pk")
    return rows.values_list("subject", flat=True).first() or ""


def lines(walks: Sequence[dict[str, Any]]) -> list[str]:
    """The walks as the terminal shows them."""
    return [
        f"    {row['walk']:>2}. {row['name']:<15}{row['page']:<18}{row['task']}"
        + (f" · hồ sơ {row['dossier']}" if row["dossier"] else "")
        for row in walks
    ]
