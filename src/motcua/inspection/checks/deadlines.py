"""The due date: kept, announced in time, moved only by the book; and no step or unit silent on the way."""

from __future__ import annotations

import narwhals as nw

from motcua.inspection import verdicts
from motcua.inspection.checks import grounds, peers
from motcua.inspection.checks.check import Check, Found, Given, Need, Parameter
from motcua.inspection.checks.facts import Facts
from motcua.inspection.checks.reception import accepted
from motcua.inspection.verdicts import flag, instant, local_day

_DUE = Need(fact="due", title="hạn trả", has=lambda: ~nw.col("due_0").is_null())
_WORKDAY = 480


def _promised(given: Given) -> nw.Expr:
    return accepted()


def overdue(given: Given) -> nw.Expr:
    """Late under every reading of the law: the most favourable lawful due instant, the earliest end."""
    end = instant("best_finish_at")
    moment = nw.when(end <= given.scope.as_of).then(end).otherwise(nw.lit(given.scope.as_of))
    waits = (end > given.scope.as_of) & flag("paused_3")
    withdrawn = nw.col("finish_kind") == "withdrawn"
    return (moment > nw.col("most_due_at")) & ~waits & ~withdrawn


def _no_apology(given: Given) -> nw.Expr:
    said, due = local_day(nw.col("apology_at")), local_day(nw.col("due_by_pauses"))
    in_time = (said <= due - given.number("days_before")).fill_null(value=False)
    return overdue(given) & ~in_time


def _extended_again(given: Given) -> nw.Expr:
    return nw.col("extensions_n") > given.number("extensions")


def _more_than_peers(facts: Facts, given: Given) -> Found:
    """The share of a unit's dossiers that are late in truth, against peers with the same procedures.

    Of those that have a due date: a unit that states none would look like the best.
    """
    late = verdicts.our_late(facts.scope, verdicts.our_stage(facts.scope, 3))
    promised = accepted() & ~nw.col("due_0").is_null()
    frame = facts.dossiers.filter(promised, flag("in_population"), nw.col("agency") != "").select(
        "agency", subject="agency", stratum="core", event=late
    )
    return peers.compare("late_more_than_peers", frame, facts, given, kind="unit")


# ---- on the way ------------------------------------------------------------------------------------------------


def _longer_than_a_day(given: Given) -> nw.Expr:
    return accepted() & (nw.col("limit_minutes") > _WORKDAY)


def _silent(given: Given) -> nw.Expr:
    share = nw.col("limit_minutes") * given.share("share")
    return (nw.col("silence") > share) & (nw.col("silence") >= given.number("workdays") * _WORKDAY)


def _at_once(given: Given) -> nw.Expr:
    took = nw.col("w_finish") - nw.col("w_received")
    span = nw.col("steps_last_at") - nw.col("steps_first_at")
    return (
        (nw.col("steps_n") >= 2)
        & (span <= given.number("minutes") * 60)
        & (took >= _WORKDAY)
        & (nw.col("steps_caught_up_n") == 0)
    )


def _step_over(given: Given) -> nw.Expr:
    return (nw.col("step_over") > given.number("grace_minutes")) & ~flag("has_pause")


def _consulted(given: Given) -> nw.Expr:
    return accepted() & (nw.col("legs_n") > 0)


def _consultation_open(given: Given) -> nw.Expr:
    ended = nw.col("finish_at") <= given.scope.as_of
    unanswered = ended & (nw.col("legs_back_n") < nw.col("legs_n"))
    return unanswered.fill_null(value=False) | (nw.col("leg_back_at") > nw.col("due_by_pauses"))


_EARLIER = grounds.one_stop("Điều 19 khoản 9", "Điều 19")

CHECKS: tuple[Check, ...] = (
    Check(
        code="overdue", number="V-12", severity="B", remedy="apologise_now", title="Giải quyết quá hạn",
        explanation="Quá hạn theo mọi cách đọc luật: hạn có lợi nhất cho đơn vị, thời điểm kết thúc sớm nhất theo sổ"
        " hoặc chứng cứ. Đang tạm dừng thì không xét.",
        grounds=grounds.one_stop("Điều 19", "Điều 19"), evidence=("most_due_at", "best_finish_at", "due_0"),
        needs=(_DUE,), among=_promised, holds=overdue, at="most_due_at",
    ),
    Check(
        code="no_apology", number="V-13", severity="B", remedy="apologise_now",
        title="Quá hạn không xin lỗi, hoặc xin lỗi muộn",
        explanation="Hồ sơ quá hạn mà không có thư xin lỗi hẹn lại chậm nhất một ngày trước hạn. Thư giấy không vào sổ"
        " thì đơn vị nêu số, ngày. Nguồn không bao giờ ghi việc hẹn lại thì không xét.",
        grounds=(*grounds.one_stop("Điều 12 khoản 5, Điều 19 khoản 9", "Điều 19"),),
        evidence=("due_by_pauses", "apology_at", "best_finish_at"),
        parameters=(Parameter(name="days_before", default=1, law=True, looser="lower", title="số ngày trước hạn"),),
        needs=(_DUE, Need(fact="apologies", title="việc xin lỗi và hẹn lại", has=lambda: nw.col("extensions_n") > 0,
                          by_source=True)),
        among=_promised, holds=_no_apology, at="due_by_pauses",
    ),
    Check(
        code="extended_again", number="V-15", severity="B", remedy="ask_explanation", title="Hẹn lại quá một lần",
        explanation="Hồ sơ được hẹn lại từ hai lần trở lên. Hẹn lại hai lần trong cùng một ngày là sửa lỗi đánh máy,"
        " tính một lần.",
        grounds=_EARLIER, evidence=("extensions_n", "apology_at"),
        parameters=(Parameter(name="extensions", default=1, law=True, looser="higher", title="số lần được hẹn lại"),),
        among=_promised, holds=_extended_again, at="apology_at",
    ),
    Check(
        code="due_moved_bare", number="V-16", severity="A", remedy="ask_explanation",
        title="Sửa ngày hẹn trả không có văn bản",
        explanation="Ngày hẹn trả bị dời mà dữ liệu nói rõ không có thư xin lỗi. Đổi lịch làm việc làm hạn dời theo"
        " không phải là sửa hạn.",
        grounds=(*grounds.FORBIDDEN, *_EARLIER), evidence=("bare_extension_at", "due_by_pauses"),
        among=lambda given: accepted() & flag("has_extension"),
        holds=lambda given: ~nw.col("bare_extension_at").is_null(), at="bare_extension_at",
    ),
    Check(
        code="due_moved_after", number="V-16", severity="A", remedy="ask_explanation",
        title="Dời hạn sau khi hạn đã qua",
        explanation="Ngày hẹn mới được ghi vào sổ sau khi hạn đang có hiệu lực đã qua.",
        grounds=(*grounds.FORBIDDEN, *_EARLIER), evidence=("due_by_pauses", "due_moved_after_at"),
        among=lambda given: accepted() & flag("has_extension"),
        holds=lambda given: ~nw.col("due_moved_after_at").is_null(), at="due_moved_after_at",
    ),
    Check(
        code="late_more_than_peers", number="V-12", severity="B", remedy="ask_explanation", concerns="unit",
        kind="statistical", title="Trễ hạn nhiều hơn hẳn nơi khác",
        explanation="Tỷ lệ trễ hạn thực tế cao hơn hẳn các đơn vị khác làm cùng thủ tục, sau khi trừ yếu tố ngẫu"
        " nhiên; xã ít hồ sơ không bị nêu vì may rủi.",
        grounds=grounds.one_stop("Điều 28, Điều 32", "Điều 19"), evidence=peers.EVIDENCE,
        parameters=peers.PARAMETERS, signs=_more_than_peers,
    ),
    Check(
        code="no_step_recorded", number="V-18", severity="C", remedy="instruct_staff",
        title="Không cập nhật bước xử lý",
        explanation="Không có thao tác nào trong hơn nửa thời hạn và từ ba ngày làm việc trở lên, không tính lúc chờ"
        " người dân hoặc cơ quan khác. Thủ tục đến một ngày làm việc không xét.",
        grounds=(*grounds.one_stop("Điều 12 khoản 4", "Điều 19"), grounds.STEPS_RECORDED),
        evidence=("silence", "limit_minutes", "acts_n"),
        parameters=(
            Parameter(name="share", default=0.5, law=False, title="phần của thời hạn"),
            Parameter(name="workdays", default=3, law=False, title="số ngày làm việc tối thiểu"),
        ),
        needs=(Need(fact="steps", title="nhật ký bước", has=lambda: nw.col("steps_n") > 0, by_source=True),),
        among=_longer_than_a_day, holds=_silent, at="last_at",
    ),
    Check(
        code="steps_at_once", number="V-18", severity="B", remedy="instruct_staff",
        title="Các bước được ghi dồn một lúc",
        explanation="Mọi bước xử lý được ghi trong vài phút, dù hồ sơ kéo dài từ một ngày làm việc trở lên.",
        grounds=(*grounds.one_stop("Điều 12 khoản 4", "Điều 19"), grounds.STEPS_RECORDED),
        evidence=("steps_n", "steps_first_at", "steps_last_at"),
        parameters=(Parameter(name="minutes", default=10, law=False, title="số phút"),),
        needs=(Need(fact="entry_times", title="giờ bấm máy", has=lambda: nw.col("entered_apart") > 0,
                    by_source=True),),
        among=lambda given: accepted() & (nw.col("steps_n") >= 2), holds=_at_once, at="steps_last_at",
    ),
    Check(
        code="step_over_limit", number="V-34", severity="C", remedy="instruct_staff",
        title="Chậm ở một khâu",
        explanation="Một bước của quy trình nội bộ kéo dài quá thời hạn riêng của nó, dù hồ sơ có thể vẫn đúng hạn. Hồ"
        " sơ có tạm dừng không xét.",
        grounds=grounds.one_stop("Điều 19 khoản 6, khoản 7", "Điều 19"), evidence=("step_over", "limited_steps_n"),
        parameters=(Parameter(name="grace_minutes", default=30, law=False, title="số phút được quá"),),
        needs=(Need(fact="step_limits", title="thời hạn của từng bước", has=lambda: nw.col("limited_steps_n") > 0),),
        among=lambda given: accepted() & (nw.col("steps_n") > 0), holds=_step_over, at="finish_at",
    ),
    Check(
        code="consultation_unrecorded", number="V-17", severity="B", remedy="record_missing_step",
        title="Lấy ý kiến không ghi nhận hoặc trả lời muộn",
        explanation="Hồ sơ đã kết thúc mà việc lấy ý kiến chưa có trả lời, hoặc trả lời sau hạn của hồ sơ.",
        grounds=grounds.one_stop("Điều 19 khoản 5", "Điều 19"),
        evidence=("legs_n", "legs_back_n", "leg_back_at", "due_by_pauses"),
        among=_consulted, holds=_consultation_open, at="leg_back_at",
    ),
)  # fmt: skip
