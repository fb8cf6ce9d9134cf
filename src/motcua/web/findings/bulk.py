"""One act on many findings: first what it would touch, counted, then the act; what can be undone says how."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from motcua.findings import listed, people, record, requests
from motcua.findings.listed import Narrowed
from motcua.findings.models import Finding
from motcua.inspection import life
from motcua.inspection.life import Person
from motcua.oversight import named
from motcua.rules.instants import Unreadable, iso
from motcua.rules.moves import Refused
from motcua.web import labels
from motcua.web.console.pages import page
from motcua.web.findings import words
from motcua.web.findings.viewer import Viewer, day_of, end_of, number, sensible
from motcua.web.orders.people import gives

#: Acts that a list offers on many at once, and what undoes each.
ACTS = ("sent", "concluded", "asked_again", "extended", "assigned", "closed", "recalled", "submitted", "answered",
        "given", "returned", "reconsidered", "extension_declined")  # fmt: skip
#: No act on findings: a draft about the dossiers of those that are chosen.
LETTER = "letter"
UNDONE_BY = {"sent": "recalled", "concluded": "reconsidered"}
#: So many numbers are remembered for an undo.
_REMEMBERED = 5_000
_MOST = 20_000


@dataclass(slots=True)
class Chosen:
    """The findings that a form names, and those of them on which this person can do the act."""

    numbers: list[int]
    able: list[int] = field(default_factory=list)
    fields: list[tuple[str, str]] = field(default_factory=list)  # how the form named them, to name them again

    @property
    def unable(self) -> int:
        """Findings that the act would not touch."""
        return len(self.numbers) - len(self.able)


@require_POST
@sensible
def act(request: HttpRequest) -> HttpResponseBase:
    """Asks first, with the count; does it when the count is still the one that was said."""
    viewer = Viewer.of(request)
    kind = request.POST.get("act", "")
    if kind == LETTER:
        return _letter(request, viewer)
    if kind not in ACTS:
        raise Unreadable(f"act={kind!r}")
    chosen = _chosen(request, viewer, kind)
    back = _back(request)
    if not chosen.able:
        text = gettext("Chưa chọn phát hiện nào.") if not chosen.numbers else gettext(
            "Không phát hiện nào trong số đã chọn làm được việc này lúc này.")  # fmt: skip
        messages.error(request, text)
        return redirect(back)
    if request.POST.get("sure") != str(len(chosen.able)):
        return _confirm(request, viewer, kind, chosen, back, "")
    try:
        done = _do(request, viewer, kind, chosen.able)
    except Refused as refusal:
        return _confirm(request, viewer, kind, chosen, back, labels.say(refusal))
    except Unreadable as error:
        return _confirm(request, viewer, kind, chosen, back, str(error))
    if not done.done and done.refused:
        return _confirm(request, viewer, kind, chosen, back, labels.say(done.refused[0][1]))
    told = gettext("{act}: {n}.").format(act=words.ACTS[kind], n=words.findings(len(done.done)))
    if done.refused:
        told += " " + gettext("{n} không làm được: {why}").format(
            n=words.findings(len(done.refused)), why=labels.say(done.refused[0][1])
        )
    messages.success(request, told)
    undo = UNDONE_BY.get(kind)
    if undo and len(done.done) <= _REMEMBERED:
        request.session["undo"] = {"act": undo, "numbers": done.done, "count": len(done.done)}
    else:
        request.session.pop("undo", None)
    return redirect(back)


def _letter(request: HttpRequest, viewer: Viewer) -> HttpResponseBase:
    """The form of a draft about the dossiers of the chosen findings, each once. Raises `PermissionDenied`."""
    if not gives(viewer.user, on=viewer.on):
        raise PermissionDenied
    numbers = _chosen(request, viewer, LETTER).numbers
    codes: set[str] = set()
    for start in range(0, len(numbers), record.AT_ONCE):
        rows = Finding.objects.filter(pk__in=numbers[start : start + record.AT_ONCE], kind="dossier")
        codes.update(rows.values_list("subject", flat=True))
    if not codes:
        messages.error(request, gettext("Chưa chọn phát hiện nào về một hồ sơ."))
        return redirect(_back(request))
    name = named.keep("\n".join(sorted(codes)), by=viewer.name, at=viewer.now)
    return redirect(f"{reverse('paper-new')}?{urlencode({'list': name})}")


def _back(request: HttpRequest) -> str:
    """Where the form came from; never another house."""
    back = request.POST.get("back", "")
    return back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "/phat-hien"


def _chosen(request: HttpRequest, viewer: Viewer, kind: str) -> Chosen:
    """Ticked findings, ticked groups, or all that the filter leaves. Raises `Unreadable`."""
    narrowed = Narrowed.read(dict(parse_qsl(request.POST.get("query", ""))))
    left: QuerySet[Finding, Finding] = narrowed.of(viewer.visible, now=viewer.now)
    fields = [("query", request.POST.get("query", "")), ("back", request.POST.get("back", ""))]
    groups, ticked = request.POST.getlist("group"), request.POST.getlist("chosen")
    if request.POST.get("all") == "1":
        numbers = listed.numbers(left)
        fields.append(("all", "1"))
    elif groups:
        wanted = Q(pk__in=[])
        for key in groups:
            check, _, rest = key.partition("|")
            agency, _, severity = rest.rpartition("|")
            wanted |= Q(check_code=check, agency=agency, severity=severity)
            fields.append(("group", key))
        numbers = listed.numbers(left.filter(wanted))
    else:
        named = [known for text in ticked if (known := number(text)) is not None]
        numbers = listed.numbers(viewer.visible, named[:_MOST])
        fields += [("chosen", str(known)) for known in numbers]
    if len(numbers) > _MOST:
        raise Unreadable(gettext("Một lần nhiều nhất {n} phát hiện: thu hẹp bộ lọc.").format(n=labels.number(_MOST)))
    chosen = Chosen(numbers, fields=fields)
    posts = people.posts(viewer.user, on=viewer.on)
    for start in range(0, len(numbers), record.AT_ONCE):
        for row in Finding.objects.filter(pk__in=numbers[start : start + record.AT_ONCE]).order_by("pk"):
            stands = record.as_life(row)
            if any(kind in life.permitted(stands, by=person) for person in posts):
                chosen.able.append(row.pk)
    return chosen


def _confirm(
    request: HttpRequest, viewer: Viewer, kind: str, chosen: Chosen, back: str, error: str
) -> HttpResponse:  # fmt: skip
    rows = Finding.objects.filter(pk__in=chosen.able) if len(chosen.able) < 900 else None
    counts = listed.count(rows) if rows is not None else {"findings": len(chosen.able), "dossiers": 0, "agencies": 0}
    agency = rows.values_list("agency", flat=True).first() if rows is not None else None
    return page(
        request,
        "findings/confirm.html",
        {
            "act": kind, "chosen": chosen, "counts": counts, "back": back, "error": error,
            "said": request.POST, "days": request.POST.get("days") or str(requests.answer_days()),
            "inspectors": people.inspectors(on=viewer.on) if kind == "assigned" else [],
            "officers": people.of_unit(agency or "", on=viewer.on) if kind == "given" else [],
            "outcomes": [(code, words.OUTCOMES[code], words.OUTCOME_HINTS[code]) for code in words.OUTCOMES],
        },
    )  # fmt: skip


def _do(request: HttpRequest, viewer: Viewer, kind: str, numbers: list[int]) -> record.Done:
    """The act. Raises `Refused`, `Unreadable`."""
    row = Finding.objects.get(pk=numbers[0])
    return perform(request, kind, numbers, by=viewer.person(row, kind), at=viewer.now)


def perform(request: HttpRequest, kind: str, numbers: list[int], *, by: Person, at: Any) -> record.Done:
    """What a form says of an act, done on these findings. Raises `Refused`, `Unreadable` with words."""
    note = request.POST.get("note", "").strip()[:4_000]
    match kind:
        case "sent":
            sent = requests.send(numbers, by=by, at=at, days=_days(request), note=note)
            return record.Done(
                done=sorted(Finding.objects.filter(request__in=sent.requests).values_list("pk", flat=True)),
                refused=sent.refused,
            )
        case "asked_again":
            if not note:
                raise Refused("finding.reason_missing")
            return requests.ask_again(numbers, by=by, at=at, note=note, days=_days(request))
        case "extended":
            day = day_of(request.POST.get("due_on", ""))
            if day is None:
                raise Unreadable(gettext("Chọn ngày hạn mới."))
            return requests.extend(numbers, by=by, at=at, due_at=end_of(day), note=note)
    body: dict[str, Any] = {"note": note} if note else {}
    if kind in ("assigned", "given"):
        body["to"] = _known(request.POST.get("to", ""), kind, by, at)
    if kind == "concluded":
        body["outcome"] = request.POST.get("outcome", "")
        day = day_of(request.POST.get("remedy_on", ""))
        if day is not None and body["outcome"] == "violation":
            body["remedy_due_at"] = iso(end_of(day))
    return record.act_on_all(numbers, kind, by=by, at=at, body=body)


def _known(account: str, kind: str, by: Person, at: Any) -> str:
    """Somebody to whom it can be given: an inspector, or a person of the unit. Raises `Refused`."""
    on = at.date()
    known = people.inspectors(on=on) if kind == "assigned" else people.of_unit(by.agency, on=on)
    if account not in dict(known):
        raise Refused("finding.nobody_named")
    return account


def _days(request: HttpRequest) -> int:
    days = number(request.POST.get("days", "")) or 0
    if not 1 <= days <= requests.MOST_DAYS:
        raise Unreadable(gettext("Hạn giải trình từ 1 đến {n} ngày làm việc.").format(n=requests.MOST_DAYS))
    return days
