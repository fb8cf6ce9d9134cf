"""Boosted trees as plain numbers: grown by scikit-learn, kept and read without it.

A file of numbers can be read by anybody and does nothing when it is read; a pickle could do anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from motcua.inspection.forecast.history import Floats


@dataclass(frozen=True, slots=True)
class Trees:
    """A sum of trees. Of each node: the feature that it asks (-1: a leaf), threshold, children, value."""

    base: float
    feature: Sequence[Sequence[int]]
    threshold: Sequence[Sequence[float]]
    left: Sequence[Sequence[int]]
    right: Sequence[Sequence[int]]
    value: Sequence[Sequence[float]]

    def predict(self, rows: Floats) -> Floats:
        """The raw scores of rows of features (no absent values)."""
        out = np.full(len(rows), self.base)
        every = np.arange(len(rows))
        parts = zip(self.feature, self.threshold, self.left, self.right, self.value, strict=True)
        for feature_, threshold_, left_, right_, value_ in parts:
            feature, threshold = np.asarray(feature_), np.asarray(threshold_)
            left, right, value = np.asarray(left_), np.asarray(right_), np.asarray(value_)
            node = np.zeros(len(rows), np.int64)
            open_ = every
            while len(open_):
                asks = feature[node[open_]]
                open_ = open_[asks >= 0]
                here = node[open_]
                goes_left = rows[open_, feature[here]] <= threshold[here]
                node[open_] = np.where(goes_left, left[here], right[here])
            out += value[node]
        return out

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {name: getattr(self, name) for name in self.__slots__}

    @staticmethod
    def read(document: Mapping[str, Any]) -> Trees:
        """From JSON. Raises `KeyError`, `TypeError`."""
        return Trees(**{name: document[name] for name in Trees.__slots__})


#: Values told apart of each feature.
_BINS = 48


def _stepped(rows: Floats) -> tuple[Floats, list[Floats]]:
    """Features as steps, and the bounds between them: quick to learn from, and the bounds are values of ours."""
    bounds = [np.unique(np.quantile(column, np.linspace(0, 1, _BINS + 1)[1:-1])) for column in rows.T]
    steps = [np.searchsorted(each, column, side="left") for each, column in zip(bounds, rows.T, strict=True)]
    return np.column_stack(steps).astype(float), bounds


def _exported(grown: Any, bounds: list[Floats]) -> Trees:
    """The trees of a fitted booster of scikit-learn, their steps as values again."""
    columns: dict[str, list[list[Any]]] = {n: [] for n in ("feature", "threshold", "left", "right", "value")}
    for [tree] in grown._predictors:
        nodes = tree.nodes
        leaf = nodes["is_leaf"].astype(bool)
        columns["feature"].append(np.where(leaf, -1, nodes["feature_idx"]).tolist())
        asked = zip(leaf, nodes["feature_idx"], nodes["num_threshold"], strict=True)
        columns["threshold"].append([0.0 if end else float(bounds[n][int(at)]) for end, n, at in asked])
        columns["left"].append(nodes["left"].tolist())
        columns["right"].append(nodes["right"].tolist())
        columns["value"].append([float(v) for v in nodes["value"]])
    return Trees(float(np.ravel(grown._baseline_prediction)[0]), **columns)


def _options(rows: Floats, leaves: int, seed: int) -> dict[str, Any]:
    least = int(np.clip(len(rows) / 100, 10, 60))
    return {"max_leaf_nodes": leaves, "min_samples_leaf": least, "early_stopping": False, "random_state": seed}


def classifier(rows: Floats, late: Floats, weight: Floats, *, seed: int = 7) -> Trees:
    """Trees whose score is the log odds of being late. Raises `ImportError` without the extra `predict`."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    steps, bounds = _stepped(rows)
    leaves = int(np.clip(len(rows) / 1_500, 4, 8))  # of hundreds of dossiers, larger trees learn the dossiers
    with threadpool_limits(1):
        grown = HistGradientBoostingClassifier(
            max_iter=80, learning_rate=0.06, l2_regularization=5.0, **_options(rows, leaves, seed)
        ).fit(steps, late.astype(int), sample_weight=weight)
    return _exported(grown, bounds)


def quantile(rows: Floats, values: Floats, weight: Floats, level: float, *, seed: int = 7) -> Trees:
    """Trees for one quantile of the values."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    steps, bounds = _stepped(rows)
    with threadpool_limits(1):
        grown = HistGradientBoostingRegressor(
            loss="quantile", quantile=level, max_iter=60, learning_rate=0.08, **_options(rows, 8, seed)
        ).fit(steps, values, sample_weight=weight)
    return _exported(grown, bounds)
