"""`motcua loads`: the lists that were loaded on the page; the process that works on them."""

from __future__ import annotations

import argparse
from datetime import timedelta

from motcua.cli.output import DONE, answer, fail

#: A new extract waits so long for one that runs already.
_PATIENCE_S = 600


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    command = commands.add_parser("loads", help="lists loaded on the page Nạp dữ liệu: list, withdraw, work on")
    acts = command.add_subparsers(dest="act", required=True, metavar="ACT")
    acts.add_parser("list", help="every load with its counts").set_defaults(run=_list)
    gone = acts.add_parser("withdraw", help="takes a load out of every figure; it stays kept")
    gone.add_argument("load", metavar="LOAD", type=int)
    gone.set_defaults(run=_withdraw)
    acts.add_parser("work", help="works on the loads that wait, and on those a killed process left").set_defaults(
        run=_work
    )


def _list(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.dossiers.models import Load
    from motcua.oversight import loads

    told = [loads.told(load) for load in Load.objects.order_by("-pk")]
    lines = [
        f"{one['load']:>4}  {one['received_at'][:16]}  {one['state']:<11} {one['kind']:<10} {one['taken']:>8} taken, "
        f"{one['refused']} refused  {one['file']} ({one['by']})"
        for one in told
    ]
    answer(args, {"loads": told}, "\n".join(lines) or "nothing was loaded on the page yet")
    return DONE


def _withdraw(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from django.utils import timezone

    from motcua.dossiers.models import Load
    from motcua.oversight import loads

    load = Load.objects.filter(pk=args.load).first()
    if load is None:
        fail(f"no load {args.load}; `motcua loads list` names them")
    loads.withdraw(load, by=account(), at=timezone.now())
    _run()
    answer(args, {"withdrawn": load.pk}, f"load {load.pk} ({load.file}) is out of every figure")
    return DONE


def _work(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    done = _run()
    answer(args, {"phases": done}, f"{done} phases of loads done")
    return DONE


def _run() -> int:
    """Works on every load that waits, and brings the facts up to date after each that went in or out."""
    import os
    import time

    from django.utils import timezone

    from motcua.cli.home import home
    from motcua.jobs import lease
    from motcua.jobs.models import Job
    from motcua.oversight import extract, loads

    folder = home()
    holder = f"{os.uname().nodename}:{os.getpid()}"

    def facts() -> None:
        """One extract at a time, whoever runs it: the worker's may be at work on what stood before."""
        until = timezone.now() + timedelta(seconds=_PATIENCE_S)
        while timezone.now() < until:
            Job.objects.filter(name="extract").update(next_run_at=None)
            run = lease.run(
                "extract", lambda: extract.run(home=folder, at=timezone.now()).dossiers, every_s=60, holder=holder,
                clock=timezone.now,
            )  # fmt: skip
            if run is not None:
                return
            time.sleep(1)

    return loads.work(folder, clock=timezone.now, then=facts)
