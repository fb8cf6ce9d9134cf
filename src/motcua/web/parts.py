"""Which part of the house each page belongs to, and the menu of those that are switched on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from motcua.accounts import powers
from motcua.catalogue import parts
from motcua.findings.people import ASKING
from motcua.inspection.life import DRAFTERS, INSPECTORS
from motcua.rules.instants import local_day
from motcua.web import labels
from motcua.web.console import sync
from motcua.web.orders import people
from motcua.web.people import urls as accounts
from motcua.web.training import marks
from motcua.web.training import people as training

#: Pages that every house has, whatever is switched on.
HOUSE = accounts.NAMES | {
    "first-run",
    "first-lists",
    "logo",
    "home",
    "sign-out",
    "language",
    "health",
    "metrics",
    "training",
}
#: The pages of each part, by the names of their addresses. A house test wants every address in one place.
PAGES: Mapping[str, frozenset[str]] = {
    "oversight": frozenset(
        {
            "bridge", "bridge-workbook", "bridge-picture", "dossiers", "dossiers-workbook", "certificate", "dossier",
            "causes", "causes-workbook", "agencies", "search", "levels",
            "my-day", "findings", "findings-workbook", "findings-act", "findings-filters", "finding",
            "finding-evidence",
            "evidence-decision", "attachment", "requests", "request", "request-workbook", "request-upload", "agency",
            "checks", "check-values", "set-apart",
            "loading", "load", "load-refused", "load-match",
            "paste", "pasted", "pasted-workbook",
            "evidence", "evidence-check", "evidence-order", "evidence-order-file",
            "warnings", "warnings-workbook",
            "compare", "comparison", "comparison-workbook",
            "collector", "collector-messages", "collector-workbook", "collector-message",
            "directives", "directives-workbook", "directive-new", "directive-rules", "directive", "directive-act",
            "directive-dossiers",
            "directive-dossiers-workbook", "leader", "notices", "notices-act", "notices-channels",
            "meeting", "meeting-file", "papers", "paper-new", "paper-head", "paper", "paper-file",
            "rounds", "round-new", "round", "round-plan", "round-sample", "round-record", "round-workbook",
            "round-next", "round-item", "round-document", "round-answers", "round-paper",
        }
    ),
    "exchange": frozenset(
        {
            "payment-confirm", "payment-due", "sync", "sync-codes", "sync-codes-workbook", "sync-act", "tickets",
            "ticket-new", "ticket", "ticket-workbook",
        }
    ),
    "desk": frozenset(),
    "portal": frozenset(),
}  # fmt: skip
_PART_OF = {page: part for part, pages in PAGES.items() for page in pages}
#: The menu, in this order: groups of pages. One page alone is a plain entry; several open under the group's title.
MENU: Mapping[str, tuple[str, ...]] = {
    "bridge": ("bridge",),
    "mine": ("my-day",),
    "answers": ("requests",),
    "findings": ("findings", "causes", "checks", "warnings"),
    "rounds": ("rounds",),
    "orders": ("directives", "notices", "meeting", "papers"),
    "agencies": ("agencies",),
    "data": ("dossiers", "paste", "loading"),
    "sync": ("sync", "collector"),
    "people": ("accounts",),
}
#: Pages of the menu that only some roles have.
FOR: Mapping[str, frozenset[str]] = {
    "sync": sync.ROLES, "collector": sync.ROLES, "meeting": people.GIVERS, "papers": people.GIVERS,
    "accounts": frozenset({"administrator"}), "my-day": INSPECTORS, "findings": ASKING, "requests": DRAFTERS,
}  # fmt: skip
#: Pages of the menu that another page leads to as well, once the part of that page is switched on.
THROUGH: Mapping[str, str] = {"collector": "exchange"}
#: The page on which a role begins, where that is not the first of its menu.
HOMES: Mapping[str, str] = {
    "administrator": "accounts", "leader": "leader", **dict.fromkeys(sorted(DRAFTERS), "requests"),
}  # fmt: skip

Answer = Callable[[HttpRequest], HttpResponseBase]


def part_of(page: str) -> str | None:
    """The part that a page belongs to; None: the house."""
    return _PART_OF.get(page)


class Switched:
    """Middleware: a page of a part that is switched off is not there."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.answer(request)

    def process_view(
        self, request: HttpRequest, view: Any, positional: Sequence[Any], named: Mapping[str, Any]
    ) -> HttpResponse | None:
        """Raises `Http404` before the view is asked."""
        found = request.resolver_match
        part = part_of(found.url_name or "") if found else None
        if part is not None and part not in parts.on():
            raise Http404
        return None


def menu(request: HttpRequest) -> dict[str, Any]:
    """For every template: what the head of the page leads to, and the parts that are on. Asked only where shown."""
    return {
        "menu": lambda: _entries(request, parts.on()),
        "parts": parts.on,
        "training": cache(marks.mark),  # asked several times by a page, told once
        "training_house": training.house,
        "has_sync": lambda: _has(request.user, "sync"),
    }


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the menu: a page, or a group with its pages below it."""

    title: str
    href: str
    pages: tuple[Entry, ...] = ()

    def holds(self, path: str) -> bool:
        """Whether a page is this one, or one of its group."""
        return self.href == path or any(page.holds(path) for page in self.pages)


def first_page(user: Any, *, on: frozenset[str]) -> str | None:
    """The page on which a person begins: the home of the post acted in, else the first of the menu that is theirs;
    None where there is none."""
    post = powers.acting(user, on=local_day(timezone.now()))
    home = HOMES.get(post.role) if post is not None and not (post.role == "leader" and post.agency) else None
    wanted = [home] if home else []
    pages = (page for pages in MENU.values() for page in pages if page != "accounts")
    return next((page for page in (*wanted, *pages) if _is_there(user, page, on)), None)


def _is_there(user: Any, page: str, on: frozenset[str]) -> bool:
    """Whether a page is switched on, for this person, and not reached through another already."""
    part = part_of(page)
    return (part is None or part in on) and THROUGH.get(page) not in on and _has(user, page)


def _entries(request: HttpRequest, on: frozenset[str]) -> list[tuple[Entry, bool]]:
    """The person's menu, each entry with whether it holds the page that is open."""
    found = []
    for group, pages in MENU.items():
        there = [Entry(labels.PAGES[page], reverse(page)) for page in pages if _is_there(request.user, page, on)]
        if there:
            entry = there[0] if len(there) == 1 else Entry(labels.MENUS[group], "", tuple(there))
            found.append((entry, entry.holds(request.path)))
    return found


def _has(user: Any, page: str) -> bool:
    """Whether a page of the menu is for this person."""
    return page not in FOR or powers.holds(user, FOR[page], on=local_day(timezone.now()))
