"""One finding: what the machine saw, what the dossier's three sides say, the answer, the evidence, the history, and
the acts that the reader's post allows. The unit and the inspector see the same page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from motcua.catalogue.models import Agency
from motcua.findings import evidence, files, people, record, requests
from motcua.findings.evidence import Received
from motcua.findings.models import Attachment, Finding
from motcua.inspection import life
from motcua.inspection.checks.check import Check
from motcua.inspection.life import Reason, State
from motcua.oversight import explain, scan
from motcua.rules.instants import Unreadable, iso, local_day, parse_instant
from motcua.rules.moves import Refused
from motcua.web import labels
from motcua.web.console.pages import page
from motcua.web.findings import bulk, words
from motcua.web.findings.viewer import Viewer, day_of, sensible, told
from motcua.web.rounds.access import of_province

#: What a unit's answer form keeps.
_ANSWER = ("reason", "text", "number", "dated_on", "remedy", "remedy_on")
_LONGEST = {"text": 4_000, "remedy": 2_000, "number": 100}


@require_http_methods(["GET", "HEAD", "POST"])
@sensible
def finding(request: HttpRequest, number: int) -> HttpResponseBase:
    """The page; a POST is an act on it."""
    viewer = Viewer.of(request)
    row = viewer.one(number)
    if request.method == "POST":
        return _act(request, viewer, row)
    return _page(request, viewer, row)


def _page(
    request: HttpRequest, viewer: Viewer, row: Finding, *, typed: dict[str, str] | None = None, status: int = 200
) -> HttpResponse:  # fmt: skip
    check = scan.library().get(row.check_code)
    dossier = None
    if row.kind == "dossier":
        dossier = explain.dossier(settings.HOME, row.subject, now=viewer.now)
    acts = record.history(row.pk)
    names = people.names({act.by.name for act in acts} | {row.inspector, row.officer})
    permitted = viewer.permitted(row)
    came = row.came_at or row.opened_at
    return page(
        request,
        "findings/one.html",
        {
            "finding": row,
            "title": words.title(row.check_code),
            "number_of_law": words.number(row.check_code),
            "check": check,
            "explanation": gettext(check.explanation) if check else "",
            "grounds": check.valid_on(local_day(came)) if check else (),
            "remedy": labels.REMEDIES.get(check.remedy, "") if check else "",
            "state": words.state(row, now=viewer.now),
            "agency_name": Agency.objects.filter(code=row.agency).values_list("name", flat=True).first() or row.agency,
            "facts": words.evidence(row.evidence),
            "parameters": words.parameters(check, row.parameters),
            "dossier": dossier,
            "sides": _sides(dossier),
            "attachments": [_attachment(one) for one in row.attachments.order_by("pk")],
            "answer": typed or row.answer,
            "lacks": words.MISSING.get(life.incomplete(row.answer), ""),
            "reasons": list(words.REASONS.items()),
            "outcomes": [(code, words.OUTCOMES[code], words.OUTCOME_HINTS[code]) for code in words.OUTCOMES],
            "may": permitted,
            "asks": viewer.asks,
            "reads_round": bool(row.round) and of_province(request),
            "history": [_line(act, names, check) for act in reversed(acts)],
            "inspectors": people.inspectors(on=viewer.on) if "assigned" in permitted else [],
            "officers": people.of_unit(row.agency, on=viewer.on) if "given" in permitted else [],
            "inspector_name": names.get(row.inspector, row.inspector),
            "officer_name": names.get(row.officer, row.officer),
            "days": requests.answer_days(),
            "conclude_first": row.state == State.ANSWERED,
            "next": _next(viewer, row),
        },
        status=status,
    )


def _sides(dossier: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The three verdicts of the dossier."""
    if dossier is None:
        return []
    return [
        {"side": side, "verdict": dossier[side]["verdict"], "shape": labels.SHAPES[dossier[side]["verdict"]],
         "due_at": dossier[side]["due_at"], "finished_at": dossier[side]["finished_at"]}
        for side in labels.SIDES
    ]  # fmt: skip


def _attachment(one: Attachment) -> dict[str, Any]:
    return {
        "row": one,
        "looked": words.looked(one.looked, one.facts),
        "refused": labels.REFUSALS.get(one.facts.get("refused", ""), "").split(":")[0],
        "shared": evidence.shared_with(one),
        "undecided": one.decided_at is None and one.standing != Attachment.Standing.NONE,
        "kb": max(one.size // 1024, 1),
    }


def _line(act: life.Act, names: dict[str, str], check: Check | None) -> dict[str, Any]:
    """An act in the history: what, by whom in which post, when, and what was said."""
    body = act.body
    said: list[str] = []
    if body.get("to") and act.kind in ("assigned", "given"):
        said.append(names.get(str(body["to"]), str(body["to"])))
    if body.get("reason") in words.REASONS:
        said.append(words.REASONS[body["reason"]])
    if body.get("outcome") in words.OUTCOMES:
        said.append(words.OUTCOMES[body["outcome"]])
    if body.get("due_at"):
        said.append(gettext("hạn {at}").format(at=labels.instant(body["due_at"])))
    if act.kind == "extension_asked":
        said.append(gettext("đến {at}").format(at=labels.instant(body["to"])))
    if body.get("remedy_due_at"):
        said.append(gettext("khắc phục trước {at}").format(at=labels.instant(body["remedy_due_at"])))
    if "before" in body and "after" in body and (changed := words.verdict(body["before"], body["after"])):
        said.append(changed)
    if act.kind == "closed_by_data":
        now = body.get("now", {})
        said += [
            f"{labels.SIDES[side]}: {gettext('trễ hạn') if now[side] else gettext('đúng hạn')}"
            for side in labels.SIDES if side in now
        ]  # fmt: skip
        said += [f"{name}: {value}" for name, value, _ in words.parameters(check, body.get("parameters", {}))]
    for name in ("text", "note"):
        if body.get(name):
            said.append(f"“{body[name]}”")
    return {
        "kind": act.kind, "title": words.ACTS[act.kind], "at": act.at, "said": said,
        "who": names.get(act.by.name, act.by.name), "role": labels.ROLES.get(act.by.role, ""),
    }  # fmt: skip


def _next(viewer: Viewer, row: Finding) -> str:
    """The finding that follows in the reader's hands: read on without the list."""
    rows = viewer.visible.filter(pk__gt=row.pk, state=row.state)
    rows = rows.filter(check_code=row.check_code) if viewer.asks else rows.filter(request=row.request_id)
    following = rows.order_by("pk").values_list("pk", flat=True).first()
    return f"/phat-hien/{following}" if following else ""


# ---- acts --------------------------------------------------------------------------------------------------------


def _act(request: HttpRequest, viewer: Viewer, row: Finding) -> HttpResponseBase:
    kind = request.POST.get("act", "")
    if kind not in life.MOVES or life.MOVES[kind].by == frozenset({life.DATA}):
        raise Unreadable(f"act={kind!r}")
    by = viewer.person(row, kind)
    typed = {name: request.POST.get(name, "").strip()[: _LONGEST.get(name, 20)] for name in _ANSWER}
    try:
        match kind:
            case "drafted":
                _draft(row, typed, by, viewer)
                if request.POST.get("then") == "submitted":
                    record.act(row.pk, "submitted", by=viewer.person(_fresh(row), "submitted"), at=viewer.now)
                    kind = "submitted"
                elif request.POST.get("then") == "answered":
                    record.act(row.pk, "answered", by=viewer.person(_fresh(row), "answered"), at=viewer.now)
                    kind = "answered"
            case "extension_asked":
                days = int(request.POST.get("days") or 0)
                due_at = requests.due(row.agency, at=max(row.due_at or viewer.now, viewer.now), days=days)
                note = request.POST.get("note", "").strip()
                record.act(row.pk, kind, by=by, at=viewer.now, body={"to": iso(due_at), "note": note})
            case "submitted" | "answered" | "remedied" | "appealed" | "noted":
                body = {"note": request.POST.get("note", "").strip()[:4_000]}
                record.act(row.pk, kind, by=by, at=viewer.now, body=body if body["note"] else None)
            case _:
                done = bulk.perform(request, kind, [row.pk], by=by, at=viewer.now)
                if done.refused:
                    raise done.refused[0][1]
    except Refused as refusal:
        messages.error(request, labels.say(refusal))
        return _page(request, viewer, _fresh(row), typed=typed if kind in ("drafted", "submitted", "answered") else
                     None, status=409)  # fmt: skip
    except (Unreadable, ValueError) as error:
        messages.error(request, str(error))
        return _page(request, viewer, _fresh(row), status=400)
    messages.success(request, gettext("Đã ghi: {act}.").format(act=words.ACTS[kind]))
    return redirect("finding", row.pk)


def _fresh(row: Finding) -> Finding:
    return Finding.objects.get(pk=row.pk)


def _draft(row: Finding, typed: dict[str, str], by: life.Person, viewer: Viewer) -> None:
    """Keeps the answer as a draft, with the files that were handed in so far. Raises `Refused`, `Unreadable`."""
    said: dict[str, Any] = {name: value for name, value in typed.items() if value}
    if said.get("reason") not in (None, *map(str, Reason)):
        raise Refused("finding.answer_incomplete", missing="reason")
    for name in ("dated_on", "remedy_on"):
        if name in said and day_of(said[name]) is None:
            raise Unreadable(gettext("“{text}” không phải là ngày.").format(text=said[name]))
    said["attachments"] = list(row.attachments.exclude(standing="rejected").order_by("pk").values_list("pk", flat=True))
    record.act(row.pk, "drafted", by=by, at=viewer.now, body=said)


@require_POST
@sensible
def hand_in(request: HttpRequest, number: int) -> HttpResponseBase:
    """A file, or the number and date of a document; the verdicts are computed anew before their eyes."""
    viewer = Viewer.of(request)
    row = viewer.one(number)
    by = viewer.person(row, "evidence_added")
    try:
        upload = request.FILES.get("file")
        if upload is not None:
            if (upload.size or 0) > files.MOST_BYTES:
                raise Unreadable("too_big")
            got = evidence.hand_in(
                settings.HOME, row.pk, name=upload.name or "", content=upload.read(), by=by, at=viewer.now
            )
        else:
            day = day_of(request.POST.get("dated_on", ""))
            if day is None:
                raise Unreadable("date" if request.POST.get("number") else "empty")
            got = evidence.claim(
                settings.HOME, row.pk, document=request.POST.get("number", ""), dated_on=day, by=by, at=viewer.now
            )
    except (Refused, Unreadable) as error:
        told(request, error)
        return redirect("finding", row.pk)
    _say(request, got)
    return redirect("finding", row.pk)


def _say(request: HttpRequest, got: Received) -> None:
    """What evidence was worth, in one message."""
    one = got.attachment
    parts = [words.looked(one.looked, one.facts)] if one.looked else []
    if got.changed:
        parts.append(words.verdict(got.before, got.after).capitalize() + ".")
    elif one.standing == Attachment.Standing.CLAIM and one.looked not in ("no_time_stamp", "stamp_untrusted"):
        parts.append(gettext("Chờ đoàn xác minh."))
    elif one.standing == Attachment.Standing.FIXES:
        parts.append(gettext("Kết luận về thời hạn không đổi."))
    text = " ".join(part for part in parts if part) or gettext("Đã nhận.")
    (messages.success if got.changed or one.standing != Attachment.Standing.NONE else messages.info)(request, text)


@require_POST
@sensible
def decide_evidence(request: HttpRequest, number: int) -> HttpResponseBase:
    """An inspector takes a document as fixing or bounding the completion, or does not take it."""
    viewer = Viewer.of(request)
    one = get_object_or_404(Attachment.objects.filter(finding__in=viewer.visible), pk=number)
    row, note = one.finding, request.POST.get("note", "").strip()
    try:
        match request.POST.get("act"):
            case "verify":
                standing = request.POST.get("standing", "")
                if standing not in ("fixes", "bounds"):
                    raise Unreadable("date")
                got = evidence.verify(
                    settings.HOME, one.pk, standing="fixes" if standing == "fixes" else "bounds",
                    evidence_at=parse_instant(request.POST.get("evidence_at", "")),
                    by=viewer.person(row, "evidence_verified"), at=viewer.now, note=note,
                )  # fmt: skip
            case "reject":
                by = viewer.person(row, "evidence_rejected")
                got = evidence.reject(settings.HOME, one.pk, by=by, at=viewer.now, note=note)
            case other:
                raise Unreadable(f"act={other!r}")
    except (Refused, Unreadable) as error:
        told(request, error)
    else:
        changed = words.verdict(got.before, got.after)
        messages.success(request, f"{words.STANDINGS[got.attachment.standing]}. {changed}".strip())
    return redirect("finding", row.pk)


@require_GET
def file(request: HttpRequest, number: int) -> FileResponse:
    """A file that was handed in, for those who see its finding; never shown inside our pages."""
    viewer = Viewer.of(request)
    one = get_object_or_404(Attachment.objects.filter(finding__in=viewer.visible), pk=number)
    if not one.digest:
        raise Http404
    try:
        files.read(settings.HOME, one.digest)
    except Unreadable as error:
        raise PermissionDenied(str(error)) from None
    stream = files.place(settings.HOME, one.digest).open("rb")
    reply = FileResponse(stream, as_attachment=True, filename=one.name, content_type=one.media)
    reply["X-Content-Type-Options"] = "nosniff"
    reply["Content-Security-Policy"] = "sandbox"
    return reply
