"""A request for explanation as a row: whom it asks, how far it is, how much time is left."""

from __future__ import annotations

from typing import Any

from motcua.findings.requests import calendar_of
from motcua.web import labels
from motcua.web.findings.viewer import Viewer


def told(row: dict[str, Any], viewer: Viewer) -> dict[str, Any]:
    """A row of `requests.listed` with the working time that is left, or by which it is past."""
    due = row["head"].due_at
    minutes = calendar_of(row["agency"]).minutes_between(min(due, viewer.now), max(due, viewer.now))
    return {**row, "past": due < viewer.now and row["waiting"] > 0, "left": labels.worked(minutes)}
