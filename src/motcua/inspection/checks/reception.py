"""Reception: the first answer, the slip, the way in, the way on to the agency."""

from __future__ import annotations

import narwhals as nw

from motcua.inspection import statistics, verdicts
from motcua.inspection.checks import grounds
from motcua.inspection.checks.check import Check, Found, Given, Need, Parameter
from motcua.inspection.checks.facts import Facts, minute_of_day
from motcua.inspection.checks.story import LOADED_AT_ONCE
from motcua.inspection.signs import Sign
from motcua.inspection.verdicts import flag, instant, local_day

HERE = Need(fact="our_record", title="hồ sơ trong hệ thống một cửa", has=lambda: flag("exists_here"))


def accepted() -> nw.Expr:
    """Accepted by our record."""
    return flag("exists_here") & ~nw.col("received_at").is_null()


# ---- the first answer --------------------------------------------------------------------------------------------


def _online(given: Given) -> nw.Expr:
    submitted = instant("submitted_at")
    counted = verdicts.reception_counted(given.scope, submitted, instant("answered_at"))
    return verdicts.online_here() & (counted | nw.col("submitted_at").is_null())


def _answered_late(given: Given) -> nw.Expr:
    answered = nw.col("answered_at") <= given.scope.as_of
    waited = nw.when(answered.fill_null(value=False)).then(nw.col("w_answered")).otherwise(nw.col("w_now"))
    left = nw.col("submitted_closing") - minute_of_day(nw.col("submitted_at"))
    last_hour = nw.when((left > 0) & (left <= given.number("last_minutes"))).then(left).otherwise(nw.lit(0))
    pays = nw.col("answered_at").is_null() & (nw.col("payments_open_n") > 0)
    allowed = given.number("answer_minutes") + last_hour.fill_null(0)
    return (waited - nw.col("w_submitted") > allowed) & ~pays


# ---- the slip ----------------------------------------------------------------------------------------------------


def _to_be_promised(given: Given) -> nw.Expr:
    at_once = flag("same_day") | (local_day(nw.col("finish_at")) == local_day(nw.col("received_at"))).fill_null(
        value=False
    )
    return accepted() & ~at_once


def _no_slip(given: Given) -> nw.Expr:
    return ~flag("slip_stated")


# ---- outside the desk --------------------------------------------------------------------------------------------


def _entered_after_result(given: Given) -> nw.Expr:
    entered = nw.coalesce("receipt_recorded_at", "first_recorded_at")
    loaded = nw.col("entered_together").fill_null(1) >= given.number("loaded_at_once")
    outage = nw.col("receipt_caught_up_n") > 0
    return (entered > nw.col("evidence_at")) & (nw.col("evidence_at") >= nw.col("received_at")) & ~loaded & ~outage


def _on_paper(given: Given) -> nw.Expr:
    return accepted() & (nw.col("channel") != "online")


_NOON_CUT = 15 * 60


def _transferred_late(given: Given) -> nw.Expr:
    received, moved = nw.col("received_at"), nw.col("transferred_at")
    early = minute_of_day(received) <= given.number("cutoff_minutes")
    left = nw.max_horizontal(nw.col("received_closing") - minute_of_day(received), nw.lit(0))
    waited = nw.col("transferred_w") - nw.col("w_received")
    next_day = waited > left.fill_null(0) + given.number("start_minutes")
    same_day = local_day(moved) > local_day(received)
    return (early & same_day & (waited > 0)) | (~early & next_day)


def _code_differs(given: Given) -> nw.Expr:
    submitted = local_day(nw.col("submitted_at")).fill_null(-1)
    return (nw.col("code_on") != local_day(nw.col("received_at"))) & (nw.col("code_on") != submitted)


# ---- who files ---------------------------------------------------------------------------------------------------


def _same_submitter(facts: Facts, given: Given) -> Found:
    """One person files most of what a unit receives online."""
    helpers = given.text("helpers").split()
    online = facts.dossiers.filter(verdicts.online_here(), flag("in_population"))
    whole = facts.collect(
        online.group_by("agency").agg(
            nw.len().cast(nw.Int64).alias("n"), (nw.col("submitter") != "").cast(nw.Int64).sum().alias("known")
        )
    )
    least = given.number("least")
    totals = {row["agency"]: int(row["n"]) for row in whole if row["known"]}
    filed = online.filter(nw.col("submitter") != "", nw.col("submitter") != nw.col("owner"))
    if helpers:
        filed = filed.filter(~nw.col("submitter").is_in(helpers))
    rows = facts.collect(filed.group_by("agency", "submitter").agg(nw.len().cast(nw.Int64).alias("n")))
    most: dict[str, int] = {}
    for row in rows:
        most[row["agency"]] = max(most.get(row["agency"], 0), int(row["n"]))
    large = {agency: n for agency, n in totals.items() if n >= least}
    signs = []
    for agency, n in large.items():
        filed_by_one = most.get(agency, 0)
        sure = float(statistics.least_share(filed_by_one, n))  # type: ignore[arg-type]
        if sure >= given.share("share"):
            signs.append(
                Sign(check="same_submitter", subject=agency, kind="unit", agency=agency, confidence=0.975,
                     evidence={"events": filed_by_one, "out_of": n, "rate": round(filed_by_one / n, 4),
                               "least_rate": round(sure, 4)})
            )  # fmt: skip
    missing = {"submitter": len(whole) - len(totals)} if len(whole) > len(totals) else {}
    if len(totals) > len(large):
        missing["enough_cases"] = len(totals) - len(large)
    return Found(signs, len(large), missing)


CHECKS: tuple[Check, ...] = (
    Check(
        code="answered_late", number="V-05", severity="B", remedy="instruct_staff",
        title="Chậm tiếp nhận hồ sơ trực tuyến",
        explanation="Quá 8 giờ làm việc kể từ khi nộp trực tuyến mà chưa tiếp nhận, từ chối hoặc yêu cầu bổ sung."
        " Nộp trong giờ làm việc cuối ngày được tính từ ngày làm việc sau; đang chờ nộp phí thì không tính.",
        grounds=(grounds.electronic("Điều 11"), grounds.one_stop("Điều 17", "Điều 17")[1]),
        evidence=("submitted_at", "answered_at", "reception_due_at", "channel"),
        parameters=(
            Parameter(name="answer_minutes", default=480, law=True, looser="higher", title="phút làm việc để trả lời"),
            Parameter(name="last_minutes", default=60, law=False,
                      title="phút cuối ngày được tính từ ngày làm việc sau"),
        ),
        needs=(Need(fact="submission", title="thời điểm nộp", has=lambda: ~nw.col("submitted_at").is_null()),),
        among=_online, holds=_answered_late, at="reception_due_at", population=False,
        measures=frozenset({"all", "open", "finished"}),
    ),
    Check(
        code="no_slip", number="V-03", severity="B", remedy="ask_explanation",
        title="Không có ngày hẹn trên giấy tiếp nhận",
        explanation="Hồ sơ đã tiếp nhận nhưng không ghi ngày hẹn trả. Thủ tục giải quyết ngay trong ngày không cần"
        " giấy hẹn; nguồn dữ liệu không ghi ngày hẹn của quá nửa số hồ sơ thì không xét.",
        grounds=grounds.one_stop("Điều 17 khoản 1 điểm c, khoản 3", "Điều 17"),
        evidence=("received_at", "limit_due_at"),
        needs=(Need(fact="slip", title="ngày hẹn trên giấy tiếp nhận", has=lambda: flag("slip_stated"),
                    by_source=True, least_share=0.5),),
        among=_to_be_promised, holds=_no_slip, at="received_at",
    ),
    Check(
        code="received_outside", number="V-04", severity="A", remedy="ask_explanation",
        title="Nhập hồ sơ sau khi đã có kết quả",
        explanation="Việc tiếp nhận được ghi vào hệ thống sau thời điểm của văn bản kết quả: hồ sơ được nhận ngoài bộ"
        " phận một cửa. Nhập bù hàng loạt, hoặc nhập bù sau sự cố đã khai, thì không xét.",
        grounds=grounds.one_stop("Điều 5 khoản 1 điểm e", "Điều 5"),
        evidence=("received_at", "receipt_recorded_at", "first_recorded_at", "evidence_at"),
        parameters=(
            Parameter(name="loaded_at_once", default=LOADED_AT_ONCE, law=False, least=1,
                      title="số hồ sơ của một đơn vị nhập trong một phút thì coi là nhập hàng loạt"),
        ),
        needs=(Need(fact="evidence", title="thời điểm của văn bản kết quả",
                    has=lambda: ~nw.col("evidence_at").is_null()),),
        among=lambda given: accepted() & ~nw.col("finish_at").is_null(), holds=_entered_after_result,
        at="first_recorded_at",
    ),
    Check(
        code="transferred_late", number="V-06", severity="B", remedy="instruct_staff",
        title="Chuyển hồ sơ cho cơ quan giải quyết chậm",
        explanation="Nhận trước 15 giờ phải chuyển trong ngày; nhận sau 15 giờ phải chuyển đầu giờ ngày làm việc sau."
        " Hồ sơ trực tuyến được chuyển ngay nên không xét; chỉ xét nơi có ghi bước chuyển.",
        grounds=grounds.one_stop("Điều 18", "Điều 18"), evidence=("received_at", "transferred_at"),
        parameters=(
            Parameter(name="cutoff_minutes", default=_NOON_CUT, law=True, looser="lower", most=1_439,
                      title="phút trong ngày của mốc 15 giờ"),
            Parameter(name="start_minutes", default=60, law=False, title="phút được coi là đầu giờ làm việc"),
        ),
        needs=(Need(fact="transfer", title="bước chuyển hồ sơ",
                    has=lambda: ~nw.col("transferred_at").is_null()),),
        among=_on_paper, holds=_transferred_late, at="transferred_at",
    ),
    Check(
        code="code_day_differs", number="V-22", severity="A", remedy="ask_explanation",
        title="Ngày trong mã hồ sơ khác ngày tiếp nhận",
        explanation="Mã hồ sơ mang ngày tiếp nhận; ngày ấy khác ngày tiếp nhận và ngày nộp ghi trong sổ.",
        grounds=(*grounds.FORBIDDEN, grounds.STEPS_RECORDED), evidence=("received_at", "submitted_at"),
        needs=(Need(fact="code_day", title="ngày trong mã hồ sơ", has=lambda: ~nw.col("code_on").is_null()),),
        among=lambda given: accepted(), holds=_code_differs, at="received_at",
    ),
    Check(
        code="same_submitter", number="V-26", severity="A", remedy="ask_explanation", concerns="unit",
        kind="statistical", title="Một người nộp thay phần lớn hồ sơ trực tuyến",
        explanation="Phần lớn hồ sơ trực tuyến của đơn vị do cùng một người nộp thay. Có thể là bộ phận hỗ trợ người"
        " cao tuổi: khai người hỗ trợ để loại trừ. Chưa có dữ liệu về thiết bị.",
        grounds=grounds.one_stop("Điều 5 khoản 1 điểm b", "Điều 5"),
        evidence=("events", "out_of", "rate", "least_rate"),
        parameters=(
            Parameter(name="share", default=0.5, law=False, title="tỷ lệ tối thiểu (cận dưới 95 %)"),
            Parameter(name="least", default=30, law=False, least=1, title="số hồ sơ tối thiểu để xét"),
            Parameter(name="helpers", default="", law=False, title="mã người hỗ trợ đã khai"),
        ),
        needs=(Need(fact="submitter", title="người nộp thay", has=lambda: nw.col("submitter") != ""),),
        signs=_same_submitter,
    ),
)  # fmt: skip
