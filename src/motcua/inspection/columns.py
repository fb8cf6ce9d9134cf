"""Columns: a table as arrays of one length. Instants are int64 seconds UTC; absent is masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Marks an absent instant in a plain int64 column.
MISSING = np.iinfo(np.int64).min

Columns = dict[str, NDArray[Any]]


def masked(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The column with its absent values masked, as the engines read null."""
    return np.ma.masked_equal(values, MISSING)


def texts(values: Sequence[str]) -> NDArray[np.object_]:
    """A column of texts."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
