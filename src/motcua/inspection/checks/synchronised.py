"""How long an act took to the national portal: from its entry to its arrival there, or to its delivery by us.

The arrival is known where a message came over the wire before our eyes, or where our own delivery was acknowledged;
what was loaded or read back says nothing of when it arrived. An act and the portal's step are the same where they
state the same instant and the same status; 1 and 2, and 3 and 8, count as one (law paper §6.6, V-20).
"""

from __future__ import annotations

import narwhals as nw

from motcua.inspection.checks import downtime, grounds
from motcua.inspection.checks.check import Check, Given, Need, Parameter
from motcua.inspection.checks.facts import Frame
from motcua.inspection.checks.reception import accepted

#: Acts of ours by the statuses that carry them.
_OURS = {"received": "2", "supplement_requested": "5", "payment_requested": "6", "withdrawn": "7", "finished": "9",
         "returned": "10", "refused": "3", "stopped": "3"}  # fmt: skip
_THEIRS = {"1": "2", "8": "3"}
#: Two clocks of one act differ by so many seconds at most.
_SAME_S = 60


def told(acts: Frame, theirs: Frame, deliveries: Frame, outages: Frame | None, until: int) -> Frame:
    """For each dossier the longest way of any of its acts, in minutes without outages, and its two instants."""
    sent = acts.filter(nw.col("kind").is_in(list(_OURS))).select(
        "dossier", "seq", "agency", "at", "recorded_at", status=_renamed("kind", _OURS)
    )
    steps = theirs.filter(~nw.col("recorded_at").is_null()).select(
        "dossier", status=_renamed("kind", _THEIRS), t_at="at", arrived_at="recorded_at"
    )
    seen = sent.join(steps, on=["dossier", "status"], how="inner").filter(
        nw.col("at") - nw.col("t_at") <= _SAME_S, nw.col("t_at") - nw.col("at") <= _SAME_S
    )
    given = sent.join(
        deliveries.filter(nw.col("state") == "delivered", nw.col("seq") > 0, ~nw.col("done_at").is_null()).select(
            "dossier", "seq", arrived_at="done_at"
        ),
        on=["dossier", "seq"], how="inner",
    )  # fmt: skip
    ways = nw.concat(
        [each.select("dossier", "seq", "agency", from_at="recorded_at", to_at="arrived_at") for each in (seen, given)],
        how="vertical",
    )
    ways = (
        ways.filter(nw.col("to_at") <= until).group_by("dossier", "seq", "agency", "from_at").agg(nw.col("to_at").min())
    )
    # What was entered before an agency's first message arrived is history, sent when the exchange began.
    since = ways.group_by("agency").agg(nw.col("to_at").min().alias("since"))
    ways = ways.join(since, on="agency", how="inner").filter(nw.col("from_at") >= nw.col("since")).drop("since")
    ways = downtime.seconds(ways, outages).with_columns(
        sync_minutes=(nw.col("to_at") - nw.col("from_at") - nw.col("down_s")) // 60
    )
    longest = ways.group_by("dossier").agg(nw.col("sync_minutes").max())
    return (
        ways.join(longest, on=["dossier", "sync_minutes"], how="inner")
        .group_by("dossier", "sync_minutes")
        .agg(nw.col("from_at").min().alias("sync_entered_at"), nw.col("to_at").min().alias("sync_arrived_at"))
    )


def _renamed(name: str, names: dict[str, str]) -> nw.Expr:
    found = nw.col(name)
    for old, new in names.items():
        found = nw.when(nw.col(name) == old).then(nw.lit(new)).otherwise(found)
    return found


def _late(given: Given) -> nw.Expr:
    return nw.col("sync_minutes") > given.number("minutes")


CHECKS: tuple[Check, ...] = (
    Check(
        code="synchronised_late", number="V-20", severity="C", remedy="send_update",
        title="Đồng bộ lên Cổng chậm",
        explanation="Một thao tác được nhập ở một cửa nhưng quá 24 giờ sau mới đến Cổng. Chỉ xét khi biết lúc bản tin"
        " đến; thao tác nhập trước bản tin đầu tiên của đơn vị không xét;"
        " thời gian sự cố đã khai được trừ. Chưa đến thì thuộc dấu hiệu “chưa gửi cập nhật”.",
        grounds=(grounds.PORTAL, *grounds.one_stop("Điều 25 khoản 2 điểm g", "Điều 27")),
        evidence=("sync_minutes", "sync_entered_at", "sync_arrived_at"),
        parameters=(Parameter(name="minutes", default=24 * 60, law=False, least=1,
                              title="số phút được chậm (kể cả ngoài giờ)"),),
        needs=(
            Need(fact="arrivals", title="lúc bản tin đến Cổng", has=lambda: ~nw.col("sync_minutes").is_null()),
            Need(fact="clicks", title="giờ bấm máy",
                 has=lambda: (nw.col("entered_apart") > 0) | (nw.col("origin") == "desk"), by_source=True),
        ),
        among=lambda given: accepted(), holds=_late, at="sync_arrived_at",
    ),
)  # fmt: skip
