"""The plan of a round as a form: what was typed is kept, what cannot be is named."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from motcua.accounts.models import Post, User
from motcua.catalogue.models import Agency, Field
from motcua.inspection.sampling import MOST_RISK
from motcua.oversight import scan
from motcua.rounds import freezing, plan
from motcua.rounds.models import Member, Round
from motcua.rounds.plan import Plan
from motcua.rules.instants import Unreadable, local_day
from motcua.rules.moves import Refused
from motcua.web import labels
from motcua.web.console.asked import periods
from motcua.web.console.pages import page
from motcua.web.rounds import words
from motcua.web.rounds.access import INSPECTORS, of_province, one, seat, user

_LISTS = ("agencies", "fields", "members", "checks")
_NUMBERS = ("size", "least", "answer_days")


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new round, from a form."""
    if not of_province(request, INSPECTORS):
        raise PermissionDenied
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, number: int) -> HttpResponse:
    """Another plan for a round whose figures are not frozen."""
    round_ = one(number)
    mine = seat(round_, request)
    if mine is None or mine.role != Member.Role.LEAD:
        raise PermissionDenied
    if round_.frozen_at is not None:
        messages.error(request, words.say(Refused("round.is_frozen", at=round_.frozen_at)))
        return redirect("round", number)
    return _form(request, round_)


def _form(request: HttpRequest, round_: Round | None) -> HttpResponse:
    now = timezone.now()
    typed = _typed(request) if request.method == "POST" else _kept(round_, user(request))
    fault = ""
    if request.method == "POST":
        try:
            made = _plan(typed)
            if round_ is None:
                kept = plan.open_(made, by=user(request), at=now)
                done = gettext("Đã lập đợt kiểm tra {label}.").format(label=words.label(kept))
            else:
                kept = plan.change(round_.pk, made, by=user(request), at=now)
                done = gettext("Đã lưu kế hoạch.")
        except Unreadable as error:
            fault = words.unusable(error)
        except Refused as refusal:
            fault = words.say(refusal)
        else:
            messages.success(request, done)
            return redirect("round", kept.pk)
    today = local_day(now)
    return page(
        request,
        "rounds/plan.html",
        {
            "round": round_,
            "label": words.label(round_) if round_ else "",
            "form": typed,
            "fault": fault,
            "agencies": list(Agency.objects.order_by("name").values_list("code", "name")),
            "field_list": list(Field.objects.order_by("name").values_list("code", "name")),
            "people": _inspectors(),
            "checks": [(code, words.check(code)) for code in scan.library()],
            "periods": [(text, labels.period(text)) for text in _periods(typed["period"], today)],
            "measures": labels.MEASURES.items(),
            "strata": words.STRATA.items(),
            "weights": [(mark, title, typed["weights"].get(mark, "")) for mark, title in words.WEIGHTS.items()],
            "most_risk": MOST_RISK,
        },
        status=400 if fault else 200,
    )


def _periods(chosen: str, today: date) -> list[str]:
    found = periods(today)
    return found if chosen in found or not chosen else [*found, chosen]


def _inspectors() -> list[tuple[str, str]]:
    held = Post.objects.filter(role="inspector", agency="")
    rows = User.objects.filter(is_active=True, posts__in=held).distinct().order_by("full_name", "username")
    return [(person.username, person.full_name or person.username) for person in rows]


def _kept(round_: Round | None, me: str) -> dict[str, Any]:
    if round_ is None:
        blank = Plan(title="", period="", lead=me)
        shown = {name: getattr(blank, name) for name in (*_NUMBERS, "measure", "stratify", "policy")}
        return {**shown, "title": "", "period": "", "lead": me, "members": [], "decision_number": "",
                "decision_on": "", "grounds": "", "agencies": [], "fields": [], "procedures": "", "checks": [],
                "weights": dict(plan.WEIGHTS)}  # fmt: skip
    seats = list(round_.members.all())
    return {
        **plan.document(round_), "procedures": "\n".join(round_.procedures),
        "lead": next((s.user for s in seats if s.role == Member.Role.LEAD), ""),
        "members": [s.user for s in seats if s.role != Member.Role.LEAD],
    }  # fmt: skip


def _typed(request: HttpRequest) -> dict[str, Any]:
    post = request.POST
    single = ("title", "period", "lead", "decision_number", "decision_on", "grounds", "procedures", "measure",
              "stratify", *_NUMBERS)  # fmt: skip
    return {
        **{name: post.get(name, "").strip() for name in single},
        **{name: post.getlist(name) for name in _LISTS},
        "policy": "default",
        "weights": {mark: post.get(f"weight-{mark}", "").strip() for mark in words.WEIGHTS},
    }


def _plan(typed: dict[str, Any]) -> Plan:
    """The form as a plan. Raises `Unreadable`, its first word the field."""

    def whole(name: str, text: Any) -> int:
        if not str(text).isdigit() or len(str(text)) > 6:
            raise Unreadable(f"{name}: {text!r} is no whole number")
        return int(text)

    try:
        decided = date.fromisoformat(typed["decision_on"]) if typed["decision_on"] else None
    except ValueError:
        raise Unreadable(f"decision_on: {typed['decision_on']!r} is no day") from None
    if not typed["period"]:
        raise Unreadable("period: choose one")
    told: dict[str, Any] = {
        **{name: typed[name] for name in ("title", "period", "lead", "grounds", "measure", "stratify",
                                          "decision_number")},
        **{name: tuple(typed[name]) for name in _LISTS},
        **{name: whole(name, typed[name]) for name in _NUMBERS},
        "decision_on": decided, "procedures": tuple(typed["procedures"].split()),
        "weights": {mark: whole("weights", text) for mark, text in typed["weights"].items() if text},
    }  # fmt: skip
    return Plan(**told)


def population(round_: Round) -> int | None:
    """How many dossiers the plan would freeze now; None where no facts answer."""
    try:
        return freezing.count(settings.HOME, round_, now=timezone.now())
    except Unreadable:
        return None
