"""Who may open the pages of a round: inspectors and leaders of the province read, members act, units answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from motcua.accounts import powers
from motcua.rounds.models import Member, Round
from motcua.rules.instants import Unreadable, local_day
from motcua.rules.moves import Refused
from motcua.web.rounds import words

#: Who plans rounds and reads them.
INSPECTORS = frozenset({"inspector"})
READERS = frozenset({"inspector", "leader"})
#: Who answers for a unit.
ANSWERERS = frozenset({"unit_head", "focal_point"})

View = Callable[..., HttpResponseBase]


def user(request: HttpRequest) -> str:
    """Who acts, as histories keep it."""
    return request.user.get_username()


def of_province(request: HttpRequest, roles: frozenset[str] = READERS) -> bool:
    """Whether somebody holds one of these posts for the whole province today."""
    on = local_day(timezone.now())
    return powers.scope(request.user, on=on) is None and powers.holds(request.user, roles, on=on)


def units(request: HttpRequest) -> frozenset[str]:
    """The units for which somebody may answer today."""
    on = local_day(timezone.now())
    if not powers.holds(request.user, ANSWERERS, on=on):
        return frozenset()
    return powers.scope(request.user, on=on) or frozenset()


def inspectors(view: View) -> View:
    """A page for those who plan or read rounds."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not of_province(request):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def one(number: int) -> Round:
    """The round of an address. Raises `Http404`."""
    round_ = Round.objects.filter(pk=number).first()
    if round_ is None:
        raise Http404(str(number))
    return round_


def seat(round_: Round, request: HttpRequest) -> Member | None:
    """Where somebody sits in a round; None: they read only."""
    return round_.members.filter(user=user(request)).first()


def said(request: HttpRequest, act: Callable[[], Any], done: str) -> bool:
    """Does an act and says what became of it: done, or what did not happen and the way out."""
    try:
        act()
    except Refused as refusal:
        messages.error(request, words.say(refusal))
    except Unreadable as fault:
        messages.error(request, words.unusable(fault))
    else:
        messages.success(request, done)
        return True
    return False
