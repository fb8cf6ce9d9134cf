"""Who signs in to the demo: a person for each role, two where two must agree, and a neighbour who sees nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

PASSWORD = "demo-motcua"
DEPARTMENT = "H99.01"
#: In place of a code: the busiest ward of the province, so that its people have work, and the next one.
WARD, NEIGHBOUR = "ward", "neighbour"
#: Account, role, agency (empty: the whole province), name.
PEOPLE = (
    ("thanhtra", "inspector", "", "Trần Thị Mai"),
    ("thanhtra2", "inspector", "", "Lê Văn Bình"),
    ("lanhdao", "leader", "", "Phạm Minh Quang"),
    ("vanhanh", "operator", "", "Đỗ Văn Hải"),
    ("quantri", "administrator", "", "Vũ Thị Hạnh"),
    ("truongphong", "unit_head", DEPARTMENT, "Hoàng Văn Thái"),
    ("chutich", "unit_head", WARD, "Bùi Văn Sơn"),
    ("daumoi", "focal_point", WARD, "Ngô Thị Lan"),
    ("canbo", "officer", WARD, "Đặng Minh Đức"),
    ("motcua", "clerk", WARD, "Nguyễn Thị Hoa"),
    ("vanthu", "seal_clerk", WARD, "Lý Thị Ngọc"),
    ("quantriphuong", "administrator", WARD, "Phan Văn Tú"),
    ("phuongkhac", "focal_point", NEIGHBOUR, "Hồ Thị Yến"),
)


def bring_in(busiest: Sequence[str]) -> None:
    """The accounts, with the password that the demo prints. `busiest`: codes of two wards."""
    from django.utils import timezone

    from motcua.accounts import factors
    from motcua.accounts.models import Post, User

    factors.demand((), days=7, by="demo", at=timezone.now())  # an invented house holds nobody up
    places = {WARD: busiest[0], NEIGHBOUR: busiest[1]}
    for name, role, agency, full_name in PEOPLE:
        user = User.objects.create_user(name, password=PASSWORD, full_name=full_name)
        Post.objects.create(user=user, role=role, agency=places.get(agency, agency))


def ward() -> str:
    """The code of the demo's ward: where its chairman is."""
    from motcua.accounts.models import Post

    return Post.objects.get(user__username="chutich").agency


def told() -> list[dict[str, Any]]:
    """The log-ins as the demo's document holds them: account, role and its title, agency and its name."""
    from motcua.accounts.models import Post
    from motcua.catalogue.models import Agency

    posts = dict(Post.objects.order_by("-pk").values_list("user__username", "agency"))  # an older demo has fewer
    names = dict(Agency.objects.values_list("code", "name"))
    return [
        {"name": name, "full_name": full_name, "role": role, "title": Post.Role(role).label, "agency": posts[name],
         "agency_name": names.get(posts[name], "")}
        for name, role, _, full_name in PEOPLE
        if name in posts
    ]  # fmt: skip


def lines() -> list[str]:
    """The log-ins as the terminal shows them."""
    return [
        f"    {row['name']:<15}{row['title']:<28}{row['agency_name'] or 'toàn tỉnh'}  ({row['full_name']})"
        for row in told()
    ]
