"""Small units are not shamed by luck: exact tails, honest limits, and a bound on wrong marks, by simulation."""

from __future__ import annotations

from fractions import Fraction
from math import comb, erfc, lgamma, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motcua.inspection import statistics

LEVEL = 0.05


@given(st.integers(1, 60), st.data(), st.integers(1, 99))
def test_the_tail_of_the_binomial_is_the_sum_of_its_terms(n: int, data: st.DataObject, percent: int) -> None:
    k = data.draw(st.integers(0, n))
    p = Fraction(percent, 100)
    exact = float(sum(comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1)))
    got = float(statistics.binomial_tail(np.array(k), np.array(n), np.array(percent / 100)))
    assert got == pytest.approx(exact, rel=1e-9, abs=1e-13)


def test_at_the_edges_the_tail_is_certain_or_impossible() -> None:
    tail = statistics.binomial_tail(np.array([0, 5, 1, 3]), np.array([5, 4, 3, 3]), np.array([0.2, 0.5, 0.0, 1.0]))
    assert tail.tolist() == [1.0, 0.0, 0.0, 1.0]


@given(st.floats(0.01, 1e6))
def test_the_gamma_function_is_the_librarys(x: float) -> None:
    assert float(statistics.log_gamma(np.array([x]))[0]) == pytest.approx(lgamma(x), rel=1e-12, abs=1e-12)


@given(st.floats(-8, 8))
def test_the_normal_tail_and_its_inverse_agree_with_the_library(z: float) -> None:
    tail = float(statistics.normal_tail(np.array([z]))[0])
    assert tail == pytest.approx(0.5 * erfc(z / sqrt(2)), rel=1e-10)
    if 1e-12 < tail < 1 - 1e-12:
        inverse = float(statistics.normal_quantile(np.array([tail]))[0])
        assert inverse == pytest.approx(NormalDist().inv_cdf(tail), abs=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_false_discovery_keeps_the_order_and_never_helps_a_p_value(p: list[float]) -> None:
    given_p = np.array(p)
    q = statistics.false_discovery(given_p)
    assert (q >= given_p - 1e-15).all()
    order = np.argsort(given_p, kind="stable")
    assert (np.diff(q[order]) >= -1e-15).all()
    marked = q <= LEVEL
    ranks = np.sort(given_p)
    most = max((k for k in range(1, len(p) + 1) if ranks[k - 1] * len(p) / k <= LEVEL), default=0)
    assert marked.sum() == most, "Benjamini and Hochberg's step-up, as they state it"


@given(st.integers(1, 400), st.integers(1, 60))
def test_the_upper_limit_is_exceeded_with_at_most_the_chance_allowed(n: int, percent: int) -> None:
    rate = percent / 100
    limit = float(statistics.upper_limit(np.array([float(n)]), np.array([rate]))[0])
    above = round(limit * n) + 1
    assert float(statistics.binomial_tail(np.array(above), np.array(n), np.array(rate))) <= 0.002
    assert float(statistics.binomial_tail(np.array(above - 1), np.array(n), np.array(rate))) > 0.002


def _units(draw: np.random.Generator) -> np.ndarray:
    """150 units, few large and many small, as a province has them."""
    return np.maximum((draw.pareto(1.2, 150) * 40).astype(int), 5).astype(float)


def _scans(events: np.ndarray, out_of: np.ndarray, least: int = 30) -> list[statistics.Weighed]:
    """One scan a row of events; the exact tails of all scans at once."""
    peers = events.sum(axis=1, keepdims=True) / out_of.sum()
    rates = np.broadcast_to(peers, events.shape)
    tails = statistics.binomial_tail(events, out_of, rates)
    return [
        statistics.weigh(tail, row, out_of, rate, least=least)
        for tail, row, rate in zip(tails, events, rates, strict=True)
    ]


def test_where_all_units_are_equal_few_scans_name_any_worst_commune() -> None:
    draw = np.random.default_rng(2026)
    out_of, scans = _units(draw), 400
    named = 0
    for rate in (0.02, 0.08, 0.3):
        events = draw.binomial(out_of.astype(int), rate, size=(scans, len(out_of))).astype(float)
        for row, scan in zip(events, _scans(events, out_of), strict=True):
            named += bool(((scan.q <= LEVEL) & (row >= 5)).any())
    share = named / (3 * scans)
    assert share <= LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / (3 * scans)), share


def test_where_all_units_scatter_alike_nobody_is_named() -> None:
    """Equal true performance, and days or streets that differ: more scatter than chance, nobody to blame."""
    draw = np.random.default_rng(7)
    out_of = np.maximum(_units(draw), 40)
    rates = draw.beta(0.08 * 60, 0.92 * 60, (400, len(out_of)))
    events = draw.binomial(out_of.astype(int), rates).astype(float)
    scans = _scans(events, out_of)
    assert all(0.015 < scan.scatter < 0.07 for scan in scans), "the scatter that was put in is 0.035"
    named = sum(int((scan.q <= LEVEL).sum()) for scan in scans)
    tails = statistics.binomial_tail(events, out_of, events.sum(axis=1, keepdims=True) / out_of.sum())
    plain = sum(int((statistics.false_discovery(tail) <= LEVEL).sum()) for tail in tails)
    assert named < 0.1 * plain, "the limits of chance alone would name ten times as many"


def test_a_unit_that_is_truly_worse_is_named_and_small_ones_are_never_judged() -> None:
    draw = np.random.default_rng(11)
    out_of = np.full(150, 120.0)
    out_of[:20] = 12
    rate = np.full(150, 0.06)
    rate[-3:] = 0.25
    events = draw.binomial(out_of.astype(int), rate, (300, 150)).astype(float)
    events[:, :5] = 12  # all late, of twelve: luck or not, twelve are too few
    found = wrong = 0
    for scan in _scans(events, out_of):
        marked = scan.q <= LEVEL
        assert not marked[:20].any()
        found += int(marked[-3:].sum())
        wrong += int(marked[:-3].sum())
    assert found >= 0.95 * 900
    assert wrong <= LEVEL * (found + wrong)


def test_a_comparison_gives_the_limit_beside_the_mark() -> None:
    result = statistics.compare(np.array([2.0, 30.0]), np.array([100.0, 100.0]), np.array([0.05, 0.05]), least=30)
    assert result.q[1] < 1e-9 < 0.5 < result.q[0]
    assert result.upper.tolist() == [0.12, 0.12]


def test_silence_is_as_likely_as_the_pace_says() -> None:
    assert statistics.none_of(np.array([0.0, 3.0])).tolist() == pytest.approx([1.0, 0.049787068])


def test_wilsons_bound_lies_below_the_share() -> None:
    bounds = statistics.least_share(np.array([0, 34, 40]), np.array([40, 40, 40]))
    assert bounds.tolist() == pytest.approx([0.0, 0.7093, 0.9124], abs=2e-3)
