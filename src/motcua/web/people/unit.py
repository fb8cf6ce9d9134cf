"""Tài khoản của đơn vị: who is here, who comes, who goes; sheets and links for those who have no password yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from motcua.accounts import invitations, people, posts, powers
from motcua.accounts.models import Invitation, Post, User
from motcua.accounts.people import Within
from motcua.accounts.refusals import Refusal
from motcua.catalogue.folding import fold
from motcua.catalogue.models import Agency
from motcua.notices import sending
from motcua.rules.instants import from_microseconds, local_day
from motcua.web import labels
from motcua.web.console import workbooks
from motcua.web.console.pages import page
from motcua.web.people import letters, managed, sheets, titles, words

_SHOWN = 100  # people on a page
_AROUND = timedelta(days=30)  # comings and goings are told so long before and after
_MOVES = 12  # comings and goings on the page


@never_cache
@require_GET
@managed.administered
def accounts(request: HttpRequest) -> HttpResponse:
    """The list, with those who wait to be taken in on top."""
    now = timezone.now()
    on = local_day(now)
    allowed = managed.within(request, on=on)
    found = _chosen(request, _rows(allowed, now=now, on=on))
    start = max(int(request.GET.get("from", "0")) if request.GET.get("from", "0").isdigit() else 0, 0)
    shown = found[start : start + _SHOWN]
    kept = {name: request.GET[name] for name in ("text", "state", "role", "unit") if request.GET.get(name)}
    incoming = Post.objects.filter(proposed=True).select_related("user").order_by("valid_from", "pk")
    if allowed is not None:
        incoming = incoming.filter(agency__in=allowed)
    return page(
        request, "people/accounts.html",
        {
            "rows": shown, "total": len(found), "first": start + 1 if shown else 0, "last": start + len(shown),
            "start": f"?{urlencode(kept)}" if start else "",
            "next": f"?{urlencode({**kept, 'from': start + _SHOWN})}" if start + _SHOWN < len(found) else "",
            "kept": kept, "query": urlencode(kept), "whole": allowed is None, "where": _where(allowed),
            "moves": _moves(allowed, on=on), "incoming": titles.rows(incoming),
            "units": managed.agencies(None, on=on) if allowed is None else [],
            "roles": [(role, labels.ROLES[role]) for role in (Post.Role.values if allowed is None else
                                                              sorted(powers.OF_A_UNIT, key=powers.RANK.index))],
            "states": list(words.STATES.items()), "by_mail": letters.possible(),
        },
    )  # fmt: skip


def _moves(allowed: Within, *, on: date) -> list[dict[str, Any]]:
    """Who came, moved, stood in and left about now, and who will: the next first, then the latest."""
    near = (on - _AROUND, on + _AROUND)
    posts_ = Post.objects.filter(proposed=False).select_related("user", "stands_in_for__user")
    if allowed is not None:
        posts_ = posts_.filter(agency__in=allowed)
    begun = posts_.filter(valid_from__range=near).order_by("-valid_from", "pk")
    ended = posts_.filter(valid_to__range=near).order_by("-valid_to", "pk")
    limit = _MOVES * 2
    found: list[tuple[date, str, Post]] = [(post.valid_from or on, "from", post) for post in begun[:limit]]
    found += [(post.valid_to or on, "to", post) for post in ended[:limit]]
    found.sort(key=lambda move: (move[0], move[2].pk), reverse=True)
    titled = titles.rows(post for _, _, post in found)
    rows = [
        {"day": day, "kind": kind, "coming": day > on or (kind == "to" and day == on), **row}
        for (day, kind, _), row in zip(found, titled, strict=True)
    ]
    coming = [row for row in rows if row["coming"]][-_MOVES:]
    return [*reversed(coming), *[row for row in rows if not row["coming"]]][:_MOVES]


def _where(allowed: Within) -> str:
    if allowed is None:
        return gettext("toàn tỉnh")
    return ", ".join(Agency.objects.filter(code__in=allowed).values_list("name", flat=True)) or ", ".join(allowed)


def _rows(allowed: Within, *, now: datetime, on: date) -> list[dict[str, Any]]:
    """Everybody of these units, by name: three questions to the database, however many they are."""
    found = people.of(allowed, on=on).prefetch_related("posts__stands_in_for__user")
    expires = dict(
        Invitation.objects.filter(used_at=None, user__activated_at=None)
        .values_list("user").annotate(last=Max("expires_at")).values_list("user", "last")
    )  # fmt: skip
    names = dict(Agency.objects.values_list("code", "name"))
    posted = sending.invited(person.pk for person in found)
    rows = []
    for person in found:
        here = [post for post in person.posts.all() if allowed is None or post.agency in allowed]
        current = [post for post in here if not (post.valid_to and post.valid_to < on)]
        rows.append(
            {
                "person": person,
                "state": (state := _state(person, current, expires.get(person.pk), now)),
                "said": words.STATES[state],
                "letter": letters.state(posted.get(person.pk)) if state in ("new", "invited", "expired") else "",
                "posts": [_post(post, names, on) for post in sorted(current, key=_order)],
                "roles": {post.role for post in current},
                "units": {post.agency for post in current},
                "text": fold(f"{person.full_name} {person.username} {person.email} {person.phone}"),
                "yours": people.is_yours(person, within=allowed, on=on),
            }
        )
    return sorted(rows, key=lambda row: (row["state"] == "ended", _by_name(row["person"].full_name), row["person"].pk))


def _order(post: Any) -> tuple[int, str]:
    return powers.RANK.index(post.role), post.agency


def _by_name(full_name: str) -> tuple[str, str]:
    """Vietnamese lists go by the given name, which comes last."""
    given = full_name.split()
    return fold(given[-1]) if given else "", fold(full_name)


def _state(person: User, current: Sequence[Any], expires: int | datetime | None, now: datetime) -> str:
    if not person.is_active:
        return "locked"
    if not current:
        return "ended"
    if person.activated_at is not None or person.has_usable_password():
        return "active"
    if expires is None:
        return "new"
    return "invited" if _instant(expires) > now else "expired"


def _instant(value: Any) -> datetime:
    return from_microseconds(value) if isinstance(value, int) else value


def _post(post: Any, names: dict[str, str], on: date) -> dict[str, Any]:
    return {
        "post": post,
        "title": titles.title(post, names),
        "coming": bool(post.valid_from and post.valid_from > on),
        "proposed": post.proposed,
    }


def _chosen(request: HttpRequest, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that the address asks for."""
    text, state = fold(request.GET.get("text", "")), request.GET.get("state", "")
    role, unit = request.GET.get("role", ""), request.GET.get("unit", "")
    return [
        row
        for row in rows
        if (not text or all(word in row["text"] for word in text.split()))
        and (row["state"] == state if state else row["state"] != "ended")
        and (not role or role in row["roles"])
        and (not unit or unit in row["units"])
    ]


@require_GET
@managed.administered
def workbook(request: HttpRequest) -> HttpResponse:
    """The list as a workbook, with the page's filter and order."""
    now = timezone.now()
    on = local_day(now)
    allowed = managed.within(request, on=on)
    rows = _chosen(request, _rows(allowed, now=now, on=on))
    columns: list[workbooks.Column] = [
        (gettext("Họ tên"), 28, lambda row: row["person"].full_name),
        (gettext("Tên đăng nhập"), 20, lambda row: row["person"].username),
        (gettext("Email công vụ"), 30, lambda row: row["person"].email),
        (gettext("Điện thoại"), 14, lambda row: row["person"].phone),
        (gettext("Chức danh, đơn vị"), 60, lambda row: "; ".join(post["title"] for post in row["posts"])),
        (gettext("Trạng thái"), 24, lambda row: words.STATES[row["state"]]),
    ]
    author = _named(request)
    book = workbooks.table(
        columns, rows, sheet=gettext("Tài khoản"), title=gettext("Tài khoản của đơn vị"), author=author,
        line=f"{_where(allowed)}; {len(rows)}; {labels.instant(now.isoformat())}; {author}",
    )  # fmt: skip
    return download(book, workbooks.name("tai-khoan", now, "xlsx"))


def download(content: Any, name: str) -> HttpResponse:
    """A file to keep."""
    kinds = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "pdf": "application/pdf"}
    answer = HttpResponse(content, content_type=kinds[name.rpartition(".")[2]])
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@require_POST
@managed.administered
def proposal(request: HttpRequest) -> HttpResponse:
    """A person who moves here is taken in, or not."""
    now = timezone.now()
    allowed = managed.within(request, on=local_day(now))
    post = Post.objects.select_related("user").filter(pk=_number(request.POST.get("post"))).first()
    if post is None:
        raise Http404
    name, by = post.user.full_name or post.user.username, request.user.get_username()
    try:
        if request.POST.get("act") == "take":
            posts.take_in(post=post, by=by, at=now, within=allowed)
            messages.success(request, gettext("Đã nhận {name} vào đơn vị.").format(name=name))
        else:
            posts.decline(post=post, by=by, at=now, within=allowed)
            messages.success(request, gettext("Đã trả lời: đơn vị không nhận {name}.").format(name=name))
    except Refusal as refused:
        messages.error(request, words.refusal(refused))
    return redirect("accounts")


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


@never_cache
@require_POST
@managed.administered
def invite(request: HttpRequest) -> HttpResponseBase:
    """Printed sheets or e-mails for the people that were chosen; codes given before work no more."""
    now = timezone.now()
    allowed = managed.within(request, on=local_day(now))
    chosen = [_number(text) for text in request.POST.getlist("person")]
    found = list(people.of(allowed, on=local_day(now)).filter(pk__in=chosen, is_active=True).order_by("pk"))
    if not found:
        messages.warning(request, gettext("Chưa chọn ai: đánh dấu các dòng cần cấp phiếu trước."))
        return redirect("accounts")
    by, by_mail = request.user.get_username(), request.POST.get("way") == "mail" and letters.possible()
    try:
        if by_mail:
            base = request.build_absolute_uri("/").rstrip("/")
            queued = letters.queue(found, by=by, base=base, at=now, within=allowed)
        else:
            given = invitations.issue(found, by=by, at=now, within=allowed)
    except Refusal as refused:
        messages.error(request, words.refusal(refused))
        return redirect("accounts")
    if by_mail:
        _queued(request, queued, len(found))
        return redirect("accounts")
    size: Literal["a4", "a5"] = "a4" if request.POST.get("size") == "a4" else "a5"
    content = sheets.pdf(
        given, address=request.build_absolute_uri(reverse("activate")), by=_named(request), at=now, size=size
    )
    return download(content, workbooks.name("phieu-kich-hoat", now, "pdf"))


def _queued(request: HttpRequest, queued: int, asked: int) -> None:
    if queued:
        text = gettext("Đã xếp link kích hoạt của {n} người vào hàng gửi; trạng thái hiện ở từng dòng.")
        messages.success(request, text.format(n=queued))
    if queued < asked:
        messages.error(request, words.refusal(Refusal("invitation.email", n=asked - queued)))


def _named(request: HttpRequest) -> str:
    assert isinstance(request.user, User)
    return request.user.full_name or request.user.username
