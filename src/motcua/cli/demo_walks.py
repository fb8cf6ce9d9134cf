"""Where each walk through the demo begins: who signs in, which page, and what to look for."""

from __future__ import annotations

from collections.abc import Sequence
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


WALKS = (
    Walk(1, "vanhanh", "loading", "nạp hai danh sách Excel, xem đối chiếu, thu hồi một lần nạp"),
    Walk(5, "thanhtra", "paste", "dán danh sách mã của một công văn", "update_not_sent"),
    Walk(6, "thanhtra", "bridge", "ô đầu trang → thanh → danh sách → hồ sơ", "late_entry"),
    Walk(7, "daumoi", "requests", "trả lời yêu cầu giải trình của phường"),
    Walk(8, "thanhtra2", "rounds", "một đợt kiểm tra từ xa, kết luận hai người"),
    Walk(9, "vanhanh", "sync", "dừng rồi chạy lại máy chủ mô phỏng, xem gì đang chờ", "update_refused"),
    Walk(10, "lanhdao", "leader", "mở trên điện thoại 360 điểm, giao một nhiệm vụ"),
    Walk(12, "quantriphuong", "accounts", "nạp sáu người, chuyển một, kết thúc một, ủy quyền"),
)


def told(planted: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The walks whose pages this version has, as the demo's document holds them."""
    from django.urls import NoReverseMatch, reverse

    names = {row["name"] for row in demo_people.told()}
    found = []
    for walk in WALKS:
        try:
            page = reverse(walk.page)
        except NoReverseMatch:
            continue
        if walk.name in names:
            dossier = next((fault["dossier"] for fault in planted if walk.how and fault["how"] == walk.how), "")
            found.append({"walk": walk.number, "name": walk.name, "page": page, "dossier": dossier, "task": walk.task})
    return found


def lines(walks: Sequence[dict[str, Any]]) -> list[str]:
    """The walks as the terminal shows them."""
    return [
        f"    {row['walk']:>2}. {row['name']:<15}{row['page']:<18}{row['task']}"
        + (f" · hồ sơ {row['dossier']}" if row["dossier"] else "")
        for row in walks
    ]
