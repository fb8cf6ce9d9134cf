"""The collector's first page: who sends how much, who has fallen silent, what failed and with which words."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from motcua.exchange import remedies, senders
from motcua.mirror import traffic
from motcua.rules.instants import local_day
from motcua.web.collector import words
from motcua.web.console.pages import asks, page
from motcua.web.console.sync import operators

#: Rows of a list on the first page.
_SHOWN = 12


@require_GET
@operators
@asks
def board(request: HttpRequest) -> HttpResponse:
    """Today's traffic by sender and service, failures by their words, silent senders and units, orphans."""
    now = timezone.now()
    today = local_day(now)
    flows = traffic.flows(today)
    failures, only_newest = traffic.failures(today, plain=remedies.plain)
    orphans, orphan_steps = traffic.orphans(_SHOWN)
    lately = senders.last_hour(now=now)
    known = [{**row, "now": lately.get(row["sender"], 0)} for row in senders.listed(now=now)]
    names = {row["sender"]: row["name"] or row["sender"] for row in known}
    units = senders.units(now=now)
    silent_units = [row for row in units if row["silent"]]
    return page(
        request,
        "collector/board.html",
        {
            "now": now,
            "today": today,
            "total": sum(flow.messages for flow in flows),
            "failed": sum(flow.failed for flow in flows),
            "silent": sum(flow.silent for flow in flows),
            "forward_to": traffic.forwards_to(),
            "flows": [_flow(flow, names, today) for flow in flows],
            "failures": [
                {"words": each.words, "service": words.service(each.service), "count": each.count,
                 "last_at": each.last_at, "remedy": remedies.remedy(each.words),
                 "href": link(day=today, outcome="error", service=each.service, words=each.words[:200])}
                for each in failures[:_SHOWN]
            ],
            "more_failures": max(len(failures) - _SHOWN, 0),
            "only_newest": only_newest,
            "senders": known,
            "units": silent_units[:_SHOWN],
            "unit_count": len(units),
            "silent_units": len(silent_units),
            "orphans": [{"code": code, "steps": n, "at": at, "href": link(code=code)} for code, n, at in orphans],
            "orphan_steps": orphan_steps,
            "all": link(day=today),
            "wrong": link(day=today, outcome="error"),
            "without_answer": link(day=today, outcome="silent"),
        },
    )  # fmt: skip


def _flow(flow: traffic.Flow, names: dict[str, str], day: Any) -> dict[str, Any]:
    at = {"day": day, "sender": flow.sender, "service": flow.service}
    return {
        "sender": flow.sender, "name": names.get(flow.sender, flow.sender) or gettext("không nêu"),
        "service": words.service(flow.service),
        "messages": flow.messages, "failed": flow.failed, "silent": flow.silent, "last_at": flow.last_at,
        "href": link(**at), "failed_href": link(**at, outcome="error"), "silent_href": link(**at, outcome="silent"),
    }  # fmt: skip


def link(**asked: Any) -> str:
    """The address of a list of messages; a sender that is empty is asked for as such."""
    query = {name: str(value) for name, value in asked.items() if value or (name == "sender" and value == "")}
    return f"{reverse('collector-messages')}?{urlencode(query)}"
