"""What an agency was asked to explain, as a check sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An agency that was asked: how many findings, of how many requests, wait past their date, and since when."""

    agency: str
    findings: int
    requests: int
    due_s: int  # the oldest date to answer that passed; 0 where none did
