"""Accounts from a list: the template, the look before, the refused rows back, then all of it or nothing."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from motcua.accounts import powers, roster
from motcua.accounts.models import Roster
from motcua.accounts.people import Within
from motcua.accounts.refusals import Refusal
from motcua.accounts.roster import Told
from motcua.catalogue import names
from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency
from motcua.catalogue.sheets import Workbook
from motcua.dossiers.importing import grids, guess
from motcua.rules.instants import Unreadable, local_day
from motcua.web import labels
from motcua.web.console import workbooks
from motcua.web.console.pages import page
from motcua.web.people import managed, words
from motcua.web.people.unit import download

_LARGEST = 5 * 1024 * 1024
_SHOWN = 300  # rows on the page
_ROWS = 500  # rows of the template that have drop-downs
_COLUMNS = ("full_name", "email", "phone", "unit", "role", "national_id", "first", "last")
_WIDTHS = (28, 30, 15, 44, 30, 16, 12, 12)


def resolver() -> Callable[[str], str]:
    """A unit's code from its name or code, abbreviations and slips of the pen included; empty: nobody knows."""
    known = names.resolver()
    plain = {guess.plain_name(name): code for code, name in Agency.objects.values_list("code", "name")}

    def resolve(text: str) -> str:
        code, _, rest = text.partition(" – ")  # as the template's list writes it
        return known(text) or (known(code) if rest else "") or guess.nearest(text, plain)

    return resolve


@require_GET
@managed.administered
def template(request: HttpRequest) -> HttpResponse:
    """An empty list with drop-downs of roles and units."""
    now = timezone.now()
    allowed = managed.within(request, on=local_day(now))
    return download(blank(allowed, managed.agencies(allowed, on=local_day(now))), "mau-tai-khoan.xlsx")


def blank(allowed: Within, units: Sequence[tuple[str, str]]) -> io.BytesIO:
    """The template: headings, drop-downs, and beside it the units and what to know."""
    stream = io.BytesIO()
    book = Workbook(stream, {"in_memory": True, "strings_to_formulas": False})
    head = book.add_format({"bold": True, "text_wrap": True, "border": 1, "bg_color": "#EEF0F3", "valign": "vcenter"})
    must = book.add_format({"bold": True, "text_wrap": True, "border": 1, "bg_color": "#DCE9F7", "valign": "vcenter"})
    text, day = book.add_format({"num_format": "@"}), book.add_format({"num_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet(gettext("Tài khoản"))
    lists = book.add_worksheet(gettext("Đơn vị"))
    about = book.add_worksheet(gettext("Cách điền"))
    roles = [labels.ROLES[role] for role in powers.RANK if allowed is None or role in powers.OF_A_UNIT]
    for column, (name, width) in enumerate(zip(_COLUMNS, _WIDTHS, strict=True)):
        needed = name in ("full_name", "email", "unit", "role")
        sheet.write_string(0, column, words.COLUMNS[name] + (" *" if needed else ""), must if needed else head)
        sheet.set_column(column, column, width, day if name in ("first", "last") else text)
    sheet.freeze_panes(1, 1)
    lists.set_column(0, 0, 60)
    lists.write_string(0, 0, words.COLUMNS["unit"], head)
    for line, (code, name) in enumerate(units, 1):
        lists.write_string(line, 0, f"{code} – {name}")
    lists.write_string(0, 2, words.COLUMNS["role"], head)
    for line, title in enumerate(roles, 1):
        lists.write_string(line, 2, title)
    lists.set_column(2, 2, 34)
    wrong = {"error_title": gettext("Chưa có trong danh sách"), "error_type": "warning",
             "error_message": gettext("Chọn trong danh sách, hoặc ghi tên đơn vị để hệ thống đoán.")}  # fmt: skip
    unit, role = _COLUMNS.index("unit"), _COLUMNS.index("role")
    if units:
        sheet.data_validation(1, unit, _ROWS, unit, {
            "validate": "list", "source": f"='{lists.get_name()}'!$A$2:$A${len(units) + 1}", **wrong})  # fmt: skip
    sheet.data_validation(1, role, _ROWS, role, {
        "validate": "list", "source": f"='{lists.get_name()}'!$C$2:$C${len(roles) + 1}", **wrong})  # fmt: skip
    about.set_column(0, 0, 110)
    for line, said in enumerate(_how()):
        about.write_string(line, 0, said)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    book.close()
    stream.seek(0)
    return stream


def _how() -> Sequence[str]:
    return (
        gettext("Mỗi dòng một chức danh. Người có hai chức danh: hai dòng, cùng email."),
        gettext("Cột có dấu * phải điền. Đơn vị và vai trò chọn trong danh sách thả xuống."),
        gettext("Email công vụ nhận ra từng người: nạp lại cùng danh sách không đổi gì."),
        gettext("Số định danh chỉ cần khi đăng nhập bằng tài khoản chung (VNConnect, SSO của tỉnh)."),
        gettext("Từ ngày để trống là từ hôm nay; đến ngày để trống là chưa định ngày thôi."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@managed.administered
def give(request: HttpRequest) -> HttpResponse:
    """Step one: the file."""
    error = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        if file is None:
            error = gettext("Chưa chọn tệp nào.")
        elif (file.size or 0) > _LARGEST:
            error = gettext("Tệp quá 5 MB: danh sách tài khoản không lớn như vậy.")
        else:
            try:
                kept = receive(str(file.name), file.read(), by=request.user.get_username())
            except Refusal as refused:
                error = words.refusal(refused)
            except Unreadable as unreadable:
                error = gettext("Không đọc được tệp: {why}").format(why=unreadable)
            else:
                return redirect("accounts-list", kept.pk)
    return page(request, "people/give.html", {"error": error}, status=400 if error else 200)


def receive(name: str, content: bytes, *, by: str) -> Roster:
    """Keeps a file's rows. Raises `Refusal` or `Unreadable`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(name).name or "list")
        path.write_bytes(content)
        return roster.receive(file=Path(name).name, rows=grids.rows(path), by=by, at=timezone.now())


@require_http_methods(["GET", "HEAD", "POST"])
@managed.administered
def look(request: HttpRequest, number: int) -> HttpResponse:
    """Step two: what each row would do, the units that nobody knows; then taken whole."""
    now = timezone.now()
    allowed = managed.within(request, on=local_day(now))
    given = _given(request, number, allowed)
    error = ""
    if request.method == "POST" and given.taken_at is None:
        if request.POST.get("act") == "take":
            try:
                _, made = roster.take(
                    given, resolve=resolver(), titles=words.titles(), within=allowed,
                    by=request.user.get_username(), at=now,
                )  # fmt: skip
            except Refusal as refused:
                error = words.refusal(refused)
            else:
                messages.success(request, gettext("Đã nạp: {n} người mới.").format(n=len(made)))
                return redirect("accounts-list", number)
        else:
            _say_units(request, given)
            return redirect("accounts-list", number)
    given.refresh_from_db()
    told = roster.judge(given, resolve=resolver(), titles=words.titles(), within=allowed, on=local_day(now))
    if given.outcome is not None:
        # After the fact every row that was taken is known; what it did then is what counts.
        counts, new = given.outcome["counts"], given.outcome["new"]
    else:
        counts, new = roster.counts(told), []
    return page(
        request, "people/look.html",
        {
            "given": given, "counts": [(verdict, words.VERDICTS[verdict], counts[verdict]) for verdict in counts],
            "refused": counts["refused"], "todo": counts["new"] + counts["post"] + counts["corrected"], "new": new,
            "rows": _rows(_in_order(told)[:_SHOWN]), "more": max(len(told) - _SHOWN, 0),
            "units": _units(told, given), "agencies": managed.agencies(allowed, on=local_day(now)), "error": error,
            "missing": [words.COLUMNS[name] for name in ("email", "unit") if name not in given.columns],
        },
        status=400 if error else 200,
    )  # fmt: skip


def _given(request: HttpRequest, number: int, allowed: Within) -> Roster:
    """A list, for who gave it, or for the province's administrator."""
    given = Roster.objects.filter(pk=number).first()
    if given is None or (allowed is not None and given.by != request.user.get_username()):
        raise Http404
    return given


def _in_order(told: Sequence[Told]) -> list[Told]:
    """The refused rows first: they want something of the reader."""
    return sorted(told, key=lambda one: (one.verdict != "refused", one.line))


def _rows(told: Sequence[Told]) -> list[dict[str, Any]]:
    known = dict(Agency.objects.filter(code__in={one.unit for one in told}).values_list("code", "name"))
    return [
        {
            "one": one, "unit": known.get(one.unit, one.unit), "role": labels.ROLES.get(one.role, ""),
            "verdict": words.VERDICTS[one.verdict], "column": words.COLUMNS.get(one.column, ""),
            "reason": words.refusal(Refusal(one.reason, **one.facts)) if one.reason else "",
        }
        for one in told
    ]  # fmt: skip


def _units(told: Sequence[Told], given: Roster) -> list[dict[str, Any]]:
    """The units' names of the file that are no unit's own name: as guessed or chosen, to be confirmed or corrected."""
    known = dict(Agency.objects.values_list("code", "name"))
    found: dict[str, dict[str, Any]] = {}
    for one in told:
        if not one.said_unit or (one.reason and one.reason != "post.unit_unknown"):
            continue
        name = known.get(one.unit, "")
        exact = fold(one.said_unit) in (fold(name), fold(one.unit), fold(f"{one.unit} – {name}")) if one.unit else False
        if not exact:
            row = found.setdefault(one.said_unit, {"said": one.said_unit, "code": one.unit, "name": name, "count": 0})
            row["count"] += 1
    return sorted(found.values(), key=lambda row: (bool(row["code"]), row["said"]))


def _say_units(request: HttpRequest, given: Roster) -> None:
    """Keeps which unit each name means; said by code, or by code and name."""
    codes = set(Agency.objects.values_list("code", flat=True))
    for said, meant in zip(request.POST.getlist("said"), request.POST.getlist("meant"), strict=False):
        code = meant.strip().partition(" ")[0]
        if code in codes:
            given.units[said] = code
        elif not meant.strip():
            given.units.pop(said, None)
    given.save(update_fields=["units"])


@require_GET
@managed.administered
def refused_workbook(request: HttpRequest, number: int) -> HttpResponse:
    """The refused rows as they came, with the reason: corrected there, the file can be loaded again."""
    now = timezone.now()
    allowed = managed.within(request, on=local_day(now))
    given = _given(request, number, allowed)
    told = roster.judge(given, resolve=resolver(), titles=words.titles(), within=allowed, on=local_day(now))
    return download(refused(given, told), workbooks.name("tu-choi", now, "xlsx"))


def refused(given: Roster, told: Sequence[Told]) -> io.BytesIO:
    """The workbook of the refused rows."""
    stream = io.BytesIO()
    book = Workbook(stream)
    head = book.add_format({"bold": True, "text_wrap": True, "border": 1, "bg_color": "#EEF0F3"})
    late = book.add_format({"text_wrap": True, "border": 1, "font_color": "#A8201A"})
    text = book.add_format({"border": 1, "num_format": "@"})
    sheet = book.add_worksheet(gettext("Từ chối"))
    for column, heading in enumerate((*given.headings, gettext("Dòng trong tệp"), gettext("Vì sao chưa nhận"))):
        sheet.write_string(0, column, heading, head)
    width = len(given.headings)
    for line, one in enumerate((one for one in told if one.verdict == "refused"), 1):
        for column in range(width):
            sheet.write_string(line, column, one.cells[column] if column < len(one.cells) else "", text)
        sheet.write_number(line, width, one.line, text)
        sheet.write_string(line, width + 1, words.refusal(Refusal(one.reason, **one.facts)), late)
    sheet.set_column(0, max(width - 1, 0), 22)
    sheet.set_column(width + 1, width + 1, 70)
    sheet.freeze_panes(1, 0)
    book.close()
    stream.seek(0)
    return stream
