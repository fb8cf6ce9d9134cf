"""The papers of a dossier, as the portal's copy names them, told in one row: known, digitised, reused, attached."""

from __future__ import annotations

import narwhals as nw

from motcua.inspection.checks.facts import Frame
from motcua.inspection.verdicts import flag

#: A paper handed in within so many days before counts as the same paper: it could have been used again.
REUSABLE_S = 730 * 86_400


def told(dossiers: Frame, documents: Frame, components: Frame) -> Frame:
    """What the papers of each of the pairs say: `dossier` and counts, 0 where none is named."""
    names = dossiers.select("dossier", "core", "owner", "received_at")
    papers = documents.join(names, on="dossier", how="inner")
    known = components.filter(nw.col("component") != "").group_by("core", "component").agg(
        nw.col("form").cast(nw.Int64).max()
    )  # fmt: skip
    papers = papers.join(known, on=["core", "component"], how="left")
    asked = (nw.col("role") == "handed_in") | (nw.col("role") == "supplement")
    result = nw.col("role") == "result"
    named, attached = nw.col("component") != "", nw.col("file") != ""
    earlier = _earlier(papers)
    papers = papers.join(earlier, on=["owner", "component"], how="left")
    again = (
        (nw.col("role") == "handed_in") & named & (nw.col("form") == 0) & ~flag("reused")
        & (nw.col("owner") != "") & (nw.col("first_at") < nw.col("received_at"))
        & (nw.col("received_at") - nw.col("first_at") <= REUSABLE_S)
    )  # fmt: skip
    columns = {
        "papers_n": asked,
        "unlisted_n": asked & named & nw.col("form").is_null(),
        "undigitised_n": (nw.col("role") == "handed_in") & ~(flag("digitised") & attached),
        "digitised_n": asked & flag("digitised") & attached,
        "reused_n": asked & flag("reused"),
        "ignored_reuse_n": again,
        "results_n": result & attached & named,
        "coded_n": asked & named,
    }
    counted = papers.select(
        "dossier",
        **{f"v_{name}": condition.fill_null(value=False).cast(nw.Int64) for name, condition in columns.items()},
    )
    summed = counted.group_by("dossier").agg(*(nw.col(f"v_{name}").sum().alias(name) for name in columns))
    told = dossiers.select("dossier").join(summed, on="dossier", how="left")
    return told.with_columns(**{name: nw.col(name).fill_null(0) for name in columns})


def _earlier(papers: Frame) -> Frame:
    """When an owner first handed in each paper, digitised and with its file."""
    whole = papers.filter(
        nw.col("role") == "handed_in", nw.col("component") != "", nw.col("owner") != "", flag("digitised"),
        nw.col("file") != "",
    )  # fmt: skip
    return whole.group_by("owner", "component").agg(nw.col("received_at").min().alias("first_at"))
