"""Thông báo: one page for what a person is told, what the house warns of, and whether its watchers are awake."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from motcua.accounts import powers
from motcua.catalogue.models import Agency
from motcua.exchange import alerts
from motcua.jobs import lease
from motcua.notices import reading, sending
from motcua.notices.models import Notice, Sending
from motcua.rules.instants import Unreadable, local_day
from motcua.web.console.pages import page
from motcua.web.notices import words
from motcua.web.orders import people as orders_people

#: Who sees the alerts and the watchers of the house.
KEEPERS = frozenset({"operator", "inspector"})
_SHOWN = 60


def keeps(user: Any, *, on: date) -> bool:
    """Whether a person sees the alerts and watchers of the house."""
    return powers.scope(user, on=on) is None and powers.holds(user, KEEPERS, on=on)


@require_GET
def listed(request: HttpRequest) -> HttpResponse:
    """The page."""
    now = timezone.now()
    today, me = local_day(now), request.user.get_username()
    keeper = keeps(request.user, on=today)
    names = dict(Agency.objects.values_list("code", "name"))
    found = reading.of(me)
    if keeper:
        found = found.exclude(kind=Notice.Kind.ALERT)  # they stand above, as the house sees them
    waiting = [_row(one, names) for one in found.filter(acknowledged_at=None, over_at=None)[:_SHOWN]]
    rows = found.exclude(acknowledged_at=None, over_at=None)[: _SHOWN // 2]
    watchers = [words.job(row) for row in lease.health(now=now)] if keeper else []
    return page(
        request,
        "notices/listed.html",
        {
            "now": now,
            "waiting": [row for row in waiting if not row["notice"].muted],
            "muted_rows": [row for row in waiting if row["notice"].muted],
            "earlier": [_row(one, names) for one in rows],
            "keeper": keeper,
            "alerts": alerts.listed() if keeper else [],
            "watchers": watchers,
            "silent": sum(row["late"] for row in watchers),
            "operator": _is_operator(request),
            "mutes": [(one, words.KINDS[one.kind]) for one in reading.mutes(me, on=today)],
            "handover": reading.handover(me, on=today),
            "colleagues": reading.colleagues(me, on=today),
            "kinds": list(words.KINDS.items()),
            "today": today.isoformat(),
            "last": (today + reading.LONGEST).isoformat(),
            "failed": Sending.objects.filter(state=Sending.State.FAILED).count() if keeper else 0,
        },
    )


def _is_operator(request: HttpRequest) -> bool:
    on = local_day(timezone.now())
    return powers.scope(request.user, on=on) is None and powers.holds(request.user, frozenset({"operator"}), on=on)


def _row(notice: Notice, names: dict[str, str]) -> dict[str, Any]:
    return {
        "notice": notice,
        **words.told(notice, names),
        "from": orders_people.named(notice.person) if notice.handed_to else "",
    }


@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """What a person does with notices."""
    now, by, given = timezone.now(), request.user.get_username(), request.POST

    def number(name: str) -> int:
        text = given.get(name, "")
        return int(text) if text.isdigit() and len(text) < 19 else 0

    def day(name: str) -> date:
        try:
            return date.fromisoformat(given.get(name, ""))
        except ValueError:
            raise Unreadable("days") from None

    try:
        match given.get("act"):
            case "acknowledge":
                reading.acknowledge(number("notice"), by=by, at=now)
                said = gettext("Đã ghi nhận.")
            case "all":
                said = gettext("Đã ghi nhận {n} thông báo.").format(n=reading.acknowledge_all(by=by, at=now))
            case "hand":
                reading.hand_over(number("notice"), to=given.get("to", ""), note=given.get("note", ""), by=by, at=now)
                said = gettext("Đã chuyển cho đồng nghiệp.")
            case "hand-days":
                reading.hand_over_days(
                    to=given.get("to", ""),
                    first_on=day("first_on"),
                    last_on=day("last_on"),
                    reason=given.get("note", ""),
                    by=by,
                    at=now,
                )
                said = gettext("Đã chuyển thông báo những ngày này cho đồng nghiệp.")
            case "mute":
                reading.mute(
                    given.get("kind", ""),
                    given.get("key", ""),
                    reason=given.get("note", ""),
                    until=day("until"),
                    by=by,
                    at=now,
                )
                said = gettext("Đã tắt gửi; thông báo vẫn nằm ở trang này.")
            case "lift":
                reading.lift(mute_id=number("mute") or None, handover=bool(given.get("handover")), by=by, at=now)
                said = gettext("Đã bật lại.")
            case "alert" if keeps(request.user, on=local_day(now)):
                alerts.acknowledge(number("alert"), by=by, at=now)
                reading.acknowledge_about(f"alert:{number('alert')}", by=by, at=now)
                said = gettext("Đã ghi nhận; cảnh báo còn ở đây đến khi hết nguyên nhân.")
            case "again" if keeps(request.user, on=local_day(now)):
                said = gettext("Gửi lại {n} thông báo ở lượt sau.").format(n=sending.try_again(at=now))
            case _:
                return page(request, "unusable.html", {"reason": f"act={given.get('act')!r}"}, status=400)
    except Unreadable as refusal:
        messages.error(request, words.error(str(refusal)))
    else:
        messages.success(request, said)
    return redirect("notices")
