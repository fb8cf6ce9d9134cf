"""How acts are entered: when, by whom, in what order; what clicks say that the record does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from motcua.inspection.checks import grounds, peers
from motcua.inspection.checks.check import Check, Found, Given, Need, Parameter
from motcua.inspection.checks.facts import Facts, Frame, minute_of_day
from motcua.inspection.checks.reception import accepted
from motcua.inspection.checks.story import LOADED_AT_ONCE
from motcua.inspection.signs import Sign
from motcua.inspection.verdicts import flag, local_day
from motcua.rules.instants import from_microseconds, iso

_ENTRY_TIMES = Need(fact="entry_times", title="giờ bấm máy", has=lambda: nw.col("entered_apart") > 0, by_source=True)
_EVIDENCE = Need(fact="evidence", title="thời điểm của văn bản kết quả", has=lambda: ~nw.col("evidence_at").is_null())
#: A clock that states seconds shows a full minute once in sixty; so many more are forgiven.
_WITH_SECONDS, _FULL_MINUTES = 0.95, 2
_SECONDS = Need(fact="seconds", title="giây của thời điểm",
                has=lambda: nw.col("seconds") + _FULL_MINUTES >= nw.col("acts_n") * _WITH_SECONDS)  # fmt: skip
_END_TIME = Need(fact="end_time", title="giờ kết thúc (không chỉ ngày)", has=lambda: nw.col("finish_at") % 3_600 != 0)
#: Where more than this share of all days has its clicks at night or on rest days, clock or calendar are not theirs.
_MOST = 0.5
_OF_DAYS = peers.parameters(least=20)
_RECORDED = grounds.STEPS_RECORDED
_WORKDAY = 480


def _finished(given: Given) -> nw.Expr:
    return accepted() & (nw.col("finish_at") <= given.scope.as_of)


def _entered_late(given: Given) -> nw.Expr:
    loaded = nw.col("entered_together").fill_null(1) >= given.number("loaded_at_once")
    return (nw.col("entered_late") > given.number("minutes")) & ~loaded


def _end_before_result(given: Given) -> nw.Expr:
    return nw.col("finish_at") + given.number("grace_minutes") * 60 < nw.col("evidence_at")


def _in_seconds(given: Given) -> nw.Expr:
    opened = nw.coalesce("receipt_recorded_at", "first_recorded_at")
    took = nw.col("finish_recorded_at") - opened
    loaded = nw.col("entered_together").fill_null(1) >= given.number("loaded_at_once")
    apart = loaded | (nw.col("finished_by_machine_n") > 0) | (nw.col("receipt_caught_up_n") > 0)
    return (took >= 0) & (took < given.number("seconds")) & (nw.col("limit_minutes") > _WORKDAY) & ~apart


def _on_the_second(given: Given) -> nw.Expr:
    at = nw.col("finish_at")
    return ((at == nw.col("slip_due_at")) | (at == nw.col("due_0"))) & (nw.col("finished_by_machine_n") == 0)


def _forced(given: Given) -> nw.Expr:
    return (nw.col("decided_by_administrator_n") > 0) & (nw.col("handled_by_administrator_n") == 0)


# ---- of units and officials --------------------------------------------------------------------------------------


def _clicks(facts: Facts) -> Frame:
    """The entries of people, one row an act: loads, administrators, machines and what was caught up left out."""
    return facts.acts.filter(
        nw.col("actor") != "",
        flag("in_population"),
        ~flag("administrator"),
        ~nw.col("machine"),
        ~nw.col("caught_up"),
        nw.col("kind") != "registered",
    ).with_columns(official=nw.concat_str("agency", "actor", separator=":"))


def _of_days(check: str, facts: Facts, given: Given, event: nw.Expr) -> Found:
    """Compares the days on which each official clicked: of a hundred clicks in one sitting each counts the same day."""
    days = (
        _clicks(facts)
        .select("agency", "actor", "official", day=local_day(nw.col("recorded_at")), hit=event.cast(nw.Int64))
        .group_by("agency", "actor", "official", "day")
        .agg(nw.col("hit").max())
    )
    frame = days.select("agency", unit="actor", subject="official", stratum=nw.lit(""), event=nw.col("hit") == 1)
    found = _known(peers.compare(check, frame, facts, given, kind="official"))
    if any(sign.evidence["peers_rate"] > _MOST for sign in found.signs):
        return Found((), 0, {"local_time": found.looked_at})
    return found


def _known(found: Found) -> Found:
    """Says so where nobody's entries are known at all."""
    return found if found.looked_at or found.missing else Found((), 0, {"actors": 1})


def _night(facts: Facts, given: Given) -> Found:
    minute = minute_of_day(nw.col("recorded_at"))
    night = (minute >= given.number("from_minute")) | (minute < given.number("to_minute"))
    return _of_days("night_clicks", facts, given, night)


def _rest_days(facts: Facts, given: Given) -> Found:
    return _of_days("rest_day_clicks", facts, given, ~nw.col("recorded_works"))


def _late_entries(facts: Facts, given: Given) -> Found:
    lag = nw.col("w_recorded") - nw.col("w_at")
    frame = _clicks(facts).select("agency", subject="agency", stratum="kind", event=lag > given.number("minutes"))
    return _known(peers.compare("enters_later_than_peers", frame, facts, given, kind="unit"))


def _ends(facts: Facts) -> Frame:
    return _clicks(facts).filter(nw.col("kind") == "finished")


def _month_end(facts: Facts, given: Given) -> Found:
    """The share of a unit's ends that were entered on the last working days of a month, against all units."""
    days = facts.days.filter(nw.col("works"))
    last = days.group_by("calendar", "month").agg(nw.col("workdays_before").max().alias("last_workday"))
    days = days.join(last, on=["calendar", "month"], how="inner").select("calendar", "day", "last_workday")
    ends = (
        _ends(facts).with_columns(day=local_day(nw.col("recorded_at"))).join(days, on=["calendar", "day"], how="left")
    )
    event = nw.col("last_workday") - nw.col("recorded_workday") < given.number("workdays")
    frame = ends.select("agency", subject="agency", stratum=nw.lit(""), event=event)
    return _known(peers.compare("month_end_closing", frame, facts, given, kind="unit"))


def _burst(facts: Facts, given: Given) -> Found:
    """Many ends by one account within some minutes: the n-th before an end was entered that short a while ago."""
    span, least = given.number("minutes") * 60, given.number("ends")
    ends = _ends(facts).with_columns(
        from_at=nw.col("recorded_at").shift(least - 1).over("agency", "actor", order_by=["recorded_at", "dossier"])
    )
    heaped = ends.filter(nw.col("recorded_at") - nw.col("from_at") <= span)
    rows = facts.collect(
        heaped.group_by("agency", "actor").agg(
            nw.len().cast(nw.Int64).alias("n"), nw.col("from_at").min(), nw.col("recorded_at").max().alias("to_at")
        )
    )
    looked = facts.count(ends.select("agency", "actor").unique(["agency", "actor"]))
    signs = [
        Sign(check="bulk_closing", subject=f"{row['agency']}:{row['actor']}", kind="official", agency=row["agency"],
             unit=row["actor"], at_s=int(row["from_at"]), evidence=_told(row, least))
        for row in rows
    ]  # fmt: skip
    return _known(Found(signs, looked))


def _told(row: Mapping[str, Any], least: int) -> dict[str, Any]:
    at = {name: iso(from_microseconds(int(row[name]) * 1_000_000)) for name in ("from_at", "to_at")}
    return {"events": int(row["n"]) + least - 1, **at}


def _before_due(facts: Facts, given: Given) -> Found:
    """The share of an official's ends that are dated in the last minutes before due, against all officials."""
    left = nw.col("w_due") - nw.col("w_at")
    ends = _ends(facts).filter(~nw.col("w_due").is_null())
    frame = ends.select(
        "agency", unit="actor", subject="official", stratum=nw.lit(""),
        event=(left >= 0) & (left <= given.number("minutes")),
    )  # fmt: skip
    return _known(peers.compare("ends_just_before_due", frame, facts, given, kind="official"))


def _shared(facts: Facts, given: Given) -> Found:
    """One account entering acts in two agencies within minutes, again and again.

    From one place: where the acts name the same unit, one desk serves several agencies.
    """
    clicks = _clicks(facts)
    order = ["recorded_at", "seq"]
    clicks = clicks.with_columns(
        last_agency=nw.col("agency").shift(1).over("actor", order_by=order),
        last_unit=nw.col("unit").shift(1).over("actor", order_by=order),
        last_recorded=nw.col("recorded_at").shift(1).over("actor", order_by=order),
    )
    elsewhere = (nw.col("unit") != nw.col("last_unit")) | (nw.col("unit") == "")
    jumps = (
        (nw.col("agency") != nw.col("last_agency"))
        & elsewhere
        & (nw.col("recorded_at") - nw.col("last_recorded") < given.number("minutes") * 60)
    )
    rows = facts.collect(
        clicks.with_columns(jump=jumps.fill_null(value=False).cast(nw.Int64))
        .group_by("actor")
        .agg(nw.col("jump").sum(), nw.col("agency").n_unique().alias("agencies"), nw.col("agency").min())
    )
    signs = [
        Sign(check="shared_account", subject=row["actor"], kind="official", agency=row["agency"], unit=row["actor"],
             evidence={"events": int(row["jump"]), "agencies": int(row["agencies"])})
        for row in rows if int(row["jump"]) >= given.number("times")
    ]  # fmt: skip
    return Found(signs, len(rows))


CHECKS: tuple[Check, ...] = (
    Check(
        code="entered_late", number="V-22", severity="B", remedy="record_on_time",
        title="Nhập chậm so với giờ ghi",
        explanation="Một thao tác được nhập sau giờ ghi của nó hơn một ngày làm việc. Lệch đúng 7 hoặc 12 giờ là lệch"
        " đồng hồ; nhập cùng lúc nhiều hồ sơ là nạp dữ liệu: hai trường hợp này không xét. Thời gian sự cố đã khai"
        " được trừ.",
        grounds=(*grounds.FORBIDDEN, _RECORDED), evidence=("entered_late", "finish_at", "finish_recorded_at"),
        parameters=(
            Parameter(name="minutes", default=_WORKDAY, law=False, least=1, title="phút làm việc được chậm"),
            Parameter(name="loaded_at_once", default=LOADED_AT_ONCE, law=False, least=1,
                      title="số hồ sơ nhập trong một phút thì coi là nạp"),
        ),
        needs=(_ENTRY_TIMES,), among=lambda given: accepted(), holds=_entered_late, at="finish_recorded_at",
    ),
    Check(
        code="impossible_times", number="V-22", severity="A", remedy="ask_explanation",
        title="Thời điểm không thể có",
        explanation="Có thao tác ghi giờ ở tương lai so với lúc nhập, hoặc kết thúc trước khi tiếp nhận.",
        grounds=grounds.FORBIDDEN, evidence=("impossible_n", "received_at", "finish_at"),
        among=lambda given: accepted(), holds=lambda given: nw.col("impossible_n") > 0, at="finish_at",
    ),
    Check(
        code="end_before_result", number="V-21", severity="A", remedy="ask_explanation",
        title="Kết thúc hồ sơ trước khi có kết quả",
        explanation="Giờ kết thúc ghi trong sổ sớm hơn thời điểm của văn bản kết quả.",
        grounds=grounds.FORBIDDEN, evidence=("finish_at", "evidence_at", "evidence_kind"),
        parameters=(Parameter(name="grace_minutes", default=60, law=False, title="số phút được lệch"),),
        needs=(_EVIDENCE,), among=_finished, holds=_end_before_result, at="finish_at",
    ),
    Check(
        code="work_after_end", number="V-21", severity="A", remedy="ask_explanation",
        title="Còn xử lý sau khi đã kết thúc",
        explanation="Sau khi kết thúc, hồ sơ còn có bước xử lý, yêu cầu bổ sung hoặc một lần kết thúc khác. Trong năm"
        " phút là cùng một lần bấm máy; nguồn chỉ ghi ngày kết thúc thì không xét.",
        grounds=grounds.FORBIDDEN, evidence=("finish_at", "after_end_n"), needs=(_END_TIME,),
        among=_finished, holds=lambda given: nw.col("after_end_n") > 0, at="finish_at",
    ),
    Check(
        code="end_on_the_second", number="V-21", severity="A", remedy="ask_explanation",
        title="Kết thúc đúng giây hẹn trả",
        explanation="Giờ kết thúc trùng đúng giây hẹn trả, ở nguồn có ghi giây. Tác vụ tự động thì khai tài khoản máy.",
        grounds=grounds.FORBIDDEN, evidence=("finish_at", "slip_due_at", "due_0"),
        needs=(_SECONDS, _END_TIME), among=_finished, holds=_on_the_second, at="finish_at",
    ),
    Check(
        code="closed_in_seconds", number="V-21", severity="B", remedy="ask_explanation",
        title="Kết thúc vài giây sau khi mở",
        explanation="Hồ sơ được mở và kết thúc trên máy trong chưa đầy một phút. Thủ tục giải quyết trong ngày, tài"
        " khoản máy đã khai, nhập bù sau sự cố đã khai không xét.",
        grounds=grounds.FORBIDDEN, evidence=("first_recorded_at", "finish_recorded_at"),
        parameters=(
            Parameter(name="seconds", default=60, law=False, least=1, title="số giây"),
            Parameter(name="loaded_at_once", default=LOADED_AT_ONCE, law=False, least=1,
                      title="số hồ sơ nhập trong một phút thì coi là nạp"),
        ),
        needs=(_ENTRY_TIMES,), among=_finished, holds=_in_seconds, at="finish_recorded_at",
    ),
    Check(
        code="forced_by_administrator", number="V-21", severity="A", remedy="ask_explanation",
        title="Quản trị viên kết thúc, dời hạn hoặc đẩy hồ sơ",
        explanation="Tài khoản quản trị kết thúc, trả lại hoặc dời hạn một hồ sơ mà nó không thụ lý. Tài"
        " khoản máy đã khai không xét.",
        grounds=grounds.FORBIDDEN, evidence=("decided_by_administrator_n", "finish_at"),
        among=lambda given: accepted(), holds=_forced, at="finish_at",
    ),
    Check(
        code="bulk_closing", number="V-21", severity="B", remedy="ask_explanation", concerns="official",
        title="Kết thúc hàng loạt trong vài phút",
        explanation="Một tài khoản kết thúc nhiều hồ sơ trong vài phút: việc được ghi dồn, không ghi khi xong."
        " Tài khoản máy và nhập bù sau sự cố đã khai không xét.",
        grounds=(*grounds.FORBIDDEN, _RECORDED), evidence=("events", "from_at", "to_at"),
        parameters=(
            Parameter(name="ends", default=15, law=False, least=2, title="số hồ sơ"),
            Parameter(name="minutes", default=10, law=False, least=1, title="số phút"),
        ),
        signs=_burst,
    ),
    Check(
        code="month_end_closing", number="V-21", severity="B", remedy="ask_explanation", concerns="unit",
        kind="statistical", title="Kết thúc dồn vào cuối tháng",
        explanation="Phần hồ sơ kết thúc trong những ngày làm việc cuối tháng nhiều hơn hẳn các đơn vị khác.",
        grounds=(*grounds.FORBIDDEN, _RECORDED), evidence=peers.EVIDENCE,
        parameters=(Parameter(name="workdays", default=2, law=False, least=1, title="số ngày làm việc cuối tháng"),
                    *peers.PARAMETERS),
        signs=_month_end,
    ),
    Check(
        code="ends_just_before_due", number="V-21", severity="B", remedy="ask_explanation", concerns="official",
        kind="statistical", title="Kết thúc dồn vào ít phút trước hạn",
        explanation="Công chức kết thúc hồ sơ trong ít phút trước hạn nhiều hơn hẳn đồng nghiệp.",
        grounds=grounds.FORBIDDEN, evidence=peers.EVIDENCE,
        parameters=(Parameter(name="minutes", default=15, law=False, least=1, title="số phút trước hạn"),
                    *peers.PARAMETERS),
        signs=_before_due,
    ),
    Check(
        code="enters_later_than_peers", number="V-22", severity="C", remedy="record_on_time", concerns="unit",
        kind="statistical", title="Nhập chậm nhiều hơn hẳn nơi khác",
        explanation="Phần thao tác nhập chậm hơn một ngày làm việc nhiều hơn hẳn các đơn vị khác, xét theo loại thao"
        " tác.",
        grounds=(_RECORDED, *grounds.one_stop("Điều 12 khoản 4", "Điều 19")), evidence=peers.EVIDENCE,
        parameters=(Parameter(name="minutes", default=_WORKDAY, law=False, least=1, title="phút làm việc được chậm"),
                    *peers.PARAMETERS),
        signs=_late_entries,
    ),
    Check(
        code="night_clicks", number="V-36", severity="C", remedy="separate_accounts", concerns="official",
        kind="statistical", title="Thao tác ban đêm bất thường",
        explanation="Tài khoản thao tác từ 22 giờ đến 5 giờ vào nhiều ngày hơn hẳn đồng nghiệp. Tài khoản máy không"
        " xét.",
        grounds=(grounds.electronic("Chương III"),), evidence=peers.EVIDENCE,
        parameters=(
            Parameter(name="from_minute", default=22 * 60, law=False, most=1_440, title="đêm bắt đầu từ phút"),
            Parameter(name="to_minute", default=5 * 60, law=False, most=1_440, title="đêm kết thúc trước phút"),
            *_OF_DAYS,
        ),
        signs=_night,
    ),
    Check(
        code="rest_day_clicks", number="V-36", severity="C", remedy="separate_accounts", concerns="official",
        kind="statistical", title="Thao tác ngày nghỉ bất thường",
        explanation="Trong các ngày tài khoản có thao tác, phần ngày nghỉ theo lịch của đơn vị nhiều hơn hẳn đồng"
        " nghiệp.",
        grounds=(grounds.electronic("Chương III"),), evidence=peers.EVIDENCE, parameters=_OF_DAYS,
        signs=_rest_days,
    ),
    Check(
        code="shared_account", number="V-36", severity="C", remedy="separate_accounts", concerns="official",
        title="Tài khoản dùng chung",
        explanation="Một tài khoản thao tác ở hai đơn vị cách nhau vài phút, nhiều lần. Cùng một bộ phận phục vụ"
        " nhiều đơn vị thì không xét.",
        grounds=(grounds.electronic("Chương III"),), evidence=("events", "agencies"),
        parameters=(
            Parameter(name="minutes", default=10, law=False, least=1, title="số phút"),
            Parameter(name="times", default=3, law=False, least=1, title="số lần"),
        ),
        signs=_shared,
    ),
)  # fmt: skip
