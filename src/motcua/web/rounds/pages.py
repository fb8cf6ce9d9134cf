"""Đợt kiểm tra: the list, and one round with its ten steps, its units, papers, requests and looks."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from motcua.accounts.models import User
from motcua.ledger.models import Change
from motcua.rounds import draw, explanations, freezing, frozen, plan, reading, remedies, results, steps
from motcua.rounds.models import Item, Member, Paper, Round
from motcua.rules.instants import VIET_NAM, Unreadable
from motcua.rules.moves import Refused
from motcua.web import labels
from motcua.web.console import workbooks
from motcua.web.console.pages import page
from motcua.web.rounds import planning, words
from motcua.web.rounds.access import INSPECTORS, inspectors, of_province, one, said, seat, units, user

_HISTORY = 60
_AGAIN_S = 2  # a page about work in hand asks again, without a script
_SHAPES = {"done": "done", "now": "soon", "later": "open"}


@require_GET
def listed(request: HttpRequest) -> HttpResponse:
    """All rounds, the newest first: of the province, or those that ask one's unit."""
    mine = units(request)
    everything = of_province(request)
    if not everything and not mine:
        raise PermissionDenied
    rounds = Round.objects.order_by("-pk")
    if not everything:
        rounds = rounds.filter(asked_at__isnull=False, items__agency__in=mine).distinct()
    rounds = rounds.annotate(
        sample=Count("items", distinct=True),
        confirmed=Count("items", filter=Q(items__confirmed_at__isnull=False), distinct=True),
    )[:200]
    rows = []
    for round_ in rounds:
        told = steps.steps(round_)
        running = next((step for step in told if step.state != "done"), told[-1])
        rows.append({
            "round": round_, "label": words.label(round_), "step": words.STEPS[running.name],
            "place": sum(step.state == "done" for step in told), "period": labels.period(round_.period),
            "closed": round_.closed_at is not None, "sample": round_.sample, "confirmed": round_.confirmed,
            "page": "round" if everything else "round-answers",
        })  # fmt: skip
    return page(request, "rounds/list.html", {"rows": rows, "plans": of_province(request, INSPECTORS)})


@require_http_methods(["GET", "HEAD", "POST"])
def shown(request: HttpRequest, number: int) -> HttpResponseBase:
    """One round. A unit that is asked is led to its own page."""
    round_ = one(number)
    if not of_province(request):
        if units(request):
            return redirect("round-answers", number)
        raise PermissionDenied
    if request.method == "POST":
        return _act(request, round_)
    return _page(request, round_)


def _page(request: HttpRequest, round_: Round, receipt: draw.Receipt | None = None) -> HttpResponse:
    now = timezone.now()
    mine = seat(round_, request)
    drawn = round_.drawn_at is not None
    total, rows = results.by_unit(round_) if drawn else ({}, [])
    estimate = results.estimate(round_)
    told = steps.steps(round_)
    remedies_ = _remedies(round_, now)
    reply = page(
        request,
        "rounds/round.html",
        {
            "round": round_,
            "label": words.label(round_),
            "now": now,
            "period": labels.period(round_.period),
            "scope": _scope(round_),
            "members": list(round_.members.order_by("role", "name")),
            "seat": mine,
            "leads": mine is not None and mine.role == Member.Role.LEAD,
            "steps": [{"step": step, "title": words.STEPS[step.name], "shape": _SHAPES[step.state]} for step in told],
            "running": next((step.name for step in told if step.state == "now"), ""),
            "freezing": _freezing(round_, now),
            "population_now": None if round_.frozen_at or round_.freezing_at else planning.population(round_),
            "heads": _heads(round_, total) if round_.frozen_at else [],
            "before_after": _before_after(round_) if drawn else [],
            "total": total,
            "rows": rows,
            "mine": _my_work(round_, user(request)) if mine is not None and drawn else None,
            "estimate": words.estimate(estimate) if estimate and total.get("confirmed") else "",
            "estimate_open": drawn and round_.decided_at is None,
            "papers": _papers(round_, rows),
            "remedies": remedies_,
            "remedies_open": sum(row["remedy"].closed_at is None for row in remedies_),
            "remedy_form": {"kinds": words.KINDS.items(), "rows": rows},
            "mendable": _mendable(round_) if round_.concluded_at and not round_.closed_at else [],
            "looks": _named(round_.looks.order_by("-pk").values("at", "by", "dossier", "reason")[:_HISTORY]),
            "history": _history(round_),
            "receipt": receipt,
            "hour": _next_hour(now),
            "waiting_head": round_.seal_after is not None and not drawn and now <= round_.seal_after,
        },
    )
    if round_.freezing_at is not None and not freezing.stands_still(round_, at=now):
        reply["Refresh"] = str(_AGAIN_S)
    return reply


def wake() -> None:
    """Has the rounds frozen that wait for it; nobody waits for it."""
    freezing.start(settings.HOME)


def _freezing(round_: Round, now: datetime) -> dict[str, str]:
    """What is being done while the figures are frozen, or why they were not; empty where neither is so."""
    if round_.freezing_at is not None:
        still = "1" if freezing.stands_still(round_, at=now) else ""
        return {"stage": words.STAGES[round_.freezing_stage], "still": still}
    fault = round_.freezing_error
    if not fault or round_.frozen_at is not None:
        return {}
    if "code" in fault:
        return {"error": words.say(Refused(fault["code"], **fault["facts"]))}
    return {"error": words.unusable(Unreadable(fault["text"]))}


def _scope(round_: Round) -> dict[str, Any]:
    agencies, _ = frozen.names()
    return {
        "units": [agencies.get(code, code) for code in round_.agencies],
        "measure": labels.MEASURES[round_.measure], "stratum": words.STRATA[round_.stratify],
        "weights": [(words.WEIGHTS[mark], weight) for mark, weight in
                    sorted(round_.weights.items(), key=lambda item: -item[1])],
        "checks": len(round_.checks),
    }  # fmt: skip


def _heads(round_: Round, total: dict[str, int]) -> list[dict[str, Any]]:
    return [{"title": words.SORTS[row["sort"]], **row} for row in results.population(settings.HOME, round_)]


def _before_after(round_: Round) -> list[dict[str, Any]]:
    rows = [{"title": words.SORTS[row["sort"]], **row} for row in results.before_and_after(round_)]
    return [row for row in rows if row["sample"]]


def _my_work(round_: Round, me: str) -> dict[str, int]:
    rows = reading.waiting(round_, me).values_list("read_at", flat=True)
    to_read = sum(read_at is None for read_at in rows)
    return {"read": to_read, "confirm": len(rows) - to_read}


def _papers(round_: Round, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept = {(paper.kind, paper.agency): paper for paper in round_.papers.all()}
    ready = {
        "plan": True, "ask": round_.asked_at is not None, "minutes": round_.drawn_at is not None,
        "draft": round_.decided_at is not None, "conclusion": round_.drafted_at is not None,
    }  # fmt: skip
    return [
        {"kind": kind, "title": words.PAPERS[kind], "ready": ready[kind], "paper": kept.get((kind, "")),
         "agencies": rows if kind == "ask" and ready["ask"] else []}
        for kind in Paper.Kind.values
    ]  # fmt: skip


def _remedies(round_: Round, now: datetime) -> list[dict[str, Any]]:
    agencies, _ = frozen.names()
    rows = round_.remedies.annotate(
        dossiers=Count("items"), settled=Count("items", filter=Q(items__settled_at__isnull=False)),
        watched=Count("items", filter=~Q(items__cause="")),
    ).order_by("closed_at", "due_at", "pk")  # fmt: skip
    names = dict(User.objects.filter(username__in={row.closed_by for row in rows}).values_list("username", "full_name"))
    return [
        {"remedy": row, "kind": words.KINDS[row.kind], "name": names.get(row.closed_by) or row.closed_by,
         "agency": agencies.get(row.agency, row.agency),
         "overdue": row.closed_at is None and row.due_at < now}
        for row in rows
    ]  # fmt: skip


def _mendable(round_: Round) -> list[dict[str, Any]]:
    """The dossiers of the sample whose frozen cause the data can show to be gone, by unit."""
    codes = list(round_.items.values_list("dossier", flat=True))
    rows = frozen.rows(frozen.folder(settings.HOME, round_.pk), "pairs", frozen.MARKED, of=("dossier", codes))
    found = []
    for row in rows:
        if (cause := remedies.mendable(row)) is not None:
            found.append({"dossier": row["dossier"], "agency": row["agency"], "cause": labels.CAUSES[cause[1]]})
    return found


def _named(rows: Any) -> list[dict[str, Any]]:
    rows = list(rows)
    names = dict(User.objects.filter(username__in={row["by"] for row in rows}).values_list("username", "full_name"))
    return [{**row, "name": names.get(row["by"]) or row["by"]} for row in rows]


def _history(round_: Round) -> list[dict[str, Any]]:
    """The newest acts of the round, from the audit."""
    of_round = Q(table="rounds_round", key=str(round_.pk))
    inside = Q(table__in=["rounds_item", "rounds_look", "rounds_remedy", "rounds_paper"],
               key__startswith=f"{round_.pk}/")  # fmt: skip
    rows = Change.objects.filter(of_round | inside).order_by("-pk")[:_HISTORY]
    return _named(
        {"at": row.at, "by": row.actor, "text": words.act(row.table, row.before, row.after),
         "about": row.key.partition("/")[2] if row.table in ("rounds_item", "rounds_look") else ""}
        for row in rows
    )  # fmt: skip


def _next_hour(now: datetime) -> str:
    wall = now.astimezone(VIET_NAM)
    return f"{wall.replace(hour=min(wall.hour + 1, 23), minute=0):%Y-%m-%dT%H:%M}"


# ---- acts --------------------------------------------------------------------------------------------------------


def _act(request: HttpRequest, round_: Round) -> HttpResponse:
    """One act on a round; afterwards the page again, which says what became of it."""
    post, now, me, number = request.POST, timezone.now(), user(request), round_.pk
    by: dict[str, Any] = {"by": me, "at": now}
    back = redirect("round", number)
    act = post.get("act", "")
    if act == "commit":
        return _commit(request, round_, now)
    home = settings.HOME
    match act:
        case "decree":
            said(request, lambda: plan.decree(number, decision_number=post.get("number", ""),
                                              decision_on=_day(post.get("on", "")), **by),
                 gettext("Đã ghi số, ngày quyết định."))  # fmt: skip
        case "freeze":
            if said(request, lambda: freezing.ask(number, **by), gettext("Đang chốt số liệu hai phía.")):
                wake()
        case "freeze-on":
            if said(request, lambda: freezing.go_on(number, **by), gettext("Đang chốt số liệu hai phía.")):
                wake()
        case "seal":
            said(
                request,
                lambda: draw.seal(number, seal_after=_moment(post.get("after", "")), **by),
                gettext("Đã niêm phong kế hoạch. Sau thời điểm đã chọn, người thứ hai mở câu bí mật để chọn mẫu."),
            )
        case "unseal":
            said(
                request,
                lambda: draw.unseal(number, reason=post.get("note", ""), **by),
                gettext("Đã mở niêm phong: cần cam kết mới."),
            )
        case "draw":
            said(request, lambda: draw.draw(number, nonce=post.get("nonce", "").strip(),
                                            salt=post.get("salt", "").strip(), home=home, **by),
                 gettext("Đã chọn mẫu. Ai cũng chọn lại được từ tệp mẫu."))  # fmt: skip
        case "ask":
            said(request, lambda: explanations.ask(number, home=home, **by), gettext("Đã gửi yêu cầu giải trình."))
        case "extend":
            said(request, lambda: explanations.extend(number, _whole(post.get("days", "")),
                                                      reason=post.get("note", ""), **by),
                 gettext("Đã gia hạn giải trình."))  # fmt: skip
        case "typed":
            said(request, lambda: steps.typed(
                number, post.get("kind", ""), agency=post.get("agency", ""), paper_number=post.get("number", ""),
                dated_on=_day(post.get("on", "")), signer=post.get("signer", ""), **by),
                gettext("Đã ghi số, ngày, người ký."))  # fmt: skip
        case "remedy":
            said(request, lambda: remedies.ask(
                number, agency=post.get("agency", ""), kind=post.get("kind", ""), text=post.get("text", ""),
                due_at=_closing(post.get("due", "")), dossiers=post.get("dossiers", "").split(), home=home, **by),
                gettext("Đã ghi kiến nghị."))  # fmt: skip
        case "remedy-close":
            said(
                request,
                lambda: remedies.close(_whole(post.get("remedy", "")), note=post.get("note", ""), **by),
                gettext("Đã đóng kiến nghị."),
            )
        case "publish":
            said(request, lambda: steps.publish(number, **by), gettext("Đã công bố kết luận tới các đơn vị."))
        case "close":
            said(request, lambda: steps.close(number, **by), gettext("Đã đóng đợt kiểm tra."))
        case _:
            raise Http404(act)
    return back


def _commit(request: HttpRequest, round_: Round, now: datetime) -> HttpResponse:
    """The second person's secret: only its commitment is kept; the receipt is shown this once."""
    try:
        receipt = draw.receipt(request.POST.get("nonce", ""))
        draw.commit(round_.pk, receipt.commitment, by=user(request), at=now)
    except (Refused, Unreadable) as fault:
        messages.error(request, words.say(fault) if isinstance(fault, Refused) else words.unusable(fault))
        return redirect("round", round_.pk)
    round_.refresh_from_db()
    reply = _page(request, round_, receipt=receipt)
    reply["Cache-Control"] = "no-store"
    return reply


def _whole(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 10 else 0


def _day(text: str) -> date:
    """A typed day. Raises `Unreadable`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unreadable(f"on: {text!r} is no day") from None


def _moment(text: str) -> datetime:
    """A typed instant on the office wall. Raises `Unreadable`."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=VIET_NAM)
    except ValueError:
        raise Unreadable(f"after: {text!r} is no instant") from None


def _closing(text: str) -> datetime:
    """The end of a typed day. Raises `Unreadable`."""
    return datetime.combine(_day(text), time(17), VIET_NAM)


# ---- files -------------------------------------------------------------------------------------------------------


@require_GET
@inspectors
def record(request: HttpRequest, number: int) -> FileResponse:
    """The file from which anybody draws again."""
    round_ = one(number)
    file = frozen.folder(settings.HOME, number) / draw.RECORD
    if round_.drawn_at is None or not file.is_file():
        raise Http404(str(number))
    return FileResponse(file.open("rb"), as_attachment=True, filename=f"mau-dot-{number}.json")


@require_GET
@inspectors
def sample(request: HttpRequest, number: int) -> HttpResponse:
    """The dossiers of the sample, narrowed by the address; as many as the figure that led here."""
    round_ = one(number)
    narrowed = {name: request.GET[name] for name in ("agency", "sort", "finding", "state") if name in request.GET}
    items = _narrowed(round_, narrowed)
    said_ = explanations.heard(round_, items)
    agencies, procedures = frozen.names()
    rows = [_row(item, said_[item.dossier], agencies, procedures) for item in items]
    chips = [
        {"text": _chip(name, value, agencies), "href": "?" + "&".join(f"{k}={v}" for k, v in narrowed.items()
                                                                         if k != name)}
        for name, value in narrowed.items()
    ]  # fmt: skip
    return page(request, "rounds/sample.html", {"round": round_, "label": words.label(round_), "rows": rows,
                                                "chips": chips, "query": request.GET.urlencode()})  # fmt: skip


def _narrowed(round_: Round, narrowed: dict[str, str]) -> list[Item]:
    rows = round_.items.order_by("agency", "dossier")
    for name in ("agency", "sort", "finding"):
        if name in narrowed:
            rows = rows.filter(**{name: narrowed[name]})
    found = list(rows)
    match narrowed.get("state"):
        case "waiting" | "answered" as state:
            told = explanations.heard(round_, found)
            wanted = state == "waiting"
            found = [i for i in found if (told[i.dossier].owes if wanted else bool(told[i.dossier].answer))]
        case "read":
            found = [item for item in found if item.read_at is not None]
        case "confirmed":
            found = [item for item in found if item.confirmed_at is not None]
        case "signed":
            found = [item for item in found if item.sort != Item.Sort.CLEAN]
    return found


def _chip(name: str, value: str, agencies: dict[str, str]) -> str:
    match name:
        case "agency":
            return agencies.get(value, value)
        case "sort":
            return words.SORTS.get(value, value)
        case "finding":
            return words.FINDINGS.get(value, value)
    return words.STATES.get(value, value)


def _row(item: Item, told: explanations.Heard, agencies: dict[str, str], procedures: dict[str, str]) -> dict[str, Any]:
    return {
        "item": item, "agency": agencies.get(item.agency, item.agency),
        "procedure": procedures.get(item.procedure, item.procedure), "sort": words.SORTS[item.sort],
        "signs": ", ".join(words.check(code) for code in item.signs), "answer": words.ANSWERS[told.answer],
        "owes": told.owes, "finding": words.FINDINGS[item.finding], "told": told,
        "probability": item.numerator / item.denominator,
    }  # fmt: skip


@require_GET
@inspectors
def workbook(request: HttpRequest, number: int) -> FileResponse:
    """Results by unit, and the sample with every finding, as a workbook."""
    round_ = one(number)
    if round_.drawn_at is None:
        raise Http404(str(number))
    narrowed = {name: request.GET[name] for name in ("agency", "sort", "finding", "state") if name in request.GET}
    agencies, procedures = frozen.names()
    items = _narrowed(round_, narrowed)
    said_ = explanations.heard(round_, items)
    rows = [_row(item, said_[item.dossier], agencies, procedures) for item in items]
    total, by_unit = results.by_unit(round_)
    columns: list[workbooks.Column] = [
        (gettext("Mã hồ sơ"), 27, lambda row: row["item"].dossier),
        (gettext("Đơn vị"), 30, lambda row: row["agency"]),
        (gettext("Thủ tục"), 44, lambda row: row["procedure"]),
        (gettext("Nhóm"), 24, lambda row: row["sort"]),
        (gettext("Dấu hiệu"), 36, lambda row: row["signs"]),
        (gettext("Xác suất chọn, phần nghìn"), 12, lambda row: round(1000 * row["probability"])),
        (gettext("Đơn vị trả lời"), 22, lambda row: row["answer"]),
        (gettext("Nội dung trả lời"), 44, lambda row: row["told"].text),
        (gettext("Văn bản"), 18, lambda row: row["told"].document),
        (gettext("Kết luận"), 22, lambda row: row["finding"]),
        (gettext("Lý do"), 44, lambda row: row["item"].note),
        (gettext("Xác nhận lúc"), 17, lambda row: _wall(row["item"].confirmed_at)),
    ]
    unit_columns: list[workbooks.Column] = [
        (gettext("Đơn vị"), 40, lambda row: row["name"]),
        *((words.COUNTS[name], 13, lambda row, name=name: row[name]) for name in results.COUNTED),
    ]
    line = gettext("Số liệu chốt {at}; mẫu {n} trong {population} hồ sơ; lập bởi {who}").format(
        at=labels.instant(round_.frozen_at), n=labels.number(total["sample"]),
        population=labels.number(round_.population), who=str(request.user),
    )  # fmt: skip
    stream = workbooks.sheets(
        [
            (gettext("Theo đơn vị"), unit_columns, [{"name": gettext("Tất cả"), **total}, *by_unit]),
            (gettext("Hồ sơ của mẫu"), columns, rows),
        ],
        title=f"{words.label(round_)}: {round_.title}", line=line, author=str(request.user),
    )  # fmt: skip
    return FileResponse(stream, as_attachment=True,
                        filename=workbooks.name(f"dot-kiem-tra-{number}", timezone.now(), "xlsx"))  # fmt: skip


def _wall(at: datetime | None) -> datetime | None:
    return at and at.astimezone(VIET_NAM).replace(tzinfo=None)
