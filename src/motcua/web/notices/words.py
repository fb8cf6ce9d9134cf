"""Notices in words: for the page, and for a letter, which names no applicant and no dossier."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from motcua.catalogue.models import Agency
from motcua.notices.digests import COUNTED
from motcua.notices.models import Notice
from motcua.web import labels
from motcua.web.console import sync_words
from motcua.web.console.pages import second
from motcua.web.labels import Words

KINDS = Words(
    {
        "morning": "Việc hôm nay của đơn vị",
        "evening": "Trước khi về",
        "week": "Tuần qua",
        "task_given": "Nhiệm vụ mới",
        "task_late": "Nhiệm vụ quá hạn",
        "explain": "Yêu cầu giải trình",
        "explain_soon": "Giải trình sắp đến hạn",
        "explain_late": "Giải trình quá hạn",
        "answered": "Đơn vị đã giải trình",
        "decided": "Đã kết luận",
        "round_asked": "Đợt kiểm tra hỏi",
        "round_soon": "Đợt kiểm tra: sắp đến hạn trả lời",
        "round_late": "Đợt kiểm tra: quá hạn trả lời",
        "remedy": "Kiến nghị kiểm tra",
        "remedy_late": "Kiến nghị quá hạn",
        "alert": "Cảnh báo",
    }
)
#: What findings and rounds tell.
ASKED = Words(
    {
        "explain": "Yêu cầu số {request}: {n} phát hiện phải giải trình, hạn {day}",
        "again": "Yêu cầu số {request}: hỏi lại {n} phát hiện",
        "explain_soon": "Yêu cầu số {request}: còn {n} phát hiện chưa trả lời, hạn {day}",
        "explain_late": "Yêu cầu số {request}: {n} phát hiện chưa trả lời, quá hạn từ {day}",
        "answered": "Yêu cầu số {request}: đã trả lời {n} phát hiện",
        "decided": "Yêu cầu số {request}: đã kết luận {n} phát hiện",
        "round_asked": "Đợt kiểm tra số {round}: {n} hồ sơ phải giải trình, hạn {day}",
        "round_soon": "Đợt kiểm tra số {round}: còn {n} hồ sơ chưa trả lời, hạn {day}",
        "round_late": "Đợt kiểm tra số {round}: {n} hồ sơ chưa trả lời, quá hạn từ {day}",
        "remedy": "Đợt kiểm tra số {round}: một kiến nghị phải thực hiện, hạn {day}",
        "remedy_late": "Đợt kiểm tra số {round}: một kiến nghị quá hạn từ {day}",
    }
)
ITEMS = Words(
    {
        "explain_late": "Giải trình quá hạn: {n}",
        "explain_today": "Giải trình đến hạn hôm nay: {n}",
        "explain": "Giải trình đang chờ: {n}",
        "task": "Nhiệm vụ “{title}”, hạn {day}: còn {n}",
        "task_today": "Nhiệm vụ “{title}” đến hạn hôm nay: còn {n}",
        "task_late": "Nhiệm vụ quá hạn “{title}”, hạn {day}: còn {n}",
        "overdue": "Hồ sơ đang quá hạn thực tế: {n}",
        "due_today": "Hồ sơ đến hạn hôm nay: {n}",
        "late_reception": "Hồ sơ chậm tiếp nhận: {n}",
        "shown_by_sync": "Hồ sơ trên Cổng hiện quá hạn chỉ do đồng bộ: {n}",
        "not_clicked": "Hồ sơ đã xong việc nhưng chưa kết thúc trên hệ thống: {n}",
        "unproven": "Hồ sơ ghi đúng hạn nhưng chưa có chứng cứ: {n}",
        "week_open": "Đang xử lý quá hạn trên Cổng: {n}{change}; trễ thực tế {true}",
        "week_reception": "Chậm tiếp nhận: {n}{change}",
        "week_finished": "Đã giải quyết trễ hạn: {n}{change}",
        "noted": "Cần chú ý {name}: {n} trễ thực tế / {of}{change}",
        "tasks_fine": "Việc đã giao đúng tiến độ: {n}",
    }
)
JOBS = Words(
    {
        "deliver": "Gửi lên Cổng",
        "take-in": "Nhận hồ sơ từ Cổng",
        "tickets": "Phiếu xử lý",
        "alerts": "Cảnh báo",
        "read-back": "Đọc lại từ Cổng",
        "extract": "Cập nhật dữ kiện",
        "overdue": "Quét quá hạn",
        "loads": "Nạp tệp",
        "directives": "Tiến độ nhiệm vụ",
        "day-figures": "Số liệu trong ngày",
        "notices": "Lập thông báo",
        "sending": "Gửi thông báo",
        "seal": "Niêm phong nhật ký",
        "catalogue": "Lấy danh mục của Cổng",
        "findings": "Quét dấu hiệu",
        "forget": "Xóa phiên đã hết",
        "freeze": "Chốt số liệu đợt kiểm tra",
        "learn": "Học cảnh báo sớm",
        "packs": "Lập gói chứng cứ",
        "raw-messages": "Xóa bản tin quá thời hạn giữ",
        "rounds": "Phúc tra đợt kiểm tra",
        "warnings": "Cảnh báo sớm",
    }
)
ERRORS = Words(
    {
        "note": "Chưa ghi: nêu lý do.",
        "notice": "Chưa ghi: thông báo này không còn ở trang của anh/chị, có thể đã chuyển cho đồng nghiệp.",
        "days": "Chưa ghi: chọn ngày từ hôm nay, trong 90 ngày.",
        "to": "Chưa chuyển: chọn một đồng nghiệp cùng đơn vị.",
        "url": "Chưa thêm: địa chỉ có dạng https://máy/đường-dẫn.",
        "hours": "Chưa lưu: giờ có dạng 06:30, giờ đầu trước giờ cuối.",
    }
)


def error(reason: str) -> str:
    """What did not happen, and the way out."""
    return ERRORS.get(reason.partition(":")[0], reason)


def item(found: Mapping[str, Any]) -> str:
    """An item of a digest in a sentence."""
    change = ""
    if found.get("before") is not None:
        by = found["count"] - found["before"]
        if by:
            text = gettext(" (tăng {n})") if by > 0 else gettext(" (giảm {n})")
            change = text.format(n=labels.number(abs(by)))
    due_on = found.get("due_on")
    return ITEMS[found["code"]].format(
        n=labels.number(found["count"]),
        change=change,
        true=labels.number(found.get("true", 0)),
        of=labels.number(found.get("of", 0)),
        name=found.get("name", ""),
        title=found.get("title", ""),
        day=f"{date.fromisoformat(due_on):%d/%m}" if due_on else "",
    )


def href(found: Mapping[str, Any], agency: str, as_of: str) -> str:
    """The list that holds exactly what an item counts."""
    code = found["code"]
    if "task" in found:
        return reverse("directive", args=[found["task"]])
    if code in ("explain", "explain_today", "explain_late"):
        return reverse("requests")
    if code == "tasks_fine":
        return reverse("directives")
    if code.startswith("week_"):
        return f"{reverse('bridge')}?{urlencode({'measure': code[5:], 'as_of': as_of})}"
    if code == "noted":
        query = {"measure": "all", "side": "true", "by": "agency", "key": found["agency"], "as_of": as_of}
        return f"{reverse('dossiers')}?{urlencode(query)}"
    measure, chosen = COUNTED[code]
    query = {"measure": measure, "as_of": as_of, "by": "agency", "key": agency}
    for name in ("side", "leg", "cause", "direction", "flag"):
        if value := getattr(chosen, name):
            query[name] = value
    return f"{reverse('dossiers')}?{urlencode(query)}"


def told(notice: Notice, agencies: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A notice as a page shows it: title, a line of what it rests on, its items."""
    body = notice.body
    name = (agencies or {}).get(notice.agency) or (
        Agency.objects.filter(code=notice.agency).values_list("name", flat=True).first() if notice.agency else ""
    )
    title = KINDS[notice.kind]
    match notice.kind:
        case "alert":
            return {
                "title": title,
                "text": sync_words.alert(body["kind"], body["subject"], body["facts"]),
                "items": [],
                "href": reverse("sync"),
            }
        case "task_given" | "task_late":
            day = f"{date.fromisoformat(body['due_on']):%d/%m/%Y}"
            text = gettext("{title}, hạn {day}").format(title=body["title"], day=day)
            if late := body.get("late_days"):
                text += gettext(", quá {n} ngày làm việc").format(n=late)
            return {"title": title, "text": text, "items": [], "href": reverse("directive", args=[body["task"]])}
        case kind if kind in ASKED:
            return {"title": title, "text": asked(kind, body), "items": [], "href": _where(notice.agency, body)}
    as_of = second(body["as_of"])
    items = [(item(each), href(each, notice.agency, as_of)) for each in body["items"]]
    return {
        "title": f"{title}: {name}" if name else title,
        "text": rests(body),
        "items": items,
        "href": "",
        "stale": body["stale"],
    }


def asked(kind: str, body: Mapping[str, Any]) -> str:
    """What a finding's request or a round tells, with the unit that it is about."""
    due_at = body.get("due_at", "")
    text = ASKED["again" if body.get("again") else kind].format(
        request=body.get("request", ""), round=body.get("round", ""), n=labels.number(body.get("count", 0)),
        day=f"{date.fromisoformat(due_at[:10]):%d/%m/%Y}" if due_at else "",
    )  # fmt: skip
    name = Agency.objects.filter(code=body["of"]).values_list("name", flat=True).first() or body["of"]
    return f"{name}. {text}"


def _where(agency: str, body: Mapping[str, Any]) -> str:
    """The page on which it is done: an inspector's notice has no agency."""
    if "request" in body:
        return reverse("request", args=[body["request"]])
    return reverse("round-answers" if agency else "round", args=[body["round"]])


def rests(body: Mapping[str, Any]) -> str:
    """When it was scanned and over how many; a zero that is none is said to be none."""
    at, count = labels.instant(body["as_of"]), labels.dossiers(body["open"])
    if body["stale"]:
        since = labels.ago(body["facts_age_s"])
        return gettext("Chưa quét mới từ {since}: chưa dùng được các con số này.").format(since=since)
    if not body["items"]:
        return gettext("Không có việc phải làm ngay. Quét lúc {at}, {n} đang mở.").format(at=at, n=count)
    return gettext("Quét lúc {at}, {n} đang mở.").format(at=at, n=count)


def mail(notice: Notice) -> tuple[str, str]:
    """A notice as a letter: subject and text, in Vietnamese, with full addresses."""
    address = os.environ.get("MOTCUA_ADDRESS", "").rstrip("/")
    with translation.override("vi"):
        found = told(notice)
        lines = [found["text"], ""]
        for number, (text, link) in enumerate(found["items"], 1):
            lines += [f"{number}. {text}", f"   {address}{link}" if address else ""]
        if found["href"] and address:
            lines.append(f"{address}{found['href']}")
        lines += ["", gettext("Xem, tắt hoặc chuyển thông báo: {where}").format(where=f"{address}{reverse('notices')}")]
        subject = f"[motcua] {found['title']}"
        if notice.kind in ("morning", "evening") and found["items"]:
            subject += f" ({len(found['items'])})"
        return subject, "\n".join(line for n, line in enumerate(lines) if line or (n and lines[n - 1]))


def job(row: Mapping[str, Any]) -> dict[str, Any]:
    """A watcher in words: what it counted when, or that it is silent. Never run is no zero."""
    name = JOBS.get(row["name"], row["name"])
    if row["heartbeat_age_s"] is None:
        return {
            "name": name,
            "shape": "unknown",
            "text": gettext("chưa chạy lần nào: chưa dùng được con số 0"),
            "late": True,
        }
    age = sync_words.age(row["heartbeat_age_s"])
    if row["silent"]:
        text = gettext("im lặng {age}: chưa dùng được con số của việc này").format(age=age)
        return {"name": name, "shape": "late", "text": text, "late": True}
    if row["error"]:
        return {
            "name": name,
            "shape": "late",
            "text": gettext("lỗi, {age} trước: {error}").format(age=age, error=row["error"][:120]),
            "late": True,
        }
    return {
        "name": name,
        "shape": "done",
        "text": gettext("{age} trước, đếm được {n}").format(age=age, n=labels.number(row["count"])),
        "late": False,
    }
