"""The sample: anybody draws it again, nobody can steer it, and what it says of the whole keeps its promise."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from bench import sampling as simulated
from hypothesis import given
from hypothesis import strategies as st

from motcua.inspection import estimates, sampling
from motcua.inspection.sampling import NotDrawable, Unit

SEED = "5eed" * 16


def _province(n: int = 300) -> list[Unit]:
    return [Unit(f"H99.{i % 7:02}-260302-{i:04}", f"H99.{i % 7:02}", 9 if i % 40 == 0 else 1 + i % 3) for i in range(n)]


units = st.lists(
    st.builds(Unit, st.text("abcdef", min_size=1), st.sampled_from(["x", "y", "z"]), st.integers(1, 9)),
    min_size=1, max_size=60, unique_by=lambda unit: unit.code,
)  # fmt: skip


@given(units, st.integers(3, 80), st.text("0123456789abcdef", min_size=1))
def test_a_draw_has_its_size_and_its_probabilities_sum_to_it(population: list[Unit], size: int, seed: str) -> None:
    drawn = sampling.draw(population, size=size, seed=seed)
    assert len(drawn) == min(size, len(population)) == len({d.unit.code for d in drawn})
    assert {d.unit for d in drawn} <= set(population)
    counts = sampling.allocation(population, size=size)
    for stratum, count in counts.items():
        row = [unit for unit in population if unit.stratum == stratum]
        # Every dossier has its exact probability whichever is drawn: one drawn for each seed tells it.
        stated: dict[str, Fraction] = {}
        for n in range(200):
            stated |= {d.unit.code: d.probability for d in sampling.of_stratum(row, count, seed=f"{seed}{n}")}
            if len(stated) == len(row):
                assert sum(stated.values()) == count
                break


def test_a_draw_is_the_same_for_everybody_and_in_any_order() -> None:
    """The golden draw: a change of the algorithm is another algorithm, with another name."""
    drawn = sampling.draw(_province(), size=12, least=1, seed=SEED)
    assert drawn == sampling.draw(reversed(_province()), size=12, least=1, seed=SEED)
    told = "\n".join(f"{d.unit.code} {d.probability}" for d in drawn)
    assert hashlib.sha256(told.encode()).hexdigest()[:16] == "270466bc58092a80"


def test_another_seed_another_sample() -> None:
    samples = {tuple(d.unit.code for d in sampling.draw(_province(), size=12, seed=f"{n:064x}")) for n in range(50)}
    assert len(samples) == 50


def test_risk_draws_more_often_and_the_floor_keeps_everybody_in_reach() -> None:
    population = [Unit(f"{i:04}", "", 9 if i < 20 else 1) for i in range(200)]
    drawn = {d.unit.code: d.probability for n in range(400) for d in sampling.draw(population, size=20, seed=str(n))}
    assert set(drawn) == {unit.code for unit in population}, "in four hundred draws everybody had a turn"
    assert drawn["0000"] == 9 * drawn["0199"] == Fraction(20 * 9, 20 * 9 + 180)


def test_whoever_fills_a_stride_is_drawn_for_certain() -> None:
    population = [Unit("great", "", 9), *(Unit(f"small-{n}", "", 1) for n in range(9))]
    for n in range(20):
        drawn = {d.unit.code: d.probability for d in sampling.draw(population, size=4, seed=str(n))}
        assert drawn.pop("great") == 1
        assert set(drawn.values()) == {Fraction(3, 9)}


@pytest.mark.parametrize(
    ("size", "least", "expected"),
    [(12, 0, {"a": 9, "b": 2, "c": 1}), (12, 3, {"a": 6, "b": 3, "c": 3}), (400, 0, {"a": 90, "b": 20, "c": 10})],
    ids=["by size", "at least three of each", "no more than there are"],
)
def test_strata_share_the_sample(size: int, least: int, expected: dict[str, int]) -> None:
    population = [Unit(f"{s}{i}", s, 1) for s, n in (("a", 90), ("b", 20), ("c", 10)) for i in range(n)]
    assert sampling.allocation(population, size=size, least=least) == expected


@pytest.mark.parametrize(
    ("population", "size", "least"),
    [
        ([], 5, 0),
        ([Unit("a", "", 1)], 0, 0),
        ([Unit("a", "", 10)], 1, 0),
        ([Unit("a", "x", 1), Unit("b", "y", 1)], 1, 1),
    ],
    ids=["nobody", "no size", "too great a risk", "more at least than in all"],
)
def test_what_cannot_be_drawn_says_so(population: list[Unit], size: int, least: int) -> None:
    with pytest.raises(NotDrawable):
        sampling.draw(population, size=size, least=least, seed=SEED)


def test_the_population_is_sealed_to_the_last_dossier() -> None:
    sealed = sampling.population_digest(_province())
    assert sealed == sampling.population_digest(reversed(_province()))
    first, *rest = _province()
    for other in ([*rest], [replace(first, risk=first.risk % 9 + 1), *rest], [replace(first, stratum="?"), *rest]):
        assert sampling.population_digest(other) != sealed


def test_a_nonce_is_bound_and_hidden_until_it_is_told() -> None:
    committed = sampling.commitment("mưa bóng mây", "muối")
    known = {"population": "p", "plan": "q", "committed": committed, "seal_after": "2026-03-02T01:00:00Z"}
    told = sampling.seed(**known, nonce="mưa bóng mây", salt="muối", head="aa")
    assert told != sampling.seed(**known, nonce="mưa bóng mây", salt="muối", head="ab"), "the head decides too"
    for nonce, salt in (("mưa", "muối"), ("mưa bóng mây", "đường")):
        with pytest.raises(NotDrawable):
            sampling.seed(**known, nonce=nonce, salt=salt, head="aa")


def test_numbers_below_a_bound_are_equally_likely() -> None:
    counts = np.bincount([sampling.below(7, seed=SEED, of=str(n)) for n in range(7_000)])
    assert len(counts) == 7 and ((counts - 1000) ** 2 / 1000).sum() < 22.5  # chi squared, 6 degrees: one in a thousand


# ---- what it says of the whole -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "x", "share"),
    [(1, 1, 0.3, 0.3), (2, 3, 0.5, 0.6875), (5, 1, 0.9, 0.59049), (0.5, 0.5, 0.5, 0.5)],
)
def test_the_beta_distribution_is_the_known_one(a: float, b: float, x: float, share: float) -> None:
    assert estimates.beta_share(np.array([a]), np.array([b]), np.array([x]))[0] == pytest.approx(share, abs=1e-9)
    assert estimates.beta_quantile(share, np.array([a]), np.array([b]))[0] == pytest.approx(x, abs=1e-9)


def _rate(hits: list[bool | None], probability: float = 0.01, population: int = 6_000) -> estimates.Rate:
    return estimates.rate(
        [probability] * len(hits), hits, population=population, least_probability=probability
    )  # fmt: skip


def test_nothing_found_is_not_nothing_there() -> None:
    found = _rate([False] * 60)
    assert found.rate == found.low == 0
    assert 0.04 < found.high < 0.08  # Clopper and Pearson: 0,0596


def test_the_interval_is_near_clopper_and_pearsons_where_all_weigh_the_same() -> None:
    found = _rate([True] * 6 + [False] * 54)
    assert found.rate == pytest.approx(0.1)
    assert found.low == pytest.approx(0.0376, abs=0.006) and found.high == pytest.approx(0.2051, abs=0.012)


def test_more_dossiers_a_narrower_interval_and_a_mirror_has_two_sides() -> None:
    few, many = _rate([True] * 3 + [False] * 27), _rate([True] * 60 + [False] * 540)
    assert many.high - many.low < few.high - few.low
    other = _rate([False] * 3 + [True] * 27)
    assert (other.low, other.high) == pytest.approx((1 - few.high, 1 - few.low))


def test_a_population_read_whole_has_no_doubt_left() -> None:
    found = _rate([True] * 3 + [False] * 7, probability=1, population=10)
    assert (found.rate, found.low, found.high) == pytest.approx((0.3, 0.3, 0.3))


def test_what_nobody_has_decided_widens_the_interval_and_only_that() -> None:
    known, open_ = _rate([True] * 5 + [False] * 55), _rate([True] * 5 + [None] * 5 + [False] * 50)
    assert open_.rate == known.rate and open_.low == known.low and open_.high > known.high


@given(st.lists(st.tuples(st.floats(0.01, 1), st.booleans()), min_size=1, max_size=40))
def test_the_estimate_lies_in_its_interval_and_both_in_what_was_seen(sample: list[tuple[float, bool]]) -> None:
    hits = [hit for _, hit in sample]
    found = estimates.rate([p for p, _ in sample], hits, population=5_000, least_probability=0.01)
    assert sum(hits) / 5_000 <= found.low <= found.rate <= found.high <= 1 - hits.count(False) / 5_000


def test_simulated_draws_have_no_bias_and_the_interval_covers_the_truth() -> None:
    """The small run of `bench/sampling.py`: ten thousand draws of a few provinces, the algorithm with 400 seeds."""
    rng = np.random.default_rng(9)
    for sizes, rates, n in (
        ([360, 32, 8], (0.01, 0.1, 0.5), 20), ([54, 5, 1], (0.1, 0.0, 0.0), 30),
        ([5400, 480, 120], (0.002, 0.01, 0.05), 240), ([400, 0, 0], (0.02, 0.0, 0.0), 240),
    ):  # fmt: skip
        found = simulated.simulate("", [sizes], rates, n, 0, 10_000, rng)
        assert found.coverage >= 0.95, found
        assert abs(found.bias) < 4.5 * found.noise, found
    z, bias, error = simulated.inclusion(400)
    assert z < 4.5 and abs(bias) < 4 * error


def test_the_simulation_counts_as_the_algorithm_draws() -> None:
    """The vectorised row gives each risk as many dossiers as the algorithm does, start for start."""
    sizes, count = [70, 20, 10], 17
    row = [Unit(f"{k}-{i:03}", "", simulated.RISKS[k]) for k, n in enumerate(sizes) for i in range(n)]
    total = sum(unit.risk for unit in row)

    class Starts:
        def integers(self, low: int, high: int, draws: int) -> np.ndarray:
            assert (low, high) == (0, total)
            return np.array([sampling.below(total, seed=str(n), of="start\n") for n in range(draws)])

    drawn, weights = simulated.row(sizes, count, 60, Starts())
    for n in range(60):
        sample = sampling.of_stratum(row, count, seed=str(n))
        assert [sum(d.unit.risk == r for d in sample) for r in simulated.RISKS] == drawn[n].tolist()
        for d in sample:
            assert float(1 / d.probability) == pytest.approx(weights[simulated.RISKS.index(d.unit.risk)])
    assert all(a >= b for a, b in pairwise(weights)), "the riskier weigh less"
