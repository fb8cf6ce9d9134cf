"""Findings as a list: by group of check and agency, or one by one; filters in the address, the same rows in Excel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from motcua.findings import listed, modes, people, saved, update
from motcua.findings.listed import Narrowed
from motcua.findings.models import Finding, Scan
from motcua.rules.instants import VIET_NAM, Unreadable
from motcua.web import labels
from motcua.web.console import workbooks
from motcua.web.console.pages import page
from motcua.web.findings import words
from motcua.web.findings.viewer import Viewer, inspection, number, sensible
from motcua.web.orders.people import gives

SIZE = 50
_MOST_GROUPS = 200
#: Rows of a workbook.
_MOST_ROWS = 100_000
ADDRESS = "/phat-hien"


def link(narrowed: Narrowed, **changes: Any) -> str:
    """The list's address with these conditions changed; an empty one goes."""
    query = {name: str(value) for name, value in {**narrowed.query(), **changes}.items() if value not in ("", None)}
    return f"{ADDRESS}?{urlencode(query)}" if query else ADDRESS


@require_GET
@inspection
@sensible
def findings(request: HttpRequest) -> HttpResponse:
    """The list. Grouped at first; one by one where asked for, or where one agency or request is left."""
    viewer = Viewer.of(request)
    narrowed = Narrowed.read({"state": "open", **request.GET.dict()} if not request.GET.get("state") else
                             request.GET.dict())  # fmt: skip
    everything = viewer.visible
    left = narrowed.of(everything, now=viewer.now)
    single = request.GET.get("xem", "") == "tung" or bool(narrowed.request or narrowed.subject)
    view = "tung" if single else ""
    total = listed.count(left)
    agencies = listed.agencies(everything)
    names = dict(agencies)
    context: dict[str, Any] = {
        "narrowed": narrowed,
        "total": total,
        "single": single,
        "as_groups": link(narrowed),
        "one_by_one": link(narrowed, xem="tung"),
        "chips": _chips(narrowed, view),
        "facets": _facets(everything, narrowed, view, viewer),
        "scan": scan(viewer),
        "workbook": f"{ADDRESS}.xlsx?{urlencode(narrowed.query())}",
        "query": urlencode(narrowed.query()),
        "offered": offered(("sent", "concluded", "asked_again", "extended", "assigned")),
        "drafts": gives(viewer.user, on=viewer.on),
        "undo": request.session.get("undo"),
        "saved": _saved(viewer, narrowed),
        "may_save": narrowed != Narrowed(state="open"),
        "inspectors": people.inspectors(on=viewer.on),
        "agencies": agencies,
    }
    if single:
        after = number(request.GET.get("after", "")) or 0
        first = number(request.GET.get("n", "")) or 1
        rows = listed.page(left, after=after, size=SIZE + 1)
        shown = rows[:SIZE]
        last = first + len(shown) - 1
        context |= {
            "rows": [row(found, viewer, names) for found in shown], "first": first if after else 1,
            "last": last if after else len(shown), "pages_total": total["findings"],
            "start": link(narrowed, xem="tung") if after else "",
            "next": link(narrowed, xem="tung", after=shown[-1].pk, n=last + 1) if len(rows) > SIZE else "",
        }  # fmt: skip
    else:
        groups = listed.groups(left, now=viewer.now)
        watched = modes.watching()
        context |= {
            "groups": [_group(group, narrowed, watched) for group in groups[:_MOST_GROUPS]],
            "more_groups": max(len(groups) - _MOST_GROUPS, 0),
        }
    return page(request, "findings/list.html", context)


def _saved(viewer: Viewer, narrowed: Narrowed) -> list[dict[str, Any]]:
    """The filters in a viewer's hands, each with its address; `here`: the one whose conditions are in force."""
    rows = []
    for row in saved.visible(viewer.name, viewer.unit):
        try:
            conditions = Narrowed.read(row.query)
        except Unreadable:  # of an older version
            continue
        rows.append({
            "row": row, "href": link(conditions), "mine": row.owner == viewer.name, "here": conditions == narrowed,
        })  # fmt: skip
    return rows


def _group(group: dict[str, Any], narrowed: Narrowed, watched: frozenset[str]) -> dict[str, Any]:
    inside = {"check": group["check_code"], "agency": group["agency"], "xem": "tung"}
    states = [
        (state, group[state], link(narrowed, **{**inside, "state": name}))
        for state, name in (("overdue", "overdue"), ("new", "new"), ("asked", "asked"), ("answered", "answered"),
                            ("to_remedy", "to_remedy"))
        if group[state] and not (state == "asked" and group["asked"] == group["overdue"])
    ]  # fmt: skip
    if group["finished"]:
        states.append(("finished", group["finished"], link(narrowed, **inside)))
    return {
        **group,
        "title": words.title(group["check_code"]),
        "number": words.number(group["check_code"]),
        "href": link(narrowed, **inside),
        "key": f"{group['check_code']}|{group['agency']}|{group['severity']}",
        "watched": group["check_code"] in watched,
        "sure": group["confidence"] >= 1,
        "states": states,
        "hours": round((group["saved"] or 0) / 60),
    }


def offered(kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    """Acts that a list offers on what is ticked."""
    return [(kind, words.ACTS[kind]) for kind in kinds]


def row(found: Finding, viewer: Viewer, names: Mapping[str, str]) -> dict[str, Any]:
    """A finding as a row of a list; `names` are those of the agencies."""
    return {
        "agency_name": names.get(found.agency, found.agency),
        "finding": found, "title": words.title(found.check_code), "number": words.number(found.check_code),
        "state": words.state(found, now=viewer.now), "facts": words.main(found),
        "answer": words.REASONS.get(found.answer.get("reason", ""), ""),
    }  # fmt: skip


def scan(viewer: Viewer) -> dict[str, Any]:
    """The newest scan: when, how old its facts, how many checks could not look; empty where none was run yet."""
    last: Scan | None = update.last()
    if last is None:
        return {}
    states = [check["state"] for check in last.checks.values()]
    return {
        "at": last.at, "facts_age_s": update.facts_age_s(last, now=viewer.now), "signs": last.signs,
        "stale": (viewer.now - last.at).total_seconds() > 3_600,
        "looked": sum(state in ("scanned", "partly") for state in states),
        "not_looked": sum(state in ("not_scanned", "broken") for state in states),
    }  # fmt: skip


def _chips(narrowed: Narrowed, view: str) -> list[dict[str, str]]:
    texts: dict[str, Callable[[str], str]] = {
        "state": lambda v: words.STATES[v], "check": words.title, "severity": lambda v: labels.SEVERITIES[v],
        "outcome": lambda v: words.OUTCOMES[v],
        "agency": lambda v: dict(listed.agencies(Finding.objects.filter(agency=v))).get(v, v),
        "inspector": lambda v: people.names({v}).get(v, v),
        "request": lambda v: gettext("yêu cầu số {n}").format(n=v),
        "round": lambda v: gettext("đợt kiểm tra số {n}").format(n=v),
        "subject": lambda v: f"“{v}”",
    }  # fmt: skip
    return [
        {"name": name, "text": texts[name](value), "href": link(narrowed, **{name: "", "xem": view})}
        for name, value in narrowed.query().items()
        if not (name == "state" and value == "open")
    ]


def _facets(everything: Any, narrowed: Narrowed, view: str, viewer: Viewer) -> dict[str, Any]:
    """Counts beside the list. Each is what its link lists."""
    without = {name: Narrowed(**{**narrowed.query(), name: ""}) for name in ("state", "severity", "check")}
    counts = {name: listed.facets(one.of(everything, now=viewer.now), now=viewer.now) for name, one in without.items()}
    states: Mapping[str, int] = counts["state"]["states"]
    asked = sum(states.get(name, 0) for name in ("sent", "drafting", "to_approve"))
    order = (
        ("new", states.get("new", 0)), ("asked", asked), ("overdue", counts["state"]["overdue"]),
        ("answered", states.get("answered", 0)), ("to_remedy", states.get("to_remedy", 0)),
        ("concluded", states.get("concluded", 0)), ("closed", states.get("closed", 0)),
    )  # fmt: skip
    return {
        "states": [
            {"name": words.STATES[name], "count": count, "chosen": narrowed.state == name,
             "href": link(narrowed, state=name, xem=view)}
            for name, count in order
        ],
        "severities": [
            {"name": labels.SEVERITIES[name], "count": counts["severity"]["severities"].get(name, 0),
             "chosen": narrowed.severity == name, "href": link(narrowed, severity=name, xem=view)}
            for name in labels.SEVERITIES
        ],
        "checks": sorted(
            (
                {"name": words.title(code), "count": count, "chosen": narrowed.check == code,
                 "href": link(narrowed, check=code, xem=view)}
                for code, count in counts["check"]["checks"].items()
            ),
            key=lambda item: (-item["count"], item["name"]),
        ),
    }  # fmt: skip


@require_GET
@inspection
@sensible
def workbook(request: HttpRequest) -> FileResponse:
    """The same findings as a workbook, one by one."""
    viewer = Viewer.of(request)
    narrowed = Narrowed.read({"state": "open", **request.GET.dict()})
    left = narrowed.of(viewer.visible, now=viewer.now).order_by("pk").distinct()
    names = dict(listed.agencies(viewer.visible))
    rows = [
        row(found, viewer, names) for found in left[:_MOST_ROWS]
    ]  # fmt: skip
    stream = workbooks.table(
        _columns(), rows, sheet=gettext("Phát hiện"),
        title=", ".join([gettext("Phát hiện"), *(chip["text"] for chip in _chips(narrowed, ""))]),
        line=gettext("{n} dòng; lập lúc {at} bởi {author}; máy nêu dấu hiệu, người kết luận vi phạm").format(
            n=labels.number(len(rows)), at=labels.instant(viewer.now), author=str(request.user)
        ),
        author=str(request.user),
    )  # fmt: skip
    return FileResponse(stream, as_attachment=True, filename=workbooks.name("phat-hien", viewer.now, "xlsx"))


def _columns() -> list[workbooks.Column]:
    def wall(name: str) -> Any:
        return lambda one: (at := getattr(one["finding"], name)) and at.astimezone(VIET_NAM).replace(tzinfo=None)

    return [
        (gettext("Số"), 8, lambda one: one["finding"].pk),
        (gettext("Mức"), 6, lambda one: one["finding"].severity),
        (gettext("Dấu hiệu"), 36, lambda one: one["title"]),
        (gettext("Số hiệu"), 8, lambda one: one["number"]),
        (gettext("Hồ sơ"), 27, lambda one: one["finding"].subject),
        (gettext("Đơn vị"), 30, lambda one: one["agency_name"]),
        (gettext("Chứng cứ chính"), 60, lambda one: "; ".join(f"{name}: {fact}" for name, fact in one["facts"])),
        (gettext("Trạng thái"), 20, lambda one: words.STATES[one["state"]]),
        (gettext("Hạn giải trình"), 17, wall("due_at")),
        (gettext("Trả lời"), 18, lambda one: one["answer"]),
        (gettext("Nội dung giải trình"), 50, lambda one: one["finding"].answer.get("text", "")),
        (gettext("Kết luận"), 24, lambda one: words.OUTCOMES.get(one["finding"].outcome, "")),
        (gettext("Phát hiện lúc"), 17, wall("opened_at")),
    ]
