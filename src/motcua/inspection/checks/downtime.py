"""Known outages: the time in which nothing could be entered or sent, and the time in which it was caught up.

An outage is known by a recorded decision (law paper §6.6, V-04). An act is *caught up* where it was entered in an
outage or in the time that the decision gives to enter what was left undone.
"""

from __future__ import annotations

import narwhals as nw

from motcua.inspection.checks.facts import Frame, worked

SOFTWARE, PORTAL = "software", "portal"


def placed(outages: Frame, units: Frame, days: Frame) -> Frame:
    """The outages with the working minutes of their agency's calendar up to their ends."""
    frame = outages.join(units.select("agency", "calendar"), on="agency", how="left")
    frame = frame.with_columns(calendar=nw.col("calendar").fill_null("vn"))
    return worked(frame, days, from_w="from_s", to_w="to_s")


def told(acts: Frame, outages: Frame | None) -> Frame:
    """The acts with `down_w`, the working minutes between statement and entry in which the software was down, and
    with whether they were caught up."""
    if outages is None:
        return acts.with_columns(down_w=nw.lit(0), caught_up=nw.lit(value=False))
    ours = outages.filter(nw.col("what") == SOFTWARE)
    met = (
        acts.select("dossier", "seq", "agency", "at", "recorded_at", "w_at", "w_recorded")
        .join(ours, on="agency", how="inner")
        .filter(nw.col("at") < nw.col("to_s"), nw.col("recorded_at") > nw.col("from_s"))
    )
    shared = nw.min_horizontal("w_recorded", "to_w") - nw.max_horizontal("w_at", "from_w")
    known = met.with_columns(
        shared=nw.when(shared > 0).then(shared).otherwise(nw.lit(0)),
        caught=(nw.col("recorded_at") <= nw.col("caught_up_s")).cast(nw.Int64),
    )
    # An act stated and entered after the outage may still belong to what was left undone.
    after = (
        acts.select("dossier", "seq", "agency", "at", "recorded_at")
        .join(ours, on="agency", how="inner")
        .filter(nw.col("at") >= nw.col("to_s"), nw.col("recorded_at") <= nw.col("caught_up_s"))
        .select("dossier", "seq", shared=nw.lit(0), caught=nw.lit(1))
    )
    each = nw.concat([_narrow(known), _narrow(after)], how="vertical")
    summed = each.group_by("dossier", "seq").agg(
        nw.col("shared").sum().alias("down_w"), nw.col("caught").max().alias("caught")
    )
    names = acts.collect_schema().names()
    return acts.join(summed, on=["dossier", "seq"], how="left").select(
        *names, nw.col("down_w").fill_null(0), caught_up=(nw.col("caught") == 1).fill_null(value=False)
    )


def _narrow(frame: Frame) -> Frame:
    return frame.select("dossier", "seq", nw.col("shared").cast(nw.Int64), nw.col("caught").cast(nw.Int64))


def seconds(frame: Frame, outages: Frame | None) -> Frame:
    """Rows (dossier, seq, agency, from_at, to_at) with `down_s`: the seconds between in which either system was down.

    Where both were down at once the longer of the two counts.
    """
    if outages is None:
        return frame.with_columns(down_s=nw.lit(0))
    met = (
        frame.join(outages.select("agency", "what", "from_s", "to_s"), on="agency", how="inner")
        .filter(nw.col("from_at") < nw.col("to_s"), nw.col("to_at") > nw.col("from_s"))
        .with_columns(shared=nw.min_horizontal("to_at", "to_s") - nw.max_horizontal("from_at", "from_s"))
        .group_by("dossier", "seq", "what")
        .agg(nw.col("shared").sum())
        .group_by("dossier", "seq")
        .agg(nw.col("shared").max().alias("down_s"))
    )
    names = frame.collect_schema().names()
    return frame.join(met, on=["dossier", "seq"], how="left").select(*names, nw.col("down_s").fill_null(0))
