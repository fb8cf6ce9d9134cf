"""Many answers at once by Excel: a sheet with drop-downs to fill in, and what would become of it before it is kept."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.signing import BadSignature, Signer
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from motcua.catalogue.models import Agency
from motcua.catalogue.sheets import Workbook
from motcua.findings import answers, files
from motcua.findings.answers import Preview
from motcua.findings.models import Finding, Request
from motcua.inspection.life import ASKED
from motcua.rules.instants import VIET_NAM, Unreadable
from motcua.web import labels
from motcua.web.console import workbooks
from motcua.web.console.pages import page
from motcua.web.findings import words
from motcua.web.findings.requests import in_sight
from motcua.web.findings.viewer import Viewer, sensible, told

#: The row of the keys (hidden) and the first of the data, counted from zero.
_KEYS_ROW, _HEAD_ROW = 4, 3
_SHOWN_REFUSED = 200


@require_GET
def download(request: HttpRequest, number: int) -> FileResponse:
    """The request as a sheet to fill in: what is asked, and empty columns with drop-downs and hints."""
    viewer = Viewer.of(request)
    head, rows = in_sight(viewer, number)
    asked = rows.filter(state__in=[str(state) for state in ASKED]).order_by("pk")
    stream = sheet(head, list(asked), author=str(request.user), now=viewer.now)
    return FileResponse(
        stream, as_attachment=True, filename=workbooks.name(f"giai-trinh-{number}", viewer.now, "xlsx")
    )  # fmt: skip


def sheet(head: Request, rows: list[Finding], *, author: str, now: datetime) -> io.BytesIO:
    """The workbook, with drop-downs that Excel and LibreOffice both show."""
    stream = io.BytesIO()
    book = Workbook(stream)
    book.set_properties({"author": author, "title": gettext("Yêu cầu giải trình số {n}").format(n=head.pk)})
    page_ = book.add_worksheet(gettext("Trả lời"))
    look = {"font_name": "Times New Roman", "font_size": 12, "valign": "top"}
    bold = book.add_format({**look, "bold": True, "font_size": 14})
    plain = book.add_format({**look, "italic": True})
    heading = book.add_format({**look, "bold": True, "text_wrap": True, "border": 1, "bg_color": "#DCE9F7"})
    asked = book.add_format({**look, "bold": True, "text_wrap": True, "border": 1, "bg_color": "#FFF1D6"})
    told_ = book.add_format({**look, "text_wrap": True, "border": 1})
    free = book.add_format({**look, "text_wrap": True, "border": 1, "bg_color": "#FFFDF5", "locked": False})
    day = book.add_format({**look, "border": 1, "bg_color": "#FFFDF5", "locked": False, "num_format": "dd/mm/yyyy"})
    agency = Agency.objects.filter(code=head.agency).values_list("name", flat=True).first() or head.agency
    page_.write(0, 0, gettext("YÊU CẦU GIẢI TRÌNH SỐ {n} · {agency}").format(n=head.pk, agency=agency), bold)
    due = labels.instant(head.due_at)
    page_.write(1, 0, gettext("Hạn {due}; {n} hồ sơ. Chỉ điền các cột vàng; giữ nguyên cột “Số”. Tải lên lại bao nhiêu "
                              "lần cũng được.").format(due=due, n=len(rows)), plain)  # fmt: skip
    columns = [
        ("finding", gettext("Số"), 8, heading), ("dossier", gettext("Hồ sơ"), 28, heading),
        ("", gettext("Dấu hiệu"), 30, heading), ("", gettext("Dữ liệu của đoàn"), 48, heading),
        ("reason", gettext("Trả lời ▾"), 20, asked), ("text", gettext("Nội dung giải trình"), 46, asked),
        ("number", gettext("Số văn bản chứng cứ"), 18, asked), ("dated_on", gettext("Ngày văn bản"), 13, asked),
        ("remedy", gettext("Khắc phục"), 34, asked), ("remedy_on", gettext("Hạn khắc phục"), 13, asked),
    ]  # fmt: skip
    for n, (key, title, width, form) in enumerate(columns):
        page_.set_column(n, n, width)
        page_.write(_HEAD_ROW, n, title, form)
        page_.write(_KEYS_ROW, n, key)
    page_.set_row(_KEYS_ROW, None, None, {"hidden": True})
    first, last = _KEYS_ROW + 1, _KEYS_ROW + max(len(rows), 1)
    for n, row in enumerate(rows, first):
        answer = row.answer
        page_.write_number(n, 0, row.pk, told_)
        page_.write_string(n, 1, row.subject, told_)
        page_.write_string(n, 2, words.title(row.check_code), told_)
        page_.write_string(n, 3, "; ".join(f"{name}: {fact}" for name, fact in words.main(row)), told_)
        page_.write_string(n, 4, words.REASONS.get(answer.get("reason", ""), ""), free)
        for column, key in ((5, "text"), (6, "number"), (8, "remedy")):
            page_.write_string(n, column, str(answer.get(key, "")), free)
        for column, key in ((7, "dated_on"), (9, "remedy_on")):
            if answer.get(key):
                page_.write_datetime(n, column, datetime.fromisoformat(answer[key]), day)
            else:
                page_.write_blank(n, column, None, day)
    page_.data_validation(first, 4, last, 4, {
        "validate": "list", "source": list(words.REASONS.values()),
        "input_title": gettext("Trả lời"), "input_message": gettext("Chọn một trong bốn cách trả lời."),
        "error_title": gettext("Chưa đúng"), "error_message": gettext("Chọn trong danh sách."),
    })  # fmt: skip
    for column in (7, 9):
        page_.data_validation(first, column, last, column, {
            "validate": "date", "criteria": ">", "value": datetime(2000, 1, 1),  # noqa: DTZ001 - a sheet has no zone
            "error_title": gettext("Chưa đúng"), "error_message": gettext("Ghi ngày dạng 31/12/2026."),
        })  # fmt: skip
    page_.freeze_panes(_KEYS_ROW + 1, 2)
    page_.protect("", {"format_columns": True, "format_rows": True, "autofilter": True, "sort": True})
    page_.set_landscape()
    page_.set_paper(9)
    page_.fit_to_pages(1, 0)
    page_.repeat_rows(_HEAD_ROW)
    page_.set_footer(f"&L{labels.instant(now)} · {author}&R&P/&N")
    book.close()
    stream.seek(0)
    return stream


@require_POST
@sensible
def upload(request: HttpRequest, number: int) -> HttpResponseBase:
    """A filled sheet: first what would become of each row, then, on a second word, the drafts."""
    viewer = Viewer.of(request)
    head, rows = in_sight(viewer, number)
    signer = Signer(salt=f"answers-{number}")
    try:
        if request.FILES.get("file") is not None:
            upload_: Any = request.FILES["file"]
            if (upload_.size or 0) > files.MOST_BYTES:
                raise Unreadable("too_big")
            kept = files.keep(settings.HOME, upload_.read())
            digest = kept.digest
        else:
            digest = signer.unsign(request.POST.get("kept", ""))
        lines = answers.read(files.read(settings.HOME, digest), words.reasons())
    except BadSignature:
        raise Unreadable(gettext("Chọn tệp rồi nộp lại.")) from None
    except Unreadable as error:
        told(request, error, {**words.FILE_FAULTS, **words.BOOK_FAULTS})
        return redirect("request", number)
    row = rows.order_by("pk").first()
    by = viewer.person(row, "drafted")
    preview = answers.look(lines, rows, by=by, at=viewer.now)
    if request.POST.get("refused"):
        return _refused(preview, head, str(request.user), viewer.now)
    if request.POST.get("sure") == str(len(preview.taken)):
        done = answers.keep(preview.taken, by=by, at=viewer.now)
        text = gettext("Đã ghi {n} trả lời vào bản soạn.").format(n=labels.number(len(done.done)))
        if preview.unchanged:
            text += " " + gettext("{n} dòng không đổi.").format(n=labels.number(preview.unchanged))
        if preview.refused or done.refused:
            text += " " + gettext("{n} dòng không nhận.").format(
                n=labels.number(len(preview.refused) + len(done.refused))
            )
        messages.success(request, text)
        return redirect("request", number)
    return _preview(request, head, preview, signer.sign(digest), len(lines))


def _preview(request: HttpRequest, head: Request, preview: Preview, kept: str, rows: int) -> HttpResponse:
    return page(
        request,
        "findings/preview.html",
        {
            "request_row": head, "preview": preview, "kept": kept, "rows": rows,
            "taken": [
                {"line": line, "reason": words.REASONS.get(line.answer.get("reason", ""), "")}
                for line in preview.taken[:_SHOWN_REFUSED]
            ],
            "refused": [(line, words.fault(code)) for line, code in preview.refused[:_SHOWN_REFUSED]],
        },
    )  # fmt: skip


def _refused(preview: Preview, head: Request, author: str, now: datetime) -> FileResponse:
    """The rows that were not taken, each with the reason."""
    columns: list[workbooks.Column] = [
        (gettext("Dòng"), 8, lambda one: one["line"].row),
        (gettext("Vì sao không nhận"), 44, lambda one: one["why"]),
        (gettext("Số"), 8, lambda one: one["line"].finding or ""),
        (gettext("Hồ sơ"), 28, lambda one: one["line"].dossier),
        (gettext("Trả lời"), 20, lambda one: one["line"].answer.get("reason", "")),
        (gettext("Nội dung giải trình"), 50, lambda one: one["line"].answer.get("text", "")),
    ]
    rows: list[dict[str, Any]] = [{"line": line, "why": words.fault(code)} for line, code in preview.refused]
    stream = workbooks.table(
        columns, rows, sheet=gettext("Dòng không nhận"),
        title=gettext("Yêu cầu giải trình số {n}: dòng không nhận").format(n=head.pk),
        line=gettext("{n} dòng; {at}").format(n=len(rows), at=labels.instant(now.astimezone(VIET_NAM))), author=author,
    )  # fmt: skip
    return FileResponse(
        stream, as_attachment=True, filename=workbooks.name(f"khong-nhan-{head.pk}", now, "xlsx")
    )  # fmt: skip
