"""Who looks at the findings' pages, when, and how a refused act is told: the one place here that reads the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone

from motcua.accounts import powers
from motcua.findings import people, record
from motcua.findings.models import Finding
from motcua.inspection.life import Person
from motcua.rules.instants import VIET_NAM, Unreadable, local_day
from motcua.rules.moves import Refused
from motcua.web import labels
from motcua.web.console.pages import page
from motcua.web.findings import words

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person, the instant, and the findings in sight."""

    user: Any
    now: datetime

    @classmethod
    def of(cls, request: HttpRequest) -> Viewer:
        """The one who asks for a page."""
        return cls(request.user, timezone.now())

    @property
    def on(self) -> date:
        """The day on the office wall."""
        return local_day(self.now)

    @property
    def name(self) -> str:
        """The account."""
        return str(self.user.get_username())

    @property
    def unit(self) -> str | None:
        """The unit of the post in which they act, empty for the office of the province; None: no post."""
        post = powers.acting(self.user, on=self.on)
        return None if post is None else str(post.agency)

    @property
    def asks(self) -> bool:
        """Whether this is somebody of the inspection."""
        return people.asks(self.user, on=self.on)

    @property
    def visible(self) -> QuerySet[Finding, Finding]:
        """The findings in sight."""
        return people.visible(self.user, on=self.on)

    def one(self, number: int) -> Finding:
        """A finding in sight. Raises `Http404`: what is out of sight is not told from what is not there."""
        return get_object_or_404(self.visible, pk=number)

    def person(self, finding: Finding, kind: str) -> Person:
        """In which post an act on a finding is done."""
        return people.acting(self.user, record.as_life(finding), kind, on=self.on)

    def permitted(self, finding: Finding) -> frozenset[str]:
        """The acts on a finding for which there is a post."""
        return people.permitted(self.user, record.as_life(finding), on=self.on)


def inspection(view: View) -> View:
    """A page of the inspection's side. Raises `PermissionDenied`."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not Viewer.of(request).asks:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def sensible(view: View) -> View:
    """A page whose address may make no sense: it says so."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Unreadable as error:
            return page(request, "unusable.html", {"reason": str(error)}, status=400)

    return guarded


def told(request: HttpRequest, error: Refused | Unreadable, table: Mapping[str, str] = words.FILE_FAULTS) -> None:
    """Says why an act was not done; what was typed is the form's to keep."""
    if isinstance(error, Refused):
        messages.error(request, labels.say(error))
    else:
        messages.error(request, table.get(str(error), str(error)))


def day_of(text: str) -> date | None:
    """A day from a form; None where it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def end_of(day: date) -> datetime:
    """17:00 on a day: an answer date that a person chose by the day."""
    return datetime.combine(day, time(17), VIET_NAM)


def number(text: str) -> int | None:
    """A whole number from a form."""
    return int(text) if text.isdigit() and len(text) < 16 else None


def missing() -> Http404:
    """Nothing there."""
    return Http404()
