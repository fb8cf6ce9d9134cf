"""The result: given for a reason, attached, recorded, handed over; and the papers and fees on the way to it."""

from __future__ import annotations

import narwhals as nw

from motcua.inspection.checks import grounds, peers
from motcua.inspection.checks.check import Check, Found, Given, Need, Parameter
from motcua.inspection.checks.facts import Facts
from motcua.inspection.checks.reception import accepted
from motcua.inspection.checks.story import REFILED_CASES
from motcua.inspection.verdicts import flag

_REASONS = Need(fact="reasons", title="lý do từ chối", has=lambda: nw.col("reason_length") > 0, by_source=True)
_PAPERS = Need(fact="papers", title="thành phần hồ sơ đã nộp", has=lambda: nw.col("papers_n") > 0)
_RESULTS = Need(fact="results", title="giấy tờ kết quả trên Cổng", has=lambda: nw.col("results_n") > 0, by_source=True)
_FEES = Need(fact="fees", title="mức phí, lệ phí đã công bố", has=lambda: ~nw.col("fee").is_null())
_PAYMENTS = Need(fact="payments", title="dữ liệu thanh toán",
                 has=lambda: (nw.col("paid_amount") > 0) | (nw.col("t_fee") > 0), by_source=True)  # fmt: skip
_WORKDAY = 480


def _refused(given: Given) -> nw.Expr:
    return flag("exists_here") & nw.col("finish_kind").is_in(["refused", "stopped"]).fill_null(value=False)


def _ended_well(given: Given) -> nw.Expr:
    kind = nw.col("finish_kind").is_in(["finished", "returned"]).fill_null(value=False)
    return accepted() & kind & (nw.col("finish_at") <= given.scope.as_of)


def _paid_for(given: Given) -> nw.Expr:
    return _ended_well(given) & ((nw.col("fee") > 0) | nw.col("fee").is_null())


def _unpaid(given: Given) -> nw.Expr:
    nothing = (nw.col("paid_amount").fill_null(0) == 0) & (nw.col("t_fee").fill_null(0) == 0)
    return nothing & (nw.col("fee") > 0)


def _waits(given: Given) -> nw.Expr:
    return (nw.col("returned_n") == 0) & (given.scope.as_of - nw.col("finish_at") > given.number("days") * 86_400)


def _posted_late(given: Given) -> nw.Expr:
    return nw.col("returned_workday") - nw.col("finish_workday") > given.number("workdays")


def _refiled(given: Given) -> nw.Expr:
    left = nw.col("w_due") - nw.col("w_finish")
    near = left <= given.number("workdays") * _WORKDAY
    return near & ~nw.col("refiled_at").is_null() & (nw.col("owner_cases") <= given.number("cases"))


def _not_offered(facts: Facts, given: Given) -> Found:
    """Units in which nobody paid online though the same procedures are paid online elsewhere."""
    paid = facts.dossiers.filter(flag("exists_here"), flag("in_population"), nw.col("paid_amount") > 0).select(
        "agency", subject="agency", stratum="core", event=~flag("paid_online")
    )
    found = peers.compare("online_payment_not_offered", paid, facts, given, kind="unit")
    if found.looked_at or found.missing:
        return found
    return Found((), 0, {"payments": facts.count(facts.dossiers.filter(flag("in_population")))})


CHECKS: tuple[Check, ...] = (
    Check(
        code="refused_without_reason", number="V-10", severity="A", remedy="ask_explanation",
        title="Từ chối không nêu lý do",
        explanation="Hồ sơ bị từ chối hoặc dừng mà không ghi lý do. Nguồn không ghi lý do nào thì không xét.",
        grounds=(*grounds.one_stop("Điều 17 khoản 1 điểm b, Điều 19 khoản 8", "Điều 17, Điều 19"),
                 grounds.control("Điều 18 khoản 5")),
        evidence=("finish_kind", "finish_at"), needs=(_REASONS,), among=_refused,
        holds=lambda given: nw.col("refused_length") == 0, at="finish_at",
    ),
    Check(
        code="refused_late", number="V-10", severity="A", remedy="ask_explanation", title="Từ chối sau hạn",
        explanation="Hồ sơ bị từ chối sau hạn trả.",
        grounds=grounds.one_stop("Điều 19 khoản 8", "Điều 19"), evidence=("refusal_at", "due_0"),
        needs=(Need(fact="due", title="hạn trả", has=lambda: ~nw.col("due_0").is_null()),),
        among=lambda given: _refused(given) & accepted(),
        holds=lambda given: nw.col("refusal_at") > nw.col("most_due_at"),
        at="refusal_at",
    ),
    Check(
        code="returned_without_end", number="V-19", severity="C", remedy="record_missing_step",
        title="Trả kết quả mà không ghi xử lý xong",
        explanation="Có bước trả kết quả (10) nhưng không có bước xử lý xong (9): Cổng sẽ tính hạn đến lúc trả.",
        grounds=(*grounds.one_stop("Điều 17 khoản 4, Điều 20", "Điều 22"), grounds.PORTAL),
        evidence=("returned_at", "evidence_at", "due_0"), among=_ended_well,
        holds=lambda given: nw.col("finish_kind") == "returned", at="returned_at",
    ),
    Check(
        code="result_waits", number="V-19", severity="C", remedy="close_or_remind",
        title="Có kết quả mà chưa trả",
        explanation="Đã xử lý xong từ lâu mà chưa ghi trả kết quả. Có thể người dân chưa đến nhận.",
        grounds=grounds.one_stop("Điều 20", "Điều 22"), evidence=("finish_at",),
        parameters=(Parameter(name="days", default=30, law=False, title="số ngày"),),
        needs=(Need(fact="returns", title="bước trả kết quả", has=lambda: nw.col("returned_n") > 0, by_source=True),),
        among=_ended_well, holds=_waits, at="finish_at",
    ),
    Check(
        code="posted_late", number="V-32", severity="C", remedy="instruct_staff",
        title="Gửi kết quả qua bưu chính chậm",
        explanation="Kết quả trả qua bưu chính quá ba ngày làm việc sau khi xử lý xong.",
        grounds=grounds.one_stop("Điều 20 khoản 3, khoản 4", "Điều 22"), evidence=("finish_at", "returned_at"),
        parameters=(Parameter(name="workdays", default=3, law=False, title="số ngày làm việc"),),
        among=lambda given: _ended_well(given) & flag("t_post_return") & (nw.col("returned_n") > 0),
        holds=_posted_late, at="returned_at",
    ),
    Check(
        code="early_without_notice", number="V-32", severity="C", remedy="instruct_staff",
        title="Có kết quả sớm mà không báo",
        explanation="Kết quả có trước hẹn nhưng không thông báo cho người nộp.",
        grounds=grounds.one_stop("Điều 20 khoản 4", "Điều 22"),
        needs=(Need(fact="notices", title="thông báo đã gửi cho người nộp"),),
    ),
    Check(
        code="result_not_attached", number="V-25", severity="C", remedy="attach_result",
        title="Kết quả không có bản điện tử",
        explanation="Hồ sơ đã xong mà trên Cổng không có tệp kết quả kèm mã. Thủ tục không có giấy tờ kết quả thì không"
        " xét.",
        grounds=(grounds.electronic("Điều 14"), *grounds.DIGITISATION),
        evidence=("finish_at", "results_n", "procedure"),
        needs=(Need(fact="published_results", title="kết quả đã công bố của thủ tục",
                    has=lambda: ~nw.col("results").is_null()), _RESULTS),
        among=lambda given: _ended_well(given) & ((nw.col("results") > 0) | nw.col("results").is_null()),
        holds=lambda given: nw.col("results_n") == 0, at="finish_at",
    ),
    Check(
        code="not_digitised", number="V-24", severity="C", remedy="digitise",
        title="Không số hóa thành phần hồ sơ",
        explanation="Hồ sơ nộp trực tiếp hoặc qua bưu chính có giấy tờ không được số hóa hoặc không có tệp.",
        grounds=grounds.DIGITISATION, evidence=("papers_n", "undigitised_n", "channel"), needs=(_PAPERS,),
        among=lambda given: accepted() & (nw.col("channel") != "online"),
        holds=lambda given: nw.col("undigitised_n") > 0, at="received_at",
    ),
    Check(
        code="reuse_ignored", number="V-02", severity="B", remedy="return_paper",
        title="Không dùng lại giấy tờ đã số hóa",
        explanation="Người nộp phải nộp lại giấy tờ đã nộp và số hóa trong một hồ sơ trước. Đơn, tờ khai phải làm mới"
        " mỗi lần nên không xét.",
        grounds=(*grounds.DIGITISATION, grounds.DATA_INSTEAD), evidence=("ignored_reuse_n", "papers_n"),
        needs=(_PAPERS, Need(fact="published_papers", title="thành phần hồ sơ đã công bố của thủ tục",
                             has=lambda: flag("pulled") & (nw.col("components") > 0))),
        among=lambda given: accepted() & (nw.col("owner") != ""),
        holds=lambda given: nw.col("ignored_reuse_n") > 0, at="received_at",
    ),
    Check(
        code="fee_without_payment", number="V-27", severity="B", remedy="ask_explanation",
        title="Thủ tục có phí mà không có chứng từ thanh toán",
        explanation="Thủ tục có phí, lệ phí mà hồ sơ đã xong không có khoản thu nào. Trường hợp miễn, giảm thì đơn vị"
        " nêu căn cứ. Nguồn không ghi thanh toán nào thì không xét.",
        grounds=grounds.one_stop("Điều 22", "Điều 24"), evidence=("fee", "paid_amount", "procedure"),
        needs=(_FEES, _PAYMENTS), among=_paid_for, holds=_unpaid, at="finish_at",
    ),
    Check(
        code="online_payment_not_offered", number="V-27", severity="B", remedy="offer_online_payment",
        concerns="unit", kind="statistical", title="Không cho thanh toán trực tuyến",
        explanation="Các khoản thu của đơn vị nộp tại quầy nhiều hơn hẳn nơi khác làm cùng thủ tục.",
        grounds=(*grounds.one_stop("Điều 22", "Điều 24"), grounds.INDEX), evidence=peers.EVIDENCE,
        parameters=peers.PARAMETERS, signs=_not_offered,
    ),
    Check(
        code="refiled", number="V-21", severity="A", remedy="ask_explanation",
        title="Rút hoặc trả lại sát hạn rồi nộp lại",
        explanation="Hồ sơ bị rút, từ chối hoặc dừng sát hạn trả, rồi chính chủ hồ sơ nộp lại cùng thủ tục ít ngày sau."
        " Chủ hồ sơ nộp nhiều hồ sơ cùng thủ tục thì không xét.",
        grounds=grounds.FORBIDDEN, evidence=("finish_kind", "finish_at", "due_by_pauses", "refiled_at"),
        parameters=(
            Parameter(name="workdays", default=1, law=False, title="số ngày làm việc trước hạn"),
            Parameter(name="cases", default=REFILED_CASES, law=False,
                      title="số hồ sơ cùng thủ tục của một chủ hồ sơ để còn xét"),
        ),
        needs=(Need(fact="owner", title="chủ hồ sơ", has=lambda: nw.col("owner") != ""),),
        among=lambda given: accepted()
        & nw.col("finish_kind").is_in(["withdrawn", "refused", "stopped"]).fill_null(value=False),
        holds=_refiled, at="finish_at",
    ),
)  # fmt: skip
