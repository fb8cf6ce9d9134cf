"""One account: who it is, posts by date, and what an administrator does with them. Each act says first what it does."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from motcua.accounts import factors, invitations, people, posts, powers, roster, sessions
from motcua.accounts.models import Post, User
from motcua.accounts.people import Within
from motcua.accounts.refusals import Refusal
from motcua.catalogue.models import Agency
from motcua.dossiers.models import DossierRow
from motcua.ledger.models import Change
from motcua.rules.instants import local_day
from motcua.web import labels
from motcua.web.console.pages import page
from motcua.web.people import letters, managed, own, titles, words

_CHANGES = 30  # changes shown of an account
#: Acts that ask first: what they take away comes back only by another act.
_ASKS = ("end", "move", "lock", "factors")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@managed.administered
def account(request: HttpRequest, number: int) -> HttpResponseBase:
    """The page of one account."""
    on = local_day(timezone.now())
    allowed = managed.within(request, on=on)
    person = people.of(allowed, on=on).filter(pk=number).prefetch_related("posts__stands_in_for__user").first()
    if person is None:
        raise Http404
    if request.method != "POST":
        return _shown(request, person, allowed)
    act = request.POST.get("act", "")
    try:
        if act in _ASKS and not request.POST.get("sure"):
            return _asked(request, person, act, allowed, on=on)
        answer = _act(request, person, act, allowed)
    except Refusal as refused:
        return _shown(request, person, allowed, error=words.refusal(refused), at=act)
    return answer or redirect("account", number)


def _shown(request: HttpRequest, person: User, allowed: Within, *, error: str = "", at: str = "",
           link: tuple[str, str] | None = None) -> HttpResponse:  # fmt: skip
    now = timezone.now()
    on = local_day(now)
    held = [post for post in person.posts.all() if allowed is None or post.agency in allowed]
    current = [post for post in held if not (post.valid_to and post.valid_to < on)]
    return page(
        request, "people/account.html",
        {
            "person": person, "error": error, "error_at": at, "link": link, "whole": allowed is None,
            "yours": people.is_yours(person, within=allowed, on=on), "typed": request.POST,
            "current": titles.rows(sorted(current, key=lambda post: powers.RANK.index(post.role))),
            "past": titles.rows(post for post in held if post.valid_to and post.valid_to < on),
            "elsewhere": person.posts.count() > len(held), "today": on, "tomorrow": on + timedelta(days=1),
            "colleagues": _colleagues(person, {post.agency for post in current}, on=on),
            "units": managed.agencies(None, on=on), "own_units": managed.agencies(allowed, on=on),
            "roles": _roles(allowed), "unit_roles": _roles(frozenset()),
            "factors": own.factor_rows(person), "places": sessions.of(person, at=now),
            "active": person.activated_at is not None or person.has_usable_password(),
            "by_mail": letters.possible() and person.email, "days": invitations.DAYS,
            "myself": person.pk == request.user.pk,
            "changes": [_change(row) for row in Change.objects.filter(
                table__in=("accounts_user", "accounts_factor", "accounts_invitation"), key=person.username
            ).order_by("-pk")[:_CHANGES]],
        },
        status=400 if error else 200,
    )  # fmt: skip


def _roles(allowed: Within) -> list[tuple[str, str]]:
    chosen = powers.RANK if allowed is None else sorted(powers.OF_A_UNIT, key=powers.RANK.index)
    return [(role, labels.ROLES[role]) for role in chosen]


def _colleagues(person: User, units: set[str], *, on: date) -> list[tuple[int, str]]:
    """Who can stand in: those who hold a post of the same units today."""
    found = User.objects.filter(
        Q(posts__valid_to=None) | Q(posts__valid_to__gte=on), posts__agency__in=units, posts__proposed=False,
        posts__stands_in_for=None, is_active=True,
    ).exclude(pk=person.pk)  # fmt: skip
    return [(one.pk, one.full_name or one.username) for one in found.distinct().order_by("full_name", "pk")]


def _change(row: Change) -> dict[str, Any]:
    """A change of the audit in words, as far as they go."""
    return {"at": row.at, "by": row.actor, "lines": list(_difference(row.before or {}, row.after or {}))}


def _difference(before: dict[str, Any], after: dict[str, Any]) -> Any:
    gone = [post for post in before.get("posts", []) if post not in after.get("posts", [])]
    come = [post for post in after.get("posts", []) if post not in before.get("posts", [])]
    yield from (f"− {_told(post)}" for post in gone)
    yield from (f"+ {_told(post)}" for post in come)
    said = {
        "full_name": gettext("họ tên"), "email": gettext("email"), "active": gettext("được đăng nhập"),
        "password": gettext("mật khẩu đặt lại"), "invited": gettext("cấp mã kích hoạt"),
        "corrected": gettext("sửa thông tin"), "added": gettext("thêm lớp xác thực"),
        "recovery codes": gettext("cấp mã dự phòng"), "recovery code": gettext("dùng mã dự phòng"),
        "kinds": gettext("đặt lại xác thực hai lớp"), "kind": gettext("bỏ một lớp xác thực"),
        "signed out": gettext("đăng xuất"), "activated": gettext("kích hoạt qua tài khoản chung"),
    }  # fmt: skip
    for name, text in said.items():
        if name in ("full_name", "email") and before and before.get(name) != after.get(name) and after:
            yield f"{text}: {before.get(name, '')} → {after.get(name, '')}"
        elif name == "active" and before.get(name) != after.get(name) and name in after and before:
            yield gettext("mở khóa") if after[name] else gettext("khóa")
        elif name not in ("full_name", "email", "active") and (name in after or name in before):
            yield text
    if not before and "posts" in after:
        yield gettext("lập tài khoản")


def _told(text: str) -> str:
    """A post as the audit keeps it (`officer H99.101 2026-01-01..`), in words."""
    role, _, rest = text.partition(" ")
    return f"{labels.ROLES.get(role, role)} {rest}".strip()


# ---- acts -------------------------------------------------------------------------------------------------------


def _post_of(request: HttpRequest, person: User) -> Post:
    post = person.posts.select_related("user", "stands_in_for").filter(pk=_number(request, "post")).first()
    if post is None:
        raise Http404
    return post


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdigit() else 0


def _day(request: HttpRequest, name: str) -> date:
    found = roster.day_of(request.POST.get(name, ""))
    if found is None:
        raise Refusal("post.days")
    return found


def _someone(request: HttpRequest, name: str) -> User | None:
    return User.objects.filter(pk=_number(request, name)).first() if request.POST.get(name) else None


def _asked(request: HttpRequest, person: User, act: str, allowed: Within, *, on: date) -> HttpResponse:
    """What the act will do, before it does it."""
    name = person.full_name or person.username
    lines: list[str] = []
    if act in ("end", "move"):
        post = _post_of(request, person)
        title = titles.title(post)
        first = _day(request, "first") if act == "move" else _day(request, "last") + timedelta(days=1)
        until = f"{first - timedelta(days=1):%d/%m/%Y}"
        lines.append(
            gettext("{name} giữ chức danh “{title}” đến hết ngày {day}; sau ngày đó không còn quyền của chức danh này.")
            .format(name=name, title=title, day=until)
        )  # fmt: skip
        if act == "move":
            unit = Agency.objects.filter(code=request.POST.get("unit", "")).first()
            if unit is None:
                raise Refusal("post.unit_unknown", agency=request.POST.get("unit", ""))
            there = f"{labels.ROLES.get(request.POST.get('role', ''), '')}, {unit.name}"
            lines.append(gettext("Từ {day}: “{title}”.").format(day=f"{first:%d/%m/%Y}", title=there))
            if allowed is not None and unit.code not in allowed:
                lines.append(gettext("Quyền ở đơn vị mới có sau khi quản trị của đơn vị đó bấm “Nhận”."))
        deputies = post.deputies.filter(Q(valid_to=None) | Q(valid_to__gte=first)).select_related("user")
        lines += [
            gettext("Việc ủy quyền cho {name} cũng kết thúc.").format(name=one.user.full_name or one.user.username)
            for one in deputies
        ]
        open_ = open_work(person, post.agency)
        successor = _someone(request, "successor")
        if successor is not None:
            lines.append(
                gettext("Việc đang mở ({n} hồ sơ) sang {name} từ {day}.")
                .format(n=open_, name=successor.full_name or successor.username, day=f"{first:%d/%m/%Y}")
            )  # fmt: skip
        elif open_:
            lines.append(gettext("Còn {n} hồ sơ đang mở: lãnh đạo đơn vị phân công lại.").format(n=open_))
        lines.append(gettext("Việc đã làm vẫn ghi theo chức danh lúc làm."))
    elif act == "lock":
        lines.append(gettext("{name} không đăng nhập được nữa, mọi phiên đang mở kết thúc. Mở lại lúc nào cũng được.")
                     .format(name=name))  # fmt: skip
    else:
        lines.append(gettext("{name} phải đặt lại xác thực hai lớp ở lần đăng nhập tới; mã dự phòng cũ hết hiệu lực.")
                     .format(name=name))  # fmt: skip
    kept = [(key, value) for key, value in request.POST.items() if key != "csrfmiddlewaretoken"]
    named = {"end": gettext("Kết thúc chức danh"), "move": gettext("Chuyển đơn vị"), "lock": gettext("Khóa tài khoản"),
              "factors": gettext("Đặt lại xác thực hai lớp")}  # fmt: skip
    return page(request, "people/confirm.html", {"title": named[act], "lines": lines, "kept": kept, "person": person})


def open_work(person: User, agency: str) -> int:
    """How many open dossiers of a unit are in a person's hands."""
    return DossierRow.objects.filter(
        agency=agency, ended_at=None, holder__in=[person.username, person.full_name or person.username]
    ).count()


def _act(request: HttpRequest, person: User, act: str, allowed: Within) -> HttpResponse | None:
    """Does what was asked. Raises `Refusal`."""
    now, by = timezone.now(), request.user.get_username()
    assert isinstance(request.user, User)
    name = person.full_name or person.username
    match act:
        case "correct":
            people.correct(
                person, full_name=request.POST.get("full_name", ""), email=request.POST.get("email", ""),
                phone=request.POST.get("phone", ""), national_id=request.POST.get("national_id") or None, by=by,
                at=now, within=allowed,
            )  # fmt: skip
            said = gettext("Đã lưu.")
        case "give":
            posts.give(
                person=person, role=request.POST.get("role", ""), agency=request.POST.get("unit", ""),
                first=_day(request, "first"), last=roster.day_of(request.POST.get("last", "")), by=by, at=now,
                within=allowed,
            )  # fmt: skip
            said = gettext("Đã thêm chức danh.")
        case "end":
            posts.end(
                post=_post_of(request, person), last=_day(request, "last"), by=by, at=now, within=allowed,
                own=request.user, successor=_someone(request, "successor"),
            )  # fmt: skip
            said = gettext("Đã ghi ngày kết thúc.")
        case "keep":
            posts.keep(post=_post_of(request, person), by=by, at=now, within=allowed)
            said = gettext("Đã bỏ ngày kết thúc.")
        case "move":
            there = posts.move(
                post=_post_of(request, person), agency=request.POST.get("unit", ""), role=request.POST.get("role", ""),
                first=_day(request, "first"), by=by, at=now, within=allowed, successor=_someone(request, "successor"),
            )  # fmt: skip
            said = (
                gettext("Đã chuyển; chờ đơn vị mới bấm nhận {name}.").format(name=name)
                if there.proposed
                else gettext("Đã chuyển.")
            )
        case "substitute":
            deputy = _someone(request, "deputy")
            if deputy is None:
                raise Refusal("deputy.not_of_the_unit")
            posts.substitute(
                post=_post_of(request, person), deputy=deputy, first=_day(request, "first"),
                last=_day(request, "last"), by=by, at=now, within=allowed,
            )  # fmt: skip
            said = gettext("Đã ủy quyền cho {name}.").format(name=deputy.full_name or deputy.username)
        case "lock" | "unlock":
            people.set_active(person, act == "unlock", by=by, at=now, within=allowed)
            if act == "lock":
                sessions.end(person, by=by, at=now)
            said = gettext("Đã mở khóa.") if act == "unlock" else gettext("Đã khóa.")
        case "factors":
            factors.reset(person, by=by, at=now, within=allowed)
            sessions.end(person, by=by, at=now)
            said = gettext("Đã đặt lại xác thực hai lớp.")
        case "sign_out":
            people.must_be_yours(person, within=allowed, on=local_day(now))
            n = sessions.end(person, by=by, at=now, but=request.session.session_key or "")
            said = gettext("Đã đăng xuất ở {n} nơi.").format(n=n)
        case "link":
            ((_, code, expires),) = invitations.issue([person], by=by, at=now, within=allowed)
            link = request.build_absolute_uri(reverse("activation-link", args=[code]))
            return _shown(request, person, allowed, link=(link, labels.instant(expires.isoformat())))
        case _:
            return None
    messages.success(request, said)
    return None


@require_http_methods(["GET", "HEAD", "POST"])
@managed.administered
def new(request: HttpRequest) -> HttpResponse:
    """One person more."""
    now = timezone.now()
    on = local_day(now)
    allowed = managed.within(request, on=on)
    error = ""
    if request.method == "POST":
        try:
            person = _made(request, allowed)
        except Refusal as refused:
            error = words.refusal(refused)
        else:
            messages.success(request, gettext("Đã lập tài khoản. Cấp phiếu hoặc link để người này đặt mật khẩu."))
            return redirect("account", person.pk)
    return page(
        request, "people/new.html",
        {"error": error, "typed": request.POST, "units": managed.agencies(allowed, on=on), "roles": _roles(allowed),
         "today": on, "whole": allowed is None},
        status=400 if error else 200,
    )  # fmt: skip


def _made(request: HttpRequest, allowed: Within) -> User:
    """The account with its post: both or neither. Raises `Refusal`."""
    now, by = timezone.now(), request.user.get_username()
    given = request.POST.get
    with transaction.atomic():
        posts.may_be_given(given("role", ""), given("unit", ""), within=allowed)
        person = people.add(
            full_name=given("full_name", ""), email=given("email", ""), phone=given("phone", ""), by=by, at=now,
            username=given("username", ""), national_id=given("national_id", ""),
        )  # fmt: skip
        posts.give(
            person=person, role=given("role", ""), agency=given("unit", ""), first=_day(request, "first"), by=by,
            at=now, within=allowed,
        )  # fmt: skip
    return person
