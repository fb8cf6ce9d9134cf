"""The first run: an empty house is set up in the browser, step by step, and nothing is sent anywhere.

It is there only while nobody runs the house, and only for this machine or for who has the code that `motcua serve`
printed. Each step is kept at once, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from motcua.accounts import people
from motcua.accounts.refusals import Refusal
from motcua.catalogue import calendars, parts, province, settings
from motcua.catalogue.calendar_files import Definition
from motcua.rules.instants import Unreadable, local_day
from motcua.rules.workdays import OFFICE_HOURS, Hours, parse_hours
from motcua.web.console.pages import page
from motcua.web.people.words import refusal

_BY = "first run"
_OPENED = "first_run"
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


@login_not_required
@require_http_methods(["GET", "POST"])
def first_run(request: HttpRequest) -> HttpResponse:
    """The step that is next; the sign-in page where the house is run by somebody."""
    if people.is_there_an_administrator():
        return redirect("sign-in")
    now = timezone.now()
    if not _from_here(request) and not request.session.get(_OPENED):
        if request.method == "POST" and province.use_code(request.POST.get("code", ""), by=_BY, at=now):
            request.session.cycle_key()
            request.session[_OPENED] = True
            return redirect("first-run")
        wrong = request.method == "POST"
        return page(request, "first_run_code.html", {"wrong": wrong}, status=403 if wrong else 200)
    step = province.next_step() or "account"
    wanted = request.POST.get("step") or request.GET.get("step", step)
    # Steps that are done can be gone back to; those ahead cannot be jumped to.
    if wanted in province.STEPS and province.STEPS.index(wanted) <= province.STEPS.index(step):
        step = wanted
    error = ""
    if request.method == "POST":
        try:
            with transaction.atomic():
                _ACTS[step](request, now)
                province.finish_step(step, by=_BY, at=now)
        except Unreadable as refused:
            error = _words(step, str(refused))
        except Refusal as refused:
            error = gettext("Chưa tạo: {why}").format(why=refusal(refused))
        else:
            return redirect("first-lists" if step == "account" else "first-run")
    return page(request, "first_run.html", _context(request, step, error, now))


@require_GET
def first_lists(request: HttpRequest) -> HttpResponse:
    """What comes after: the first two lists, then the three tiles."""
    if not people.is_there_an_administrator():
        raise Http404
    return page(request, "first_lists.html", {"province": province.name()})


@login_not_required
@require_GET
def logo(request: HttpRequest) -> HttpResponse:
    """The province's logo."""
    kept = province.logo()
    if kept is None:
        raise Http404
    return HttpResponse(kept[0], content_type=kept[1], headers={"X-Content-Type-Options": "nosniff"})


def _from_here(request: HttpRequest) -> bool:
    """Whether the browser runs on this machine: not behind a proxy, which would make everybody look like it."""
    if any(name in request.META for name in _FORWARDED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


# ---- the steps --------------------------------------------------------------------------------------------------


def _province(request: HttpRequest, now: datetime) -> None:
    name, code = request.POST.get("name", "").strip(), request.POST.get("code", "").strip().upper()
    if not name or len(name) > 100 or not (code.startswith("H") and code[1:].isdigit() and len(code) in (3, 4)):
        raise Unreadable("province")
    settings.put("province", {"name": name, "code": code}, by=_BY, at=now)


def _logo(request: HttpRequest, now: datetime) -> None:
    given = request.FILES.get("logo")
    if given is not None:
        province.keep_logo(given.read(1024 * 1024), by=_BY, at=now)


def _hours(request: HttpRequest, now: datetime) -> None:
    morning, afternoon = ("-".join(request.POST.getlist(half)) for half in ("morning", "afternoon"))
    intervals = parse_hours(f"{morning} {afternoon}")
    before = calendars.definition("vn")
    if before is None and intervals == parse_hours(OFFICE_HOURS):
        return
    hours = tuple(Hours(weekday=weekday, intervals=intervals) for weekday in range(5))
    after = Definition(name="vn", hours=hours, days=before.days if before else ())
    calendars.put(after, instead_of=before, by=_BY, at=now)


def _holidays(request: HttpRequest, now: datetime) -> None:
    settings.put("holidays_confirmed", [local_day(now).year, local_day(now).year + 1], by=_BY, at=now)


def _parts(request: HttpRequest, now: datetime) -> None:
    parts.choose(request.POST.getlist("part"), by=_BY, at=now)


def _account(request: HttpRequest, now: datetime) -> None:
    password = request.POST.get("password", "")
    if password != request.POST.get("again", ""):
        raise Unreadable("again")
    person = people.first_administrator(
        name=request.POST.get("username", "").strip(), full_name=request.POST.get("full_name", "").strip(),
        password=password, at=now,
    )  # fmt: skip
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")


_ACTS: dict[str, Callable[[HttpRequest, datetime], None]] = {
    "province": _province, "logo": _logo, "hours": _hours, "holidays": _holidays, "parts": _parts,
    "account": _account,
}  # fmt: skip


def _words(step: str, reason: str) -> str:
    match step, reason:
        case "province", _:
            return gettext("Chưa lưu: ghi tên tỉnh, và mã gồm chữ H với hai hoặc ba chữ số (ví dụ H99).")
        case "logo", _:
            return gettext("Chưa lưu: biểu trưng là tệp PNG hoặc JPEG thật, không quá 200 kB.")
        case "hours", _:
            return gettext("Chưa lưu: giờ kết thúc phải sau giờ bắt đầu, buổi chiều sau buổi sáng.")
        case "account", "again":
            return gettext("Chưa tạo: hai lần nhập mật khẩu khác nhau.")
    return gettext("Chưa tạo: tên đăng nhập gồm chữ không dấu, số và @ . + - _, chưa ai dùng.")


def _context(request: HttpRequest, step: str, error: str, now: datetime) -> dict[str, object]:
    year = local_day(now).year
    calendar = calendars.load("vn")
    monday = next(entry for entry in reversed(calendar.hours) if entry.weekday == 0)
    kept = settings.get("province", {})
    return {
        "step": step,
        "number": province.STEPS.index(step) + 1,
        "of": len(province.STEPS),
        "steps": province.STEPS[: province.STEPS.index(province.next_step() or "account") + 1],
        "error": error,
        "name": request.POST.get("name") or kept.get("name", ""),
        "code": request.POST.get("code") or kept.get("code", ""),
        "has_logo": province.logo() is not None,
        "halves": [
            (half, *(f"{minute // 60:02}:{minute % 60:02}" for minute in interval))
            for half, interval in zip(("morning", "afternoon"), monday.intervals, strict=False)
        ],
        "days": [
            (day.day.isoformat(), day.title, day.intervals == ())
            for day in sorted(calendar.days, key=lambda day: day.day)
            if day.day.year in (year, year + 1)
        ],
        "chosen": parts.on() if step == "parts" and settings.get("parts") else parts.AT_FIRST,
        "all_parts": parts.PARTS,
        "username": request.POST.get("username", ""),
        "full_name": request.POST.get("full_name", ""),
    }
