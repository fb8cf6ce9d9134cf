"""`motcua directive …`: the tasks that were given, their figures, their rules, and the proof of what was kept."""

from __future__ import annotations

import argparse
from typing import Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    verbs = commands.add_parser(
        "directive", help="tasks with a target that the data measure: list, look, verify, rules"
    )
    directive = verbs.add_subparsers(metavar="VERB", required=True)
    listed = directive.add_parser("list", help="the open tasks with figure, target and day")
    listed.add_argument("--ended", action="store_true", help="those that ended instead")
    listed.set_defaults(run=_list)
    look = directive.add_parser("look", help="bring the figures of the open tasks up to date")
    look.set_defaults(run=_look)
    verify = directive.add_parser("verify", help="compute every kept day again as it was known then")
    verify.add_argument("task", type=int, nargs="*", metavar="TASK", help="numbers of tasks (default: the open ones)")
    verify.add_argument("--days", type=int, metavar="N", help="the last N kept days of each alone")
    verify.set_defaults(run=_verify)
    rules = directive.add_parser("rules", help="how long a met target holds, and who is told of a late task when")
    rules.add_argument("--hold-days", type=int, metavar="N", help="met so many days in a row closes a task")
    rules.add_argument("--rung", action="append", metavar="DAYS=ROLE",
                       help="so many working days late, this role is told; repeat for each rung")  # fmt: skip
    rules.set_defaults(run=_rules)


def _list(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.directives import standing
    from motcua.directives.models import Directive
    from motcua.rules.instants import local_day

    State = Directive.State
    states = (State.DONE, State.CLOSED, State.WITHDRAWN) if args.ended else (State.OPEN,)
    rows = [_row(each) for each in standing.standings(today=local_day(timezone.now()), scope=None, states=states)]
    lines = [f"{row['task']:>5}  {row['pace']:<9} {row['value'] if row['value'] is not None else '-':>7}"
             f"  by {row['due_on']}  {row['title']}" for row in rows]  # fmt: skip
    answer(args, {"rows": rows}, "\n".join(lines) or "none")
    return DONE


def _row(each: Any) -> dict[str, Any]:
    of = each.directive
    return {
        "task": of.pk, "title": of.title, "metric": of.metric, "target": of.target, "due_on": of.due_on,
        "pace": each.pace, "value": each.whole and each.whole.value, "out_of": each.whole and each.whole.out_of,
        "units": len(each.units), "met_since": of.met_since, "escalated": of.escalated,
    }  # fmt: skip


def _look(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    home = open_home()
    from django.utils import timezone

    from motcua.directives import progress

    count = progress.look_at_all(home, at=timezone.now())
    answer(args, {"looked": count}, f"{count} tasks looked at")
    return DONE


def _verify(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    home = open_home()
    from django.utils import timezone

    from motcua.directives import progress
    from motcua.directives.models import Directive

    if args.days is not None and args.days < 1:
        fail("--days: write 1 or more")
    known = Directive.objects.filter(pk__in=args.task) if args.task else Directive.objects.filter(state="open")
    numbers = list(known.order_by("pk").values_list("pk", flat=True))
    if missing := sorted(set(args.task) - set(numbers)):
        fail(f"no task {missing[0]}; motcua directive list shows them")
    found = [progress.verified(home, n, by=account(), at=timezone.now(), last=args.days) for n in numbers]
    rows = [{"task": line.directive_id, **line.facts} for line in found]
    faults = [fault for row in rows for fault in row["faults"]]
    days = sum(row["days"] for row in rows)
    said = f"{days} kept days of {len(rows)} tasks computed again, {len(faults)} differ"
    document = {"tasks": len(rows), "days": days, "faults": faults, "rows": rows}
    answer(args, document, "\n".join([*faults, said]))
    return FALLS_SHORT if faults else DONE


def _rules(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from django.utils import timezone

    from motcua.directives import progress
    from motcua.rules.instants import Unreadable

    if args.hold_days is not None or args.rung:
        try:
            given = [text.partition("=") for text in args.rung or []]
            rungs = [progress.Rung(int(days), role) for days, _, role in given]
            progress.choose_rules(
                hold_days=progress.held_days() if args.hold_days is None else args.hold_days,
                rungs=rungs or progress.ladder(), by=account(), at=timezone.now(),
            )  # fmt: skip
        except (Unreadable, ValueError) as error:
            fail(f"rules: {error}")
    document = {
        "hold_days": progress.held_days(),
        "ladder": [{"after_days": rung.after_days, "role": rung.role} for rung in progress.ladder()],
    }
    lines = [f"a target that is met {document['hold_days']} days in a row closes its task"]
    lines += [f"{rung.after_days} working days late: {rung.role}" for rung in progress.ladder()]
    answer(args, document, "\n".join(lines))
    return DONE
