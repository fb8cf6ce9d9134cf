"""Asking for papers and waiting: once, in time, in writing, with reasons, and only for published papers."""

from __future__ import annotations

import narwhals as nw

from motcua.inspection.checks import grounds, peers
from motcua.inspection.checks.check import Check, Found, Given, Need, Parameter
from motcua.inspection.checks.facts import Facts, minute_of_day
from motcua.inspection.checks.reception import accepted
from motcua.inspection.checks.story import PAUSES
from motcua.inspection.verdicts import flag

_REASONS = Need(fact="reasons", title="nội dung, lý do của yêu cầu", has=lambda: nw.col("reason_length") > 0,
                by_source=True)  # fmt: skip
_PAPERS = Need(fact="papers", title="thành phần hồ sơ đã nộp", has=lambda: nw.col("papers_n") > 0)
_LISTED = Need(fact="published_papers", title="thành phần hồ sơ đã công bố của thủ tục",
               has=lambda: flag("pulled") & (nw.col("components") > 0))  # fmt: skip


def _asked(given: Given) -> nw.Expr:
    return accepted() & (nw.col("requests_n") > 0)


def _again(given: Given) -> nw.Expr:
    return nw.col("requests_n") > given.number("requests")


def _late(given: Given) -> nw.Expr:
    after_closing = minute_of_day(nw.col("received_at")) >= nw.col("received_closing")
    allowed = given.number("workdays") + after_closing.fill_null(value=False).cast(nw.Int64)
    return nw.col("first_request_workday") - nw.col("received_workday") > allowed


def _unreasoned(given: Given) -> nw.Expr:
    return nw.col("shortest_request") < given.number("letters")


def _tail(given: Given) -> nw.Expr:
    whole = nw.col("w_slip") - nw.col("w_received")
    return (nw.col("request_slack") < whole * given.share("tail")) & (whole >= 2 * 480)


def _paused(given: Given) -> nw.Expr:
    return accepted() & flag("has_pause")


def _last_hours(given: Given) -> nw.Expr:
    whole = nw.col("w_slip") - nw.col("w_received")
    return (nw.col("pause_slack") <= given.number("minutes")) & (whole >= 2 * 480)


def _waits_too_long(given: Given) -> nw.Expr:
    days = (given.scope.as_of - nw.col("last_pause_at")) // 86_400
    return nw.col("finish_at").is_null() & flag("paused_0") & (days > given.number("days"))


def _share(facts: Facts, given: Given) -> Found:
    """The share of a unit's dossiers for which papers were asked, against peers with the same procedures."""
    frame = facts.dossiers.filter(accepted(), flag("in_population")).select(
        "agency", subject="agency", stratum="core", event=nw.col("requests_n") > 0
    )
    return peers.compare("asks_more_than_peers", frame, facts, given, kind="unit")


def _same_text(facts: Facts, given: Given) -> Found:
    """One and the same text in many pauses of an official, far more often than colleagues write it."""
    written = facts.acts.filter(
        nw.col("kind").is_in(list(PAUSES)), nw.col("reason") != "", flag("in_population"), nw.col("actor") != ""
    )
    rows = facts.collect(written.group_by("agency", "actor", "reason").agg(nw.len().cast(nw.Int64).alias("n")))
    whole: dict[tuple[str, str], int] = {}
    of_text: dict[str, int] = {}
    most: dict[tuple[str, str], tuple[int, str]] = {}
    for row in rows:
        key, n = (row["agency"], row["actor"]), int(row["n"])
        whole[key] = whole.get(key, 0) + n
        of_text[row["reason"]] = of_text.get(row["reason"], 0) + n
        most[key] = max(most.get(key, (0, "")), (n, row["reason"]))
    every = sum(whole.values())
    groups = []
    for key in sorted(whole):
        n, text = most[key]
        others = max(every - whole[key], 1)
        rate = (of_text[text] - n + 1) / (others + 1)
        groups.append(peers.Group(subject=f"{key[0]}:{key[1]}", agency=key[0], unit=key[1], events=n,
                                  out_of=whole[key], rate=min(rate, 1.0)))  # fmt: skip
    return peers.judged("same_pause_text", groups, given, kind="official", least_rate=given.share("share"))


CHECKS: tuple[Check, ...] = (
    Check(
        code="asked_again", number="V-07", severity="B", remedy="ask_explanation",
        title="Yêu cầu bổ sung quá một lần",
        explanation="Sau khi tiếp nhận, hồ sơ bị yêu cầu bổ sung từ hai lần trở lên. Gửi lại cùng yêu cầu trong một"
        " giờ làm việc tính là một lần. Từ ba lần trở lên là tình tiết nặng hơn.",
        grounds=(*grounds.one_stop("Điều 11 khoản 2 điểm c, Điều 15 khoản 3", "Điều 15"),
                 grounds.control("Điều 20 khoản 4")),
        evidence=("requests_n", "first_request_at", "last_pause_at"),
        parameters=(Parameter(name="requests", default=1, law=True, looser="higher", title="số lần được yêu cầu"),),
        among=lambda given: accepted(), holds=_again, at="last_pause_at",
    ),
    Check(
        code="asked_late", number="V-08", severity="B", remedy="ask_explanation",
        title="Yêu cầu bổ sung muộn",
        explanation="Yêu cầu bổ sung đầu tiên sau quá 3 ngày làm việc kể từ khi tiếp nhận. Luật chuyên ngành có hạn"
        " khác thì đặt lại tham số.",
        grounds=(*grounds.one_stop("Điều 19 khoản 4", "Điều 19"), grounds.DATA_INSTEAD),
        evidence=("received_at", "first_request_at"),
        parameters=(Parameter(name="workdays", default=3, law=True, looser="higher",
                              title="ngày làm việc để yêu cầu bổ sung"),),
        among=_asked, holds=_late, at="first_request_at",
    ),
    Check(
        code="asked_without_reason", number="V-09", severity="B", remedy="ask_explanation",
        title="Yêu cầu bổ sung không nêu nội dung",
        explanation="Yêu cầu bổ sung không có phiếu kèm và nội dung để trống hoặc quá ngắn. Có văn bản đính kèm thì"
        " không xét; nguồn không ghi lý do nào thì không xét.",
        grounds=(*grounds.one_stop("Điều 17 khoản 1 điểm a, Điều 19 khoản 4", "Điều 17"),
                 grounds.control("Điều 18 khoản 5")),
        evidence=("first_request_at", "shortest_request"),
        parameters=(Parameter(name="letters", default=10, law=False, title="số chữ cái tối thiểu của nội dung"),),
        needs=(_REASONS,), among=_asked, holds=_unreasoned, at="first_request_at",
    ),
    Check(
        code="asked_near_due", number="V-23", severity="A", remedy="ask_explanation",
        title="Yêu cầu bổ sung sát hạn trả",
        explanation="Yêu cầu bổ sung trong phần mười cuối của thời hạn: có thể dùng để dừng đồng hồ. Hồ sơ thiếu thật"
        " thì đơn vị nêu thành phần thiếu.",
        grounds=grounds.one_stop("Điều 5 khoản 1 điểm đ, Điều 19 khoản 4", "Điều 5, Điều 19"),
        evidence=("received_at", "slip_due_at", "first_request_at", "request_slack"),
        parameters=(Parameter(name="tail", default=0.1, law=False, title="phần cuối của thời hạn"),),
        among=_asked, holds=_tail, at="last_pause_at",
    ),
    Check(
        code="paused_in_last_hours", number="V-23", severity="B", remedy="ask_explanation",
        title="Tạm dừng trong những giờ cuối",
        explanation="Một lần tạm dừng bắt đầu khi chỉ còn vài giờ làm việc trước hạn trả.",
        grounds=grounds.one_stop("Điều 5 khoản 1 điểm đ", "Điều 5"),
        evidence=("slip_due_at", "last_pause_at", "pause_slack"),
        parameters=(Parameter(name="minutes", default=240, law=False, title="phút làm việc cuối trước hạn"),),
        among=_paused, holds=_last_hours, at="last_pause_at",
    ),
    Check(
        code="paused_without_document", number="V-14", severity="B", remedy="ask_explanation",
        title="Tạm dừng không có văn bản",
        explanation="Dữ liệu nói rõ lần tạm dừng không có văn bản. Không rõ có hay không thì không phải dấu hiệu này.",
        grounds=grounds.one_stop("Điều 12 khoản 4", "Điều 19"),
        evidence=("undocumented_n", "last_pause_at"),
        among=_paused, holds=lambda given: nw.col("undocumented_n") > 0, at="last_pause_at",
    ),
    Check(
        code="waits_too_long", number="V-35", severity="C", remedy="close_or_remind",
        title="Hồ sơ treo: chờ bổ sung quá lâu",
        explanation="Tạm dừng đã lâu mà không ai tiếp tục hoặc kết thúc hồ sơ. Luật chuyên ngành có hạn khác thì đặt"
        " lại tham số.",
        grounds=grounds.one_stop("Điều 19", "Điều 19, Điều 21"), evidence=("last_pause_at",),
        parameters=(Parameter(name="days", default=30, law=False, title="số ngày được chờ"),),
        among=_paused, holds=_waits_too_long, at="last_pause_at",
    ),
    Check(
        code="paper_not_published", number="V-01", severity="A", remedy="return_paper",
        title="Giấy tờ ngoài thành phần đã công bố",
        explanation="Hồ sơ có giấy tờ mang mã không thuộc thành phần của thủ tục đã công bố. Giấy tờ ghi tự do, không"
        " mã, không xét; thủ tục chưa tải về từ Cổng thì không xét.",
        grounds=(*grounds.one_stop("Điều 5 khoản 1 điểm đ", "Điều 5"), grounds.control("Điều 18 khoản 6"),
                 grounds.DATA_INSTEAD),
        evidence=("unlisted_n", "papers_n", "procedure"), needs=(_PAPERS, _LISTED),
        among=lambda given: accepted(), holds=lambda given: nw.col("unlisted_n") > 0, at="received_at",
    ),
    Check(
        code="asked_what_is_known", number="V-02", severity="A", remedy="return_paper",
        title="Đòi giấy đã có trong cơ sở dữ liệu",
        explanation="Giấy tờ thuộc danh mục được thay bằng dữ liệu mà vẫn yêu cầu nộp.",
        grounds=(grounds.DATA_INSTEAD,),
        needs=(Need(fact="replaced_papers", title="danh mục giấy tờ được thay bằng dữ liệu"),
               Need(fact="lookups", title="nhật ký tra cứu cơ sở dữ liệu")),
    ),
    Check(
        code="asks_more_than_peers", number="V-23", severity="A", remedy="ask_explanation", concerns="unit",
        kind="statistical", title="Yêu cầu bổ sung nhiều hơn hẳn nơi khác",
        explanation="Tỷ lệ hồ sơ bị yêu cầu bổ sung cao hơn hẳn các đơn vị khác làm cùng thủ tục, sau khi trừ yếu tố"
        " ngẫu nhiên và số lượng ít.",
        grounds=grounds.one_stop("Điều 5 khoản 1 điểm đ", "Điều 5"), evidence=peers.EVIDENCE,
        parameters=peers.PARAMETERS, signs=_share,
    ),
    Check(
        code="same_pause_text", number="V-14", severity="B", remedy="ask_explanation", concerns="official",
        kind="statistical", title="Cùng một câu cho mọi lần tạm dừng",
        explanation="Một công chức ghi cùng một câu cho phần lớn các lần tạm dừng, nhiều hơn hẳn đồng nghiệp.",
        grounds=grounds.one_stop("Điều 12 khoản 4", "Điều 19"), evidence=peers.EVIDENCE,
        parameters=(Parameter(name="share", default=0.8, law=False, title="tỷ lệ tối thiểu của câu giống nhau"),
                    *peers.parameters(least=10)),
        signs=_same_text,
    ),
)  # fmt: skip
