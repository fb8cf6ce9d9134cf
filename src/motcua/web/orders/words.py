"""Words of tasks: what a target counts, how a task stands, what happened to it."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext

from motcua.directives import targets
from motcua.directives.models import Directive, Line
from motcua.directives.standing import Standing
from motcua.directives.targets import Value
from motcua.rules.instants import local_day
from motcua.web import labels
from motcua.web.labels import Words

METRICS = Words(
    {
        "not_synchronised": "Hồ sơ đã xong mà Cổng quốc gia chưa ghi nhận",
        "open_overdue": "Hồ sơ đang xử lý quá hạn thực tế",
        "shown_overdue": "Hồ sơ đang hiện quá hạn trên Cổng quốc gia",
        "late_reception": "Hồ sơ chậm tiếp nhận (quá 8 giờ làm việc)",
        "late_by_sync": "Hồ sơ trễ trên Cổng chỉ do đồng bộ",
        "late_by_clicks": "Hồ sơ trễ chỉ do thao tác",
        "cause": "Hồ sơ trễ theo một nguyên nhân",
        "unproven": "Hồ sơ ghi đúng hạn nhưng chưa có chứng cứ",
        "unanswered": "Hồ sơ có yêu cầu giải trình chưa trả lời",
        "on_time_rate": "Tỷ lệ giải quyết đúng hạn thực tế",
    }
)
PACES = Words(
    {
        "overdue": "Quá hạn",
        "soon": "Sắp đến hạn",
        "running": "Đang thực hiện",
        "unknown": "Chưa có số liệu",
        "met": "Đã đạt, đang giữ",
        "done": "Hoàn thành",
        "closed": "Kết thúc, chưa đạt",
        "withdrawn": "Đã thu hồi",
    }
)
#: The shape beside each pace.
SHAPES = {
    "overdue": "late",
    "soon": "soon",
    "running": "open",
    "unknown": "unknown",
    "met": "done",
    "done": "done",
    "closed": "unknown",
    "withdrawn": "unknown",
}
ACTS = Words(
    {
        "given": "Giao nhiệm vụ",
        "seen": "Đã nhận",
        "answered": "Báo cáo của đơn vị",
        "met": "Số liệu cho thấy đã đạt",
        "slipped": "Số liệu cho thấy chưa đạt lại",
        "extended": "Gia hạn",
        "escalated": "Báo lên",
        "closed": "Kết thúc",
        "closed_by_data": "Kết thúc theo dữ liệu",
        "reopened": "Giao lại",
        "withdrawn": "Thu hồi",
        "verified": "Tính lại số liệu đã ghi",
    }
)
ERRORS = Words(
    {
        "title": "Chưa giao: ghi một câu nói rõ việc phải đạt.",
        "target": "Chưa giao: chỉ tiêu là số hồ sơ từ 0 trở lên, hoặc tỷ lệ từ 0 đến 100%.",
        "agencies": "Chưa giao: chọn ít nhất một đơn vị.",
        "due": "Chưa ghi: ngày hạn đã qua, hoặc không muộn hơn hạn cũ. Chọn ngày khác.",
        "reason": "Chưa ghi: nêu lý do, để người đọc sau hiểu.",
        "hold": "Chưa lưu: số ngày giữ chỉ tiêu từ 1 đến 90.",
        "rungs": "Chưa lưu: cần ít nhất một bậc; mỗi bậc một số ngày từ 1 đến 90 và muộn hơn bậc trước.",
        "answer": "Chưa gửi: chưa ghi nội dung báo cáo.",
    }
)


def small(text: str) -> str:
    """A phrase inside a sentence: its first letter small, abbreviations kept."""
    return text[:1].lower() + text[1:]


def error(reason: str) -> str:
    """What did not happen, and the way out."""
    return ERRORS.get(reason.partition(":")[0], reason)


def value(metric: str, of: Value | None) -> str:
    """A figure as screens write it."""
    if of is None:
        return gettext("chưa có số liệu")
    if targets.METRICS[metric].most:
        return labels.number(of.value)
    return labels.percent(of.value / of.out_of if of.out_of else None)


def target(directive: Directive) -> str:
    """A target in words."""
    if targets.METRICS[directive.metric].most:
        text = (
            gettext("không còn hồ sơ nào")
            if directive.target == 0
            else gettext("không quá {n}").format(n=labels.dossiers(directive.target))
        )
    else:
        text = gettext("từ {rate} trở lên").format(rate=labels.percent(directive.target / 1000))
    return gettext("{target}, ở từng đơn vị").format(target=text) if directive.each and directive.target else text


def counted(directive: Directive) -> str:
    """What a target counts, in words."""
    text = METRICS[directive.metric]
    if directive.cause:
        text = f"{text}: {labels.CAUSES[directive.cause]}"
    return f"{text} ({labels.period(directive.period)})" if directive.period else text


def title(metric: str, cause: str, goal: int, due_on: date) -> str:
    """A title for who gives none: what is to be reached by when."""
    draft = Directive(metric=metric, cause=cause, target=goal, due_on=due_on)
    return gettext("{what}: {target}, trước ngày {day}").format(
        what=counted(draft), target=target(draft), day=f"{due_on:%d/%m/%Y}"
    )


def left(directive: Directive, today: date) -> str:
    """How far the day is."""
    days = (directive.due_on - today).days
    if directive.state != Directive.State.OPEN:
        return ""
    if days < 0:
        return gettext("quá {n} ngày").format(n=-days)
    return gettext("hôm nay") if days == 0 else gettext("còn {n} ngày").format(n=days)


def moved(standing: Standing) -> str:
    """How a figure moved since the first day of the task."""
    if standing.whole is None or standing.first is None or standing.whole == standing.first:
        return ""
    metric = standing.directive.metric
    return gettext("từ {first}").format(first=value(metric, standing.first))


def line(one: Line) -> str:
    """A line of the history in a sentence."""
    facts = one.facts
    match one.act:
        case "escalated":
            return gettext("Báo lên {role}, đã quá hạn {n} ngày làm việc").format(
                role=small(labels.ROLES.get(facts["role"], facts["role"])), n=facts["late_days"]
            )
        case "extended":
            return gettext("Gia hạn từ {before} đến {after}").format(
                before=_day(facts["before"]), after=_day(facts["after"])
            )
        case "reopened":
            return gettext("Giao lại, hạn {after}").format(after=_day(facts["after"]))
        case "met" | "slipped" | "closed_by_data":
            return gettext("{act} (còn {n})").format(act=ACTS[one.act], n=labels.number(facts["value"]))
        case "verified":
            return verified(one)
    return ACTS[one.act]


def verified(one: Line) -> str:
    """What computing the kept days again gave."""
    days, wrong = labels.number(one.facts["days"]), len(one.facts["faults"])
    if wrong:
        return gettext("Tính lại {n} ngày đã ghi: {wrong} ngày lệch").format(n=days, wrong=labels.number(wrong))
    return gettext("Tính lại {n} ngày đã ghi: khớp cả").format(n=days)


def _day(text: str) -> str:
    return f"{date.fromisoformat(text):%d/%m/%Y}"


def _mark(standing: Standing) -> dict[str, Any] | None:
    """Whether what was kept was computed again to the same numbers; None: never."""
    if standing.verified is None:
        return None
    return {"at": standing.verified.at, "text": verified(standing.verified),
            "shape": "late" if standing.verified.facts["faults"] else "done"}  # fmt: skip


def row(standing: Standing, today: date) -> dict[str, Any]:
    """A task as lists show it."""
    directive = standing.directive
    return {
        "standing": standing,
        "directive": directive,
        "pace": standing.pace,
        "shape": SHAPES[standing.pace],
        "pace_text": PACES[standing.pace],
        "value": value(directive.metric, standing.whole),
        "target": target(directive),
        "counted": counted(directive),
        "left": left(directive, today),
        "moved": moved(standing),
        "units": len(standing.units),
        "unseen": standing.unseen,
        "given_on": local_day(directive.given_at),
        "late": standing.pace == "overdue",
        "verified": _mark(standing),
    }
