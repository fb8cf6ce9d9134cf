"""What a check of units, officials or procedures looks at: every fact of the question, as frames of one engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from motcua.inspection.verdicts import Scope

Frame = nw.LazyFrame[Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """The judged pairs with their story, our acts, and what is known of units, procedures and days.

    `collect` gives the rows of a frame as dictionaries, absent as None.
    """

    dossiers: Frame
    acts: Frame
    scope: Scope
    collect: Callable[[Frame], list[dict[str, Any]]]
