"""Words of early warning: what is known of an open dossier, in a sentence that an official can check."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext

from motcua.warning.models import Learned, Warned
from motcua.web import labels
from motcua.web.labels import Words

CANDIDATES = Words(
    {
        "committee": "ước lượng thống kê",
        "slack": "chỉ tính thời gian còn lại",
        "base_rate": "tỷ lệ trễ chung",
        "slack_only": "thời gian còn lại",
        "rate_by_procedure": "tỷ lệ trễ theo thủ tục",
        "rate_by_step": "tỷ lệ trễ theo bước",
        "median_by_step": "thời gian thường cần theo bước",
        "share_by_step": "tỷ lệ hồ sơ như vậy cần lâu hơn",
        "share_uncalibrated": "tỷ lệ hồ sơ như vậy cần lâu hơn, để nguyên",
        "days_by_step": "tỷ lệ hồ sơ như vậy cần lâu hơn, tính theo ngày lịch",
        "days_uncalibrated": "tỷ lệ hồ sơ như vậy cần lâu hơn, tính theo ngày lịch, để nguyên",
    }
)

ORDERS = Words({"help": "gấp nhất trước", "chance": "dễ trễ nhất trước", "unit": "theo đơn vị"})


def state(name: str) -> str:
    """What an act left a dossier in: the step that runs, the step that is done, or the act."""
    kind, _, step = name.partition(":")
    if step and kind == "step_started":
        return gettext("đang ở bước {step}").format(step=step)
    if step:
        return gettext("sau bước {step}").format(step=step)
    return gettext("sau khi {act}").format(act=labels.KINDS[kind].lower() if kind in labels.KINDS else kind)


def about(minutes: int) -> str:
    """Working time as people say it: days and hours, or hours and ten minutes."""
    step = 60 if minutes >= 480 else 10
    return labels.worked(max(round(minutes / step) * step, 10))


def chance(row: Warned) -> str:
    """38 % khả năng trễ (từ 30 % đến 47 %); empty where none is estimated."""
    if row.share is None:
        return ""
    return gettext("{share}% khả năng trễ (từ {low}% đến {high}%)").format(
        share=round(row.share * 100), low=round((row.low or 0) * 100), high=round((row.high or 0) * 100)
    )


def reasons(row: Warned) -> list[str]:
    """Why, the weightiest first: facts with what is usual beside them."""
    lasted = about(row.in_state)
    usual = "" if row.usual_in_state is None else about(row.usual_in_state)
    text = gettext("{state} {lasted}, thường {usual}") if usual else gettext("{state} {lasted}")
    found = [text.format(state=state(row.state), lasted=lasted, usual=usual)]
    if row.paused:
        found.append(gettext("đang tạm dừng"))
    left, needed = about(row.left), about(row.usual)
    found.append(gettext("còn {left}, hồ sơ như vậy thường cần thêm {needed}").format(left=left, needed=needed))
    if "often_late" in row.reasons and row.procedure_late is not None:
        found.append(
            gettext("thủ tục này trễ {share}% số hồ sơ, nhiều hơn mức chung").format(
                share=round(row.procedure_late * 100)
            )
        )
    return found


def sentence(row: Warned) -> str:
    """Everything in one line."""
    if row.helped_until:
        help_ = gettext("còn cứu được đến {at}").format(at=labels.instant(row.helped_until))
    else:
        help_ = gettext("không còn kịp cả theo nhịp của một phần tư nhanh nhất")
    return "; ".join([*reasons(row), *([chance(row)] if row.share is not None else []), help_])


def answered_with(row: Learned) -> str:
    """What a model answers with: one forecast, or two with what each counts for."""
    if not row.beside:
        return CANDIDATES.get(row.chosen, row.chosen)
    share = round(row.trust * 100)
    return gettext("{one} ({share}%) cùng {other} ({rest}%)").format(
        one=CANDIDATES["committee"], share=share, other=CANDIDATES.get(row.beside, row.beside), rest=100 - share
    )


def note(text: str) -> str:
    """Why there is no estimate."""
    if text == "no_extra":
        return gettext("chưa cài phần mở rộng predict")
    return gettext("lịch sử chưa đủ để học") if text else ""


def until(at: datetime | None) -> str:
    """The instant until which it can be helped, the day first."""
    return labels.stamp(at.isoformat()) if at else ""
