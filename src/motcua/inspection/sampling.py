"""A sample that nobody can steer, and that anybody can draw again with nothing but SHA-256 and whole numbers.

Systematic sampling with probabilities proportional to a stated risk, stratum by stratum: the dossiers of a stratum
stand in a row, by risk and within equal risk by a hash that only the seed decides; each takes a length proportional
to its risk; one random start and equal strides choose. Inclusion probabilities are exact fractions. No library's
random numbers are used, so that the draw does not depend on a version of anything. docs/reference/sampling.md writes
the algorithm down for a stranger. Source: Madow 1949 (systematic sampling with unequal probabilities).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

#: Names the algorithm; another one gets another name.
ALGORITHM = "motcua draw 1"
#: The greatest stated risk: the least likely dossier of a stratum is drawn at least a ninth as often as the likeliest.
MOST_RISK = 9
_WORD = 1 << 256


class NotDrawable(ValueError):
    """What was asked cannot be drawn; the message says why."""


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """One dossier of the population. `risk` is a whole number from 1 (the floor) to MOST_RISK."""

    code: str
    stratum: str
    risk: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """A dossier of the sample with the exact probability with which it could have been drawn."""

    unit: Unit
    probability: Fraction


def population_digest(units: Iterable[Unit]) -> str:
    """What is sealed before the draw: SHA-256 over one line a dossier, in the order of the codes (hexadecimal)."""
    digest = hashlib.sha256(f"{ALGORITHM} population\n".encode())
    for unit in sorted(units):
        digest.update(f"{unit.code}\t{unit.stratum}\t{unit.risk}\n".encode())
    return digest.hexdigest()


def commitment(nonce: str, salt: str) -> str:
    """What the second person hands in before the draw: it binds to the nonce and does not tell it (hexadecimal)."""
    return hashlib.sha256(f"{ALGORITHM} nonce\n{nonce}\n{salt}".encode()).hexdigest()


def seed(*, population: str, plan: str, committed: str, nonce: str, salt: str, seal_after: str, head: str) -> str:
    """The seed: the hash of all that nobody could know or choose together beforehand (hexadecimal).

    `population`, `plan` and `committed` are digests; `seal_after` is the instant, ISO 8601 in UTC, after which the
    first signed head of the log counts; `head` is that head's root. Raises `NotDrawable` where the nonce is not the
    one that was committed to.
    """
    if commitment(nonce, salt) != committed:
        raise NotDrawable("the nonce and its salt are not those that were committed to")
    lines = (f"{ALGORITHM} seed", population, plan, committed, nonce, salt, seal_after, head)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def below(bound: int, *, seed: str, of: str) -> int:
    """A whole number from 0 up to, not including, `bound`: every one equally likely.

    SHA-256 over the seed, the name of what is decided and a counter; a value in the last, incomplete block of
    `bound` is passed over, so that none is favoured.
    """
    counter = 0
    while True:
        value = int.from_bytes(hashlib.sha256(f"{seed}\n{of}\n{counter}".encode()).digest(), "big")
        if value < _WORD - _WORD % bound:
            return value % bound
        counter += 1


def allocation(units: Iterable[Unit], *, size: int, least: int = 1) -> dict[str, int]:
    """How many are drawn in each stratum: `least` of each (or all of it), the rest by the sum of the risks.

    At least one of each, so that no dossier is out of reach. Whole shares are given, again and again, to the strata
    that have room; what is less than a whole share goes to the largest remainders, equal ones in the order of their
    names. Raises `NotDrawable`.
    """
    totals: dict[str, int] = {}
    sizes: dict[str, int] = {}
    for unit in units:
        if not 1 <= unit.risk <= MOST_RISK:
            raise NotDrawable(f"{unit.code}: a risk is from 1 to {MOST_RISK}, not {unit.risk}")
        totals[unit.stratum] = totals.get(unit.stratum, 0) + unit.risk
        sizes[unit.stratum] = sizes.get(unit.stratum, 0) + 1
    if not sizes:
        raise NotDrawable("the population is empty")
    if size < 1:
        raise NotDrawable("a sample has at least one dossier")
    size = min(size, sum(sizes.values()))
    given = {stratum: min(max(least, 1), count) for stratum, count in sizes.items()}
    if sum(given.values()) > size:
        raise NotDrawable(
            f"{max(least, 1)} of each stratum are {sum(given.values())} dossiers, more than the sample of {size}"
        )
    while left := size - sum(given.values()):
        room = {stratum for stratum in sizes if given[stratum] < sizes[stratum]}
        weight = sum(totals[stratum] for stratum in room)
        shares = {s: min(left * totals[s] // weight, sizes[s] - given[s]) for s in room}
        if not any(shares.values()):
            shares = dict.fromkeys(sorted(room, key=lambda s: (-(left * totals[s] % weight), s))[:left], 1)
        for stratum, share in shares.items():
            given[stratum] += share
    return given


def order(units: Iterable[Unit], seed: str) -> list[Unit]:
    """The row in which a stratum's dossiers stand: the riskiest first, equals by a hash that the seed decides."""
    return sorted(units, key=lambda unit: (-unit.risk, hashlib.sha256(f"{seed}\n{unit.code}".encode()).digest()))


def of_stratum(units: Sequence[Unit], count: int, *, seed: str) -> list[Drawn]:
    """`count` dossiers of one stratum."""
    row = order(units, seed)
    certain: list[Drawn] = []
    total = sum(unit.risk for unit in row)
    # Whoever would take more than a whole stride is drawn for certain; then the stride of the others is shorter.
    while row and (count - len(certain)) * row[0].risk >= total:
        certain.append(Drawn(row[0], Fraction(1)))
        total -= row.pop(0).risk
    left = count - len(certain)
    if not left:
        return certain
    start = below(total, seed=seed, of=f"start\n{row[0].stratum}")
    drawn, end = list(certain), 0
    for unit in row:
        before, end = end, end + left * unit.risk
        if (before - start + total - 1) // total < (end - start + total - 1) // total:  # a stride ends in [before, end)
            drawn.append(Drawn(unit, Fraction(left * unit.risk, total)))
    return drawn


def draw(units: Iterable[Unit], *, size: int, least: int = 1, seed: str) -> list[Drawn]:
    """The sample, in the order of its codes: always the same for the same population, rule and seed."""
    strata: dict[str, list[Unit]] = {}
    for unit in sorted(units):
        strata.setdefault(unit.stratum, []).append(unit)
    counts = allocation((unit for row in strata.values() for unit in row), size=size, least=least)
    drawn = [d for name, row in strata.items() if counts[name] for d in of_stratum(row, counts[name], seed=seed)]
    return sorted(drawn, key=lambda d: d.unit)


def risk(marks: Mapping[str, bool], weights: Mapping[str, int]) -> int:
    """The stated risk of a dossier: the greatest weight among its marks, never less than the floor."""
    return max((weight for mark, weight in weights.items() if marks.get(mark)), default=1) or 1


def least_probability(units: Iterable[Unit], *, size: int, least: int = 1) -> Fraction:
    """The smallest probability with which any dossier of the population can be drawn."""
    strata: dict[str, list[Unit]] = {}
    for unit in units:
        strata.setdefault(unit.stratum, []).append(unit)
    counts = allocation((unit for row in strata.values() for unit in row), size=size, least=least)
    found = Fraction(1)
    for name, row in strata.items():
        certain, total, left = 0, sum(unit.risk for unit in row), counts[name]
        for risk_ in sorted((unit.risk for unit in row), reverse=True):
            if left - certain <= 0 or (left - certain) * risk_ < total:
                found = min(found, Fraction((left - certain) * min(unit.risk for unit in row), total))
                break
            certain, total = certain + 1, total - risk_
    return found


# ---- a record of a draw, checked by whoever holds it ---------------------------------------------------------------


def seed_of(record: Mapping[str, Any]) -> str:
    """The seed that a record of a draw leads to. Raises `NotDrawable`."""
    return seed(
        population=record["population_digest"], plan=record["plan_digest"], committed=record["commitment"],
        nonce=record["nonce"], salt=record["salt"], seal_after=record["seal_after"], head=record["head"]["root"],
    )  # fmt: skip


def faults(record: Mapping[str, Any]) -> list[str]:
    """What in a record of a draw does not follow from the rest of it; empty where all does.

    docs/reference/sampling.md describes the record. Raises `KeyError`, `TypeError`, `ValueError` for anything else.
    """
    if record["algorithm"] != ALGORITHM:
        return [f"another algorithm: {record['algorithm']}"]
    units = [Unit(code, stratum, risk_) for code, stratum, risk_ in record["population"]]
    found = []
    if population_digest(units) != record["population_digest"]:
        found.append("the population is not the one that was sealed")
    try:
        if seed_of(record) != record["seed"]:
            found.append("the seed does not follow from what was sealed")
        drawn = draw(units, size=record["size"], least=record["least"], seed=record["seed"])
    except NotDrawable as fault:
        return [*found, str(fault)]
    again = [[d.unit.code, d.probability.numerator, d.probability.denominator] for d in drawn]
    if again != record["sample"]:
        found.append("another sample is drawn from this seed")
    return found
