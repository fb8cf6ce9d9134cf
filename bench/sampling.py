"""Ten thousand simulated draws: the estimate has no bias, and the interval covers the truth at least 95 times in 100.

Two parts. The algorithm itself, with ten thousand seeds over a small population: how often each dossier was drawn
beside its stated probability, and the mean of the estimates beside the truth. Then ten thousand draws for each of
many provinces (sizes, shares of risk, true rates near 0 and 1, small samples, many strata), vectorised: systematic
sampling of a row in random order within equal risk fixes how many of each risk are drawn, and the finds among them
are hypergeometric.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from motcua.inspection import estimates, sampling
from motcua.inspection.sampling import Unit

DRAWS = 10_000
RISKS = (1, 3, 9)
#: Shares of the population at each risk; the true rate at each.
MIXES = ((1.0, 0.0, 0.0), (0.9, 0.08, 0.02), (0.7, 0.2, 0.1), (0.3, 0.4, 0.3))
RATES = (
    (0.0, 0.0, 0.0), (0.002, 0.01, 0.05), (0.01, 0.1, 0.5), (0.05, 0.05, 0.05), (0.03, 0.5, 0.9), (0.1, 0.0, 0.0),
    (0.02, 0.0, 0.0), (0.3, 0.3, 0.3), (0.5, 0.2, 0.1), (0.0, 0.0, 0.3), (0.9, 0.95, 1.0), (1.0, 1.0, 1.0),
)  # fmt: skip
SIZES = ((60, 10), (60, 30), (60, 45), (400, 10), (400, 20), (400, 100), (400, 240), (6_000, 30), (6_000, 240))
#: Provinces of several strata: the dossiers of each unit, the sample, how many of each unit at least.
STRATA = (((500,) * 12, 240, 5), ((40, 60, 900, 2000), 60, 5), ((30,) * 40, 120, 2), ((8, 8, 8, 3_000), 40, 3))


@dataclass(frozen=True, slots=True)
class Found:
    """What ten thousand draws of one province gave."""

    name: str
    truth: float
    coverage: float
    width: float
    bias: float  # mean of the estimates less the truth
    noise: float  # standard error of that mean


def row(sizes: list[int], count: int, draws: int, rng: Any) -> tuple[Any, Any]:
    """How many of each risk are drawn from one stratum (draws × risks), and the weight of each risk."""
    certain, total, left = [False] * len(sizes), sum(n * r for n, r in zip(sizes, RISKS, strict=True)), count
    for k in reversed(range(len(sizes))):  # the riskiest stands first; all of a risk are certain together, or some
        taken = 0
        while taken < sizes[k] and left * RISKS[k] >= total:
            taken, left, total = taken + 1, left - 1, total - RISKS[k]
        certain[k] = taken == sizes[k] and sizes[k] > 0
        assert taken in (0, sizes[k]), "equal risks are certain together"
    drawn = np.zeros((draws, len(sizes)), np.int64)
    weights = np.ones(len(sizes))
    start = rng.integers(0, total, draws) if left else np.zeros(draws, np.int64)
    end = 0
    for k in reversed(range(len(sizes))):
        if certain[k]:
            drawn[:, k] = sizes[k]
        elif left:
            before, end = end, end + left * RISKS[k] * sizes[k]
            drawn[:, k] = (end - start + total - 1) // total - (before - start + total - 1) // total
            weights[k] = total / (left * RISKS[k])
    return drawn, weights


def simulate(name: str, strata: list[list[int]], rates: tuple[float, ...], size: int, least: int, draws: int,
             rng: Any) -> Found:  # fmt: skip
    """Draws, estimates and bounds of one province. `strata`: dossiers of each risk in each unit."""
    units = [Unit(f"{s}-{k}-{i}", str(s), RISKS[k])
             for s, sizes in enumerate(strata) for k, n in enumerate(sizes) for i in range(n)]  # fmt: skip
    given = sampling.allocation(units, size=size, least=least)
    drawn, hits, weights, late = [], [], [], 0
    for s, sizes in enumerate(strata):
        of_stratum, of_weights = row(sizes, given[str(s)], draws, rng)
        for k, n in enumerate(sizes):
            with_it = round(n * rates[k])
            late += with_it
            drawn.append(of_stratum[:, k])
            hits.append(rng.hypergeometric(with_it, n - with_it, of_stratum[:, k]) if n else of_stratum[:, k])
            weights.append(of_weights[k])
    population = len(units)
    truth, w = late / population, np.array(weights)
    seen, back = np.unique(np.stack([*drawn, *hits], -1), axis=0, return_inverse=True)  # equal samples once
    n, x = seen[:, : len(w)].astype(float), seen[:, len(w) :].astype(float)
    low, high = estimates.bounds(w, n, x, population=population, largest=np.array(w.max()))
    estimate = (x * w).sum(-1) / population
    covers = (low <= truth + 1e-12) & (truth <= high + 1e-12)
    back = back.ravel()
    return Found(name, truth, float(covers[back].mean()), float((high - low)[back].mean()),
                 float(estimate[back].mean() - truth), float(estimate[back].std() / np.sqrt(draws)))  # fmt: skip


def provinces(draws: int, rng: Any) -> Iterator[Found]:
    """Every province of the grid."""
    for (population, size), mix, rates in itertools.product(SIZES, MIXES, RATES):
        sizes = [round(population * share) for share in mix]
        sizes[0] = population - sum(sizes[1:])
        yield simulate(f"N={population} n={size} mix={mix} rates={rates}", [sizes], rates, size, 0, draws, rng)
    for (units, size, least), mix, rates in itertools.product(STRATA, MIXES, RATES):
        strata = [[n - round(n * mix[1]) - round(n * mix[2]), round(n * mix[1]), round(n * mix[2])] for n in units]
        yield simulate(f"units={len(units)} n={size} mix={mix} rates={rates}", strata, rates, size, least, draws, rng)


def inclusion(draws: int) -> tuple[float, float, float]:
    """The algorithm itself: the greatest |z| of a dossier's frequency, the estimate's bias, and its standard error."""
    units = [Unit(f"{i:03}", f"u{i % 4}", 9 if i % 31 == 0 else 3 if i % 5 == 0 else 1) for i in range(200)]
    late = {unit.code for i, unit in enumerate(units) if i % 9 == 0 or unit.risk == 9}
    times: dict[str, int] = {}
    stated: dict[str, float] = {}
    found = []
    for n in range(draws):
        sample = sampling.draw(units, size=30, least=4, seed=f"{n:064x}")
        assert len(sample) == 30
        for d in sample:
            times[d.unit.code] = times.get(d.unit.code, 0) + 1
            stated[d.unit.code] = float(d.probability)
        found.append(sum(1 / float(d.probability) for d in sample if d.unit.code in late) / len(units))
    z = [abs(times[c] - draws * p) / (draws * p * (1 - p)) ** 0.5 for c, p in stated.items() if p < 1]
    assert all(times[c] == draws for c, p in stated.items() if p == 1) and len(stated) == len(units)
    return max(z), float(np.mean(found)) - len(late) / len(units), float(np.std(found)) / draws**0.5


def main() -> int:
    """Prints the figures that docs/reference/sampling.md keeps; status 1 where the promise is not kept."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    begun = time.perf_counter()
    z, bias, error = inclusion(draws)
    print(f"algorithm, {draws} seeds: greatest |z| of 200 inclusion frequencies {z:.2f}; "
          f"bias {bias:+.5f}, standard error {error:.5f}")  # fmt: skip
    found = list(provinces(draws, np.random.default_rng(20260302)))
    worst = min(found, key=lambda f: f.coverage)
    far = max(abs(f.bias) / f.noise for f in found if f.noise > 1e-9)
    failed = [f for f in found if f.coverage < 0.95]
    print(f"{len(found)} provinces of {draws} draws: least coverage {worst.coverage:.4f} ({worst.name}), "
          f"mean {np.mean([f.coverage for f in found]):.4f}; {len(failed)} below 0.95; "
          f"greatest |bias| {far:.2f} standard errors")  # fmt: skip
    for population, size in SIZES:
        of_size = [f for f in found if f.name.startswith(f"N={population} n={size} ")]
        least, most = min(f.coverage for f in of_size), max(f.coverage for f in of_size)
        width = np.mean([f.width for f in of_size])
        print(f"  N={population:5} n={size:4}: coverage {least:.4f} to {most:.4f}, mean width {width:.3f}")
    print(f"took {time.perf_counter() - begun:.1f} s")
    for f in failed:
        print("  below:", f)
    return 1 if failed or z > 4.5 or abs(bias) > 4 * error or far > 4.5 else 0


if __name__ == "__main__":
    raise SystemExit(main())
