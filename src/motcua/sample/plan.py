"""Plans what happens to each dossier of a province, and which faults are planted where.

Honest dossiers come out without any cause: what the portal shows by its rule, what the record says and what is
true agree. Each fault stands at a known dossier with the leg, cause and direction under which it must be found.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from motcua.sample import faults
from motcua.sample.acts import Act, Fault, Plan, Planned
from motcua.sample.faults import KINDS
from motcua.sample.honest import Desk
from motcua.sample.province import Province

#: The size to which the shares of the kinds of faults refer.
_PER = 4000


def how_many(how: str, count: int, least: int) -> int:
    """How often a kind of fault is planted among so many dossiers."""
    return max(round(KINDS[how].share * min(count, 50 * _PER) / _PER), least)


def stream(
    province: Province, *, count: int, seed: int, since: datetime, until: datetime, least: int = 1
) -> Iterator[tuple[Planned | None, tuple[Fault, ...]]]:
    """Dossier by dossier with its faults, the planted ones first; any size in little memory.

    A fault without a dossier is one that only clients send. The same for the same arguments.
    """
    desk = Desk(province, seed=seed, since=since, until=until)
    planted = 0
    for how in KINDS:
        number = how_many(how, count, least)
        if how == "missing_here":
            for fault in faults.lonely(desk, number):
                yield None, (fault,)
            continue
        for _ in range(number):
            yield faults.plant(desk, how)
        planted += number
    for _ in range(max(count - planted, 0)):
        yield desk.honest(), ()


def plan(province: Province, *, count: int, seed: int, since: datetime, until: datetime, least: int = 1) -> Plan:
    """The whole plan at once, in the order in which the dossiers came in."""
    dossiers: list[Planned] = []
    found: list[Fault] = []
    for dossier, its in stream(province, count=count, seed=seed, since=since, until=until, least=least):
        if dossier is not None:
            dossiers.append(dossier)
        found += its
    dossiers.sort(key=lambda dossier: (dossier.submitted_at, dossier.code))
    return Plan(province=province, dossiers=tuple(dossiers), faults=tuple(found), since=since, until=until)


__all__ = ["KINDS", "Act", "Fault", "Plan", "Planned", "how_many", "plan", "stream"]
