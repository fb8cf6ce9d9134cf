"""Packs of many dossiers: asked for on a page, made by a process of its own, fetched from the page for some days.

A process that is killed loses its lease, and the next one begins anew; after three tries the order is given up.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from django.db.models import F, Q

from motcua.evidence import make, subjects
from motcua.evidence.make import BlackOut, Papers, Subject
from motcua.evidence.models import Order
from motcua.jobs import lease
from motcua.oversight import extract
from motcua.rules.instants import Unreadable

State = Order.State
#: A process that does not renew its lease for so long is dead.
LEASE = timedelta(seconds=60)
_RENEW_S = 15.0
_TRIES = 3
#: A file is kept so long; the pack stays written down.
KEPT = timedelta(days=7)

Clock = Callable[[], datetime]


def ask(subject: Subject, *, black_out: BlackOut, reason: str, by: str, at: datetime) -> Order:
    """Writes down what is wanted; a process does it (`work`)."""
    codes = [] if subject.kind in ("finding", "round") else list(subject.codes)
    return Order.objects.create(
        asked_at=at, asked_by=by, kind=subject.kind, code=subject.code[:200], codes=codes, black_out=black_out,
        reason=reason[:500], total=len(subject.codes),
    )  # fmt: skip


def waiting(*, at: datetime) -> list[int]:
    """Orders that a process should make and none does, the oldest first."""
    free = Q(leased_until=None) | Q(leased_until__lt=at)
    return list(Order.objects.filter(free, state=State.WAITING).order_by("pk").values_list("pk", flat=True))


def start(home: Path) -> None:
    """Starts a process that makes what waits; it outlives the request, the server and the worker."""
    subprocess.Popen(
        [sys.executable, "-m", "motcua.cli", "evidence", "work"], env={**os.environ, "MOTCUA_HOME": str(home)},
        start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def work(home: Path, *, papers: Papers, clock: Clock) -> int:
    """Makes every order that waits. Returns how many were made; why one was not stays on it."""
    count = 0
    for number in waiting(at=clock()):
        mine = Order.objects.filter(pk=number)
        free = Q(leased_until=None) | Q(leased_until__lt=clock())
        if not mine.filter(free, state=State.WAITING).update(leased_until=clock() + LEASE, tries=F("tries") + 1):
            continue
        with lease.Renewal(lambda mine=mine: mine.update(leased_until=clock() + LEASE), every_s=_RENEW_S):  # type: ignore[misc]
            count += _made(home, mine.get(), papers, clock)
    return count


def _made(home: Path, order: Order, papers: Papers, clock: Clock) -> bool:
    done = 0

    def advance(n: int) -> None:
        nonlocal done
        done += n
        if done % 10 == 0 or done == order.total:
            Order.objects.filter(pk=order.pk).update(done=done)

    try:
        if order.tries > _TRIES:
            raise Unreadable(f"the process that made it ended {_TRIES} times; ask for fewer dossiers")
        at = clock()
        extract.run(home=home, at=at)
        made = make.make(
            home, subject(order), at=at, by=order.asked_by, papers=papers,
            black_out=cast(BlackOut, order.black_out), advance=advance,
        )  # fmt: skip
    except Unreadable as fault:
        order.state, order.error = State.FAILED, str(fault)[:500]
    else:
        order.file = f"{order.pk}-{made.sha256[:16]}.zip"
        folder = home / "packs"
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{order.file}.{os.getpid()}"
        draft.write_bytes(made.file)
        draft.replace(folder / order.file)
        order.pack = make.kept(made, reason=order.reason, at=at, by=order.asked_by)
        order.state, order.done = State.DONE, order.total
    order.ended_at, order.leased_until = clock(), None
    order.save()
    return order.state == State.DONE


def subject(order: Order) -> Subject:
    """What an order is about. Raises `Unreadable` where it is no more."""
    if order.kind == "finding":
        return subjects.finding(int(order.code))
    return subjects.round_(int(order.code)) if order.kind == "round" else make.dossiers(order.codes)


def file(home: Path, order: Order) -> Path | None:
    """The file of a finished order; None: not made yet, or thrown away."""
    found = home / "packs" / order.file
    return found if order.file and found.is_file() else None


def forget(home: Path, *, at: datetime) -> int:
    """Throws away files that lay long enough. Returns how many."""
    old = list(Order.objects.exclude(file="").filter(ended_at__lt=at - KEPT))
    for order in old:
        (home / "packs" / order.file).unlink(missing_ok=True)
        order.file = ""
        order.save(update_fields=["file"])
    return len(old)
