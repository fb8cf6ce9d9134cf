"""A province of three units, and people in them, in a few words."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import date

import xlsxwriter
from tests.story import at

from motcua.accounts.models import Post, User
from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency

NOW = at("2026-03-06T10:00")
TODAY = date(2026, 3, 6)
SECRET = "mot-cau-dai-de-nho"
WARD, OTHER, DEPARTMENT = "H99.101", "H99.102", "H99.01"
UNITS = {WARD: "UBND phường Mẫu", OTHER: "UBND phường Khác", DEPARTMENT: "Sở Tư pháp tỉnh Mẫu"}
HEAD = ("Họ tên", "Email công vụ", "Điện thoại", "Đơn vị", "Vai trò")


def units() -> None:
    """The three."""
    Agency.objects.bulk_create(Agency(code=code, name=name, folded=fold(name)) for code, name in UNITS.items())


def person(name: str, role: str = "", agency: str = "", *, full_name: str = "", email: str = "",
           first: date | None = None, last: date | None = None, password: str | None = None) -> User:  # fmt: skip
    """Somebody, with a post where a role is given."""
    found: User = User.objects.create_user(
        name, email=email, password=password, full_name=full_name or name, activated_at=NOW if password else None
    )
    if role:
        Post.objects.create(user=found, role=role, agency=agency, valid_from=first, valid_to=last)
    return found


def workbook(rows: Iterable[Sequence[str]], head: Sequence[str] = HEAD, *, above: Sequence[str] = ()) -> bytes:
    """A list as an office writes it: perhaps with title rows above."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet = book.add_worksheet("Danh sách")
    for line, cells in enumerate([*((title,) for title in above), head, *rows]):
        for column, text in enumerate(cells):
            sheet.write_string(line, column, text)
    book.close()
    return stream.getvalue()
