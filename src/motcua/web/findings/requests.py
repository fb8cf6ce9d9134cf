"""Yêu cầu giải trình, as the unit meets it: its requests, one request row by row, and what a whole request can do."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from motcua.accounts import powers
from motcua.catalogue.models import Agency
from motcua.directives.models import KeptPaper
from motcua.findings import people, record, requests
from motcua.findings.models import Attachment, Finding, Request
from motcua.inspection import life
from motcua.inspection.life import ASKED
from motcua.oversight import named
from motcua.oversight.figures import Question
from motcua.rules.instants import Unreadable
from motcua.rules.moves import Refused
from motcua.web import labels
from motcua.web.console.pages import page
from motcua.web.findings import words
from motcua.web.findings.listed_requests import told
from motcua.web.findings.viewer import Viewer, day_of, number, sensible
from motcua.web.orders.people import gives

#: Acts on what is ticked, in this order; a person sees those of their post.
_OFFERED = ("answered", "submitted", "concluded", "asked_again", "given", "returned", "extended", "extension_declined",
            "recalled")  # fmt: skip
#: Rows of a request on one page.
SIZE = 100


@require_GET
def listed(request: HttpRequest) -> HttpResponse:
    """The requests in sight, those that wait first."""
    viewer = Viewer.of(request)
    rows = [told(row, viewer) for row in requests.listed(viewer.visible, now=viewer.now)]
    held = people.posts(viewer.user, on=viewer.on)
    mine = {viewer.name} | powers.stands_in_for(viewer.user, on=viewer.on)
    return page(
        request,
        "findings/requests.html",
        {
            "rows": rows,
            "asks": viewer.asks,
            "units": len({row["agency"] for row in rows}),
            "to_sign": sum(row["to_approve"] for row in rows) if any(p.role in life.HEADS for p in held) else 0,
            "waiting": sum(row["waiting"] for row in rows),
            "mine": viewer.visible.filter(officer__in=mine, state__in=[str(s) for s in ASKED]).count(),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@sensible
def shown(request: HttpRequest, number: int) -> HttpResponseBase:
    """One request; a POST asks for more time, or types the signed letter's number back."""
    viewer = Viewer.of(request)
    head, rows = in_sight(viewer, number)
    if request.method == "POST":
        return _act(request, viewer, head)
    after = number_of(request, "after")
    part = list(rows.filter(pk__gt=after).order_by("pk")[: SIZE + 1])
    lives = [record.as_life(row) for row in part]
    posts = people.posts(viewer.user, on=viewer.on)
    may = frozenset().union(*(life.permitted(stands, by=person) for stands in lives for person in posts))
    facts = _verdicts([row.subject for row in part[:SIZE] if row.kind == "dossier"], viewer)
    states: dict[str, int] = {}
    for state in rows.values_list("state", flat=True):
        states[state] = states.get(state, 0) + 1
    due = max((row.due_at for row in rows.filter(state__in=[str(s) for s in ASKED]) if row.due_at), default=head.due_at)
    waiting = sum(states.get(str(state), 0) for state in ASKED)
    names = people.names({row.officer for row in part} - {""})
    kept = Attachment.objects.filter(finding__in=[row.pk for row in part]).exclude(standing="rejected")
    handed = dict(kept.order_by().values_list("finding").annotate(n=Count("pk")))
    return page(
        request,
        "findings/request.html",
        {
            "head": {**told({"head": head, "agency": head.agency, "waiting": waiting}, viewer), "due_at": due},
            "request_row": head,
            "agency_name": Agency.objects.filter(code=head.agency).values_list("name", flat=True).first()
                           or head.agency,
            "total": {"findings": rows.count()},
            "dossiers": rows.values("subject").distinct().count(),
            "rows": [_row(row, viewer, facts, names, handed) for row in part[:SIZE]],
            "next": f"?after={part[SIZE - 1].pk}" if len(part) > SIZE else "",
            "states": [(words.STATES[state], count) for state, count in sorted(states.items())],
            "waiting": waiting,
            "may": may,
            "offered": [(kind, words.ACTS[kind]) for kind in _OFFERED if kind in may],
            "asks": viewer.asks,
            "drafts": gives(viewer.user, on=viewer.on) and rows.filter(kind="dossier").exists(),
            "papers": KeptPaper.objects.filter(request=head.pk).order_by("-drafted_at") if viewer.asks else [],
            "officers": people.of_unit(head.agency, on=viewer.on) if "given" in may else [],
            "extension_to": next((row.extension_to for row in part if row.extension_to), None),
            "days": 3,
            "back": f"/yeu-cau/{head.pk}",
            "query": f"request={head.pk}",
        },
    )  # fmt: skip


def in_sight(viewer: Viewer, number: int) -> tuple[Request, Any]:
    """A request with its findings that the viewer sees. Raises `Http404`."""
    rows = viewer.visible.filter(request=number)
    head = Request.objects.filter(pk=number).first()
    if head is None or not rows.exists():
        raise Http404
    return head, rows


def number_of(request: HttpRequest, name: str) -> int:
    """A number of the address; 0 where there is none."""
    return number(request.GET.get(name, "")) or 0


def _verdicts(subjects: list[str], viewer: Viewer) -> dict[str, dict[str, Any]]:
    """The three verdicts of the dossiers as the inspector sees them."""
    if not subjects:
        return {}
    rows = named.look_up(settings.HOME, Question(), sorted(set(subjects)), now=viewer.now)["rows"]
    return {row["asked"]: row for row in rows}


def _row(
    row: Finding, viewer: Viewer, facts: dict[str, dict[str, Any]], names: dict[str, str], handed: dict[int, int]
) -> dict[str, Any]:
    known = facts.get(row.subject, {})
    return {
        "finding": row, "title": words.title(row.check_code), "state": words.state(row, now=viewer.now),
        "facts": words.main(row),
        "answer": words.REASONS.get(row.answer.get("reason", ""), ""), "text": row.answer.get("text", ""),
        "late": [labels.SHORT_SIDES[side] for side in labels.SIDES if known.get(side)],
        "in_time": [labels.SHORT_SIDES[side] for side in labels.SIDES if known and not known.get(side)],
        "procedure": known.get("procedure_name", ""), "officer": names.get(row.officer, row.officer),
        "files": handed.get(row.pk, 0),
    }  # fmt: skip


def _act(request: HttpRequest, viewer: Viewer, head: Request) -> HttpResponseBase:
    row = viewer.visible.filter(request=head.pk).order_by("pk").first()
    assert row is not None
    try:
        match request.POST.get("act"):
            case "extension_asked":
                note = request.POST.get("note", "").strip()
                days = number(request.POST.get("days", "")) or 0
                done = requests.ask_extension(
                    head.pk, by=viewer.person(row, "extension_asked"), at=viewer.now, days=days, note=note
                )
                if done.refused and not done.done:
                    raise done.refused[0][1]
                text = gettext("Đã xin gia hạn {n}.").format(n=words.findings(len(done.done)))
            case "typed_back" if viewer.asks:
                day = day_of(request.POST.get("dated_on", ""))
                if day is None:
                    raise Unreadable(gettext("Ghi ngày văn bản."))
                requests.typed_back(
                    head.pk, document=request.POST.get("number", ""), dated_on=day, by=viewer.name, at=viewer.now
                )
                text = gettext("Đã ghi số và ngày văn bản.")
            case other:
                raise Unreadable(f"act={other!r}")
    except Refused as refusal:
        messages.error(request, labels.say(refusal))
    except Unreadable as error:
        messages.error(request, str(error))
    else:
        messages.success(request, text)
    return redirect("request", head.pk)
