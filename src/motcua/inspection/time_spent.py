"""Where the time of many dossiers lies: the owners of `rules.minutes`, over columns.

Every working minute from submission, else receipt, to the true finish or `as_of` has one owner. The reason of a pause
is kept as a digest, so every pause that is no supplement and no payment counts as `suspension`.
"""

from __future__ import annotations

import narwhals as nw

from motcua.inspection.checks.facts import Frame, worked

#: Owners outside the agency: their minutes are told apart from its own.
OUTSIDE = ("applicant", "payment", "suspension", "other_agency")
#: What is awaited, in the order of `rules.minutes`: the act that begins it, the act that ends it, whose minutes.
_WAITS = (
    ("supplement_requested", "supplement_received", "applicant"),
    ("payment_requested", "paid", "payment"),
    ("suspended", "resumed", "suspension"),
    ("leg_sent", "leg_returned", "other_agency"),
)
_FIRST, _ACCEPTED, _LAST = -2, -1, 1_000_000_000  # the places of the edges among the acts of a dossier


def spent(dossiers: Frame, acts: Frame, days: Frame, *, as_of: int) -> Frame:
    """Rows of dossier, owner, step (of the owner `step`), working minutes; only where there are any.

    `dossiers`: judged pairs with their `calendar`. `acts`: ours as they stand after corrections. Instants in seconds.
    """
    spans = dossiers.select(
        "dossier", "calendar", accepted=nw.col("received_at"),
        start=nw.coalesce("submitted_at", "received_at"),
        until=nw.min_horizontal(nw.coalesce(nw.col("true_finish_at"), nw.lit(as_of)), nw.lit(as_of)),
    ).filter(nw.col("until") > nw.col("start"))  # fmt: skip
    edges = [
        _edge(spans, "start", _FIRST),
        _edge(spans.filter(nw.col("accepted") > nw.col("start"), nw.col("accepted") < nw.col("until")), "accepted",
              _ACCEPTED),
        _edge(spans, "until", _LAST),
    ]  # fmt: skip
    said = acts.filter(nw.col("kind") != "registered").join(spans, on="dossier", how="inner")
    columns = ("dossier", "calendar", "accepted", "at", "stated", "seq", "kind", "step")
    said = said.with_columns(stated=nw.col("at")).with_columns(
        at=nw.min_horizontal(nw.max_horizontal("at", "start"), "until")
    )
    rows = nw.concat([said.select(columns), *(edge.select(columns) for edge in edges)], how="vertical")
    return _owned(worked(rows, days, w="at"))


def _edge(spans: Frame, name: str, seq: int) -> Frame:
    """The first instant, the acceptance or the last one, as a row among the acts of a dossier."""
    far = nw.lit(2**60 if seq == _LAST else -(2**60)).cast(nw.Int64)
    return spans.with_columns(
        at=nw.col(name), stated=nw.col("accepted") - 1 if seq == _ACCEPTED else far,
        seq=nw.lit(seq).cast(nw.Int64), kind=nw.lit(""), step=nw.lit(""),
    )  # fmt: skip


def _owned(rows: Frame) -> Frame:
    """Each span between two rows of a dossier with its owner."""
    order = ["at", "stated", "seq"]

    def over(value: nw.Expr) -> nw.Expr:
        return value.over("dossier", order_by=order)

    rows = rows.with_columns(one=nw.lit(1).cast(nw.Int64)).with_columns(place=over(nw.col("one").cum_sum()))
    kinds = {kind for begins, ends, _ in _WAITS for kind in (begins, ends)} | {"step_started", "step_finished"}
    places = {kind: nw.when(nw.col("kind") == kind).then(nw.col("place")).otherwise(nw.lit(0)) for kind in kinds}
    rows = rows.with_columns(**places).with_columns(
        **{kind: over(nw.col(kind).cum_max()) for kind in kinds},
        next_w=over(nw.col("w").shift(-1)), next_kind=over(nw.col("kind").shift(-1)),
        next_step=over(nw.col("step").shift(-1)),
    )  # fmt: skip
    begun = rows.filter(nw.col("kind") == "step_started").select("dossier", step_started="place", working="step")
    rows = rows.join(begun, on=["dossier", "step_started"], how="left")
    minutes = nw.col("next_w") - nw.col("w")
    in_hand = nw.col("step_started") > nw.col("step_finished")
    closes = nw.col("next_kind") == "step_finished"
    owner = nw.when(in_hand | closes).then(nw.lit("step")).otherwise(nw.lit("assignment"))
    owner = nw.when(nw.col("at") < nw.col("accepted")).then(nw.lit("reception")).otherwise(owner)
    for begins, ends, whose in reversed(_WAITS):
        owner = nw.when(nw.col(begins) > nw.col(ends)).then(nw.lit(whose)).otherwise(owner)
    named = nw.when(in_hand).then(nw.col("working")).otherwise(nw.col("next_step"))
    return (
        rows.with_columns(owner=owner, minutes=minutes)
        .with_columns(step=nw.when(nw.col("owner") == "step").then(named).otherwise(nw.lit("")))
        .filter(nw.col("minutes") > 0)
        .select("dossier", "owner", nw.col("step").fill_null("").alias("step"), "minutes")
        .group_by("dossier", "owner", "step")
        .agg(nw.col("minutes").sum())
    )


def totals(frame: Frame) -> Frame:
    """Minutes and dossiers of each owner and step."""
    return frame.group_by("owner", "step").agg(
        nw.col("minutes").sum(), nw.col("dossier").n_unique().alias("dossiers")
    )  # fmt: skip


def held(frame: Frame, owner: str, step: str) -> Frame:
    """The dossiers of which an owner, or a step, had any minute."""
    return frame.filter(nw.col("owner") == owner, nw.col("step") == step).select("dossier").unique()
