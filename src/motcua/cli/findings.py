"""`motcua findings …`: what the checks saw and what became of it: scan, list, show, assign, send, decide."""

from __future__ import annotations

import argparse
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, say

if TYPE_CHECKING:
    from motcua.findings.record import Done
    from motcua.inspection.life import Person


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    findings = commands.add_parser("findings", help="findings: from the scan through explanation to the conclusion")
    sub = findings.add_subparsers(metavar="ACT", required=True)
    scan = sub.add_parser("scan", help="bring facts and findings up to date: opens, changes, closes, reopens")
    scan.set_defaults(run=_scan)
    listed = sub.add_parser("list", help="findings, the greatest rank first; status 1 where never scanned")
    for name, text in (
        ("state", "new, sent, drafting, to_approve, answered, to_remedy, concluded, closed, overdue, asked, open"),
        ("check", "code of a check"), ("agency", "code of an agency"), ("severity", "A, B or C"),
        ("subject", "a part of a dossier's code"), ("request", "number of a request"),
    ):  # fmt: skip
        listed.add_argument(f"--{name}", default="", metavar=name.upper(), help=text)
    listed.add_argument("--limit", type=int, default=50)
    listed.set_defaults(run=_list)
    show = sub.add_parser("show", help="one finding with its history, its answer and its evidence")
    show.add_argument("finding", type=int)
    show.set_defaults(run=_show)
    assign = sub.add_parser("assign", help="to an inspector")
    assign.add_argument("finding", type=int, nargs="+")
    assign.add_argument("--to", required=True, metavar="ACCOUNT")
    assign.set_defaults(run=_assign)
    send = sub.add_parser("send", help="yêu cầu giải trình: one request an agency")
    send.add_argument("finding", type=int, nargs="+")
    send.add_argument("--days", type=int, help="working days to answer")
    send.add_argument("--note", default="")
    send.set_defaults(run=_send)
    decide = sub.add_parser("decide", help="conclude: violation, excused or overturned")
    decide.add_argument("finding", type=int, nargs="+")
    decide.add_argument("--outcome", required=True, choices=("violation", "excused", "overturned"))
    decide.add_argument("--note", required=True, help="why")
    decide.add_argument("--remedy-by", metavar="DAY", help="the violation is to be put right by this day")
    decide.set_defaults(run=_decide)
    for command in (assign, send, decide):
        command.add_argument("--as", dest="as_", required=True, metavar="ACCOUNT", help="the inspector who acts")
    verify = sub.add_parser("verify", help="replay every finding: stored equals replayed")
    verify.set_defaults(run=_verify)
    rules = sub.add_parser("rules", help="show or change what is ours: budget, answer days, watch rule, evidence")
    rules.add_argument("--budget", type=int, metavar="N", help="findings put before one person in a day")
    rules.add_argument("--answer-days", type=int, metavar="N", help="working days to answer")
    rules.add_argument("--watch", choices=("on", "off"), help="checks that are often overturned only watch")
    rules.add_argument("--watch-least", type=int, metavar="N", help="concluded findings before the rule speaks")
    rules.add_argument("--watch-below", type=int, metavar="PERCENT", help="precision below which a check only watches")
    rules.add_argument("--evidence", choices=("at_once", "after_inspector"), help="when a trusted time stamp counts")
    rules.set_defaults(run=_rules)


def _now() -> datetime:
    from django.utils import timezone

    return timezone.now()


def _scan(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    home = open_home()
    from motcua.findings import modes, update
    from motcua.oversight import extract

    now = _now()
    extract.run(home=home, at=now)
    report = update.run(home, at=now)
    moved = modes.follow(at=now)
    not_looked = sorted(c for c, told in report.checks.items() if told["state"] in ("not_scanned", "broken"))
    document = {
        "at": now, "signs": report.signs, "opened": report.opened, "changed": report.changed,
        "closed": report.closed, "reopened": report.reopened, "checks": report.checks, "not_scanned": not_looked,
        "broken": dict(report.broken), "moved_to_watch_or_back": moved,
    }  # fmt: skip
    for name, why in report.broken.items():
        say(f"{name}: {why}")
    answer(
        args, document,
        f"{report.signs} signs: {report.opened} opened, {report.changed} changed, {report.closed} closed by the data, "
        f"{report.reopened} reopened; {len(report.checks) - len(not_looked)} checks looked, {len(not_looked)} did not",
    )  # fmt: skip
    return FALLS_SHORT if report.broken else DONE


def _list(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.findings import listed, update
    from motcua.findings.listed import Narrowed
    from motcua.findings.models import Finding

    now = _now()
    names = ("state", "check", "agency", "severity", "subject", "request")
    narrowed = Narrowed.read({name: getattr(args, name) for name in names})
    rows = narrowed.of(Finding.objects.all(), now=now)
    last = update.last()
    found = [_told(row, now) for row in rows.order_by("-rank", "pk")[: args.limit]]
    document = {
        "scanned_at": last and last.at,
        "facts_at": last and last.facts_at,
        **listed.count(rows),
        "rows": found,
    }
    lines = [
        f"{row['finding']:>7} {row['severity']} {row['state']:<11}{row['subject']:<30}{row['check']:<20}{row['agency']}"
        for row in found
    ]
    head = f"{document['findings']} findings, {document['dossiers']} dossiers" if last else (
        "never scanned: zero is no figure; run `motcua findings scan`")  # fmt: skip
    answer(args, document, "\n".join([head, *lines]))
    return DONE if last else FALLS_SHORT


def _told(row: Any, now: datetime) -> dict[str, Any]:
    from motcua.findings.record import as_life

    return {
        "finding": row.pk, "check": row.check_code, "subject": row.subject, "agency": row.agency,
        "severity": row.severity, "state": row.state, "overdue": as_life(row).overdue(now), "due_at": row.due_at,
        "outcome": row.outcome or None, "inspector": row.inspector, "request": row.request_id,
        "confidence": row.confidence, "stake_minutes": row.stake_minutes, "opened_at": row.opened_at,
    }  # fmt: skip


def _show(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.findings import record
    from motcua.findings.models import Finding

    row = Finding.objects.filter(pk=args.finding).first()
    if row is None:
        fail(f"there is no finding {args.finding}")
    acts = [
        {"seq": act.seq, "kind": act.kind, "at": act.at, "by": act.by.name, "role": act.by.role,
         "agency": act.by.agency, "body": dict(act.body)}
        for act in record.history(row.pk)
    ]  # fmt: skip
    attachments = list(
        row.attachments.order_by("pk").values("id", "name", "digest", "number", "standing", "looked", "evidence_at")
    )
    document = {**_told(row, _now()), "evidence": row.evidence, "answer": row.answer, "attachments": attachments,
                "history": acts}  # fmt: skip
    lines = [f"{row.check_code} of {row.subject}: {row.state}", *(f"  {k}: {v}" for k, v in row.evidence.items())]
    lines += [f"  {act['at']:%Y-%m-%d %H:%M} {act['kind']:<20}{act['by'] or 'data'}" for act in acts]
    answer(args, document, "\n".join(lines))
    return DONE


def _inspector(account: str) -> Person:
    """The inspector in whose name a command acts."""
    from django.utils import timezone

    from motcua.accounts.models import User
    from motcua.findings import people
    from motcua.rules.instants import local_day

    user = User.objects.filter(username=account, is_active=True).first()
    held = people.posts(user, on=local_day(timezone.now())) if user else []
    person = next((one for one in held if one.role == "inspector"), None)
    if person is None:
        fail(f"--as {account}: not an inspector today")
    return person


def _said(args: argparse.Namespace, done: Done) -> int:
    document = {
        "done": done.done,
        "refused": [{"finding": number, "code": refusal.code} for number, refusal in done.refused],
    }
    lines = [f"{len(done.done)} findings", *(f"{number}: {refusal}" for number, refusal in done.refused)]
    answer(args, document, "\n".join(lines))
    return FALLS_SHORT if done.refused else DONE


def _assign(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.findings import record

    _inspector(args.to)
    by = _inspector(args.as_)
    return _said(args, record.act_on_all(args.finding, "assigned", by=by, at=_now(), body={"to": args.to}))


def _send(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.findings import requests

    by = _inspector(args.as_)
    sent = requests.send(args.finding, by=by, at=_now(), days=args.days, note=args.note)
    document = {
        "requests": [
            {"request": row.pk, "agency": row.agency, "due_at": row.due_at, "findings": row.findings.count()}
            for row in sent.requests
        ],
        "refused": [{"finding": number, "code": refusal.code} for number, refusal in sent.refused],
    }
    lines = [f"request {r['request']}: {r['agency']}, {r['findings']} findings, due {r['due_at']:%Y-%m-%d %H:%M}"
             for r in document["requests"]]  # fmt: skip
    answer(args, document, "\n".join([*lines, *(f"{number}: {refusal}" for number, refusal in sent.refused)]))
    return FALLS_SHORT if sent.refused else DONE


def _decide(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.findings import record
    from motcua.rules.instants import VIET_NAM, iso

    body: dict[str, Any] = {"outcome": args.outcome, "note": args.note}
    if args.remedy_by:
        try:
            day = date.fromisoformat(args.remedy_by)
        except ValueError:
            fail(f"--remedy-by {args.remedy_by}: write a day as 2026-12-31")
        body["remedy_due_at"] = iso(datetime.combine(day, time(17), VIET_NAM))
    by = _inspector(args.as_)
    return _said(args, record.act_on_all(args.finding, "concluded", by=by, at=_now(), body=body))


def _verify(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.findings import record

    found = record.verify()
    text = [
        f"{found['findings']} findings, {found['acts']} acts: {'proved' if found['ok'] else 'NOT what it should be'}"
    ]
    answer(args, found, "\n".join([*text, *found["faults"]]))
    return DONE if found["ok"] else FALLS_SHORT


def _rules(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from motcua.catalogue import settings
    from motcua.findings import day, evidence, modes, requests

    by, at, rule = account(), _now(), modes.rule()
    if args.budget is not None:
        day.change_budget(args.budget, by=by, at=at)
    if args.answer_days is not None:
        if not 1 <= args.answer_days <= requests.MOST_DAYS:
            fail(f"--answer-days {args.answer_days}: 1 to {requests.MOST_DAYS}")
        settings.put(requests.SETTING, args.answer_days, by=by, at=at)
    if args.watch or args.watch_least is not None or args.watch_below is not None:
        modes.change_rule(
            on=rule.on if args.watch is None else args.watch == "on",
            least=rule.least if args.watch_least is None else args.watch_least,
            below_percent=round(rule.below * 100) if args.watch_below is None else args.watch_below,
            by=by, at=at,
        )  # fmt: skip
    if args.evidence:
        settings.put(evidence.SETTING, args.evidence, by=by, at=at)
    rule = modes.rule()
    document = {
        "budget": day.most(), "answer_days": requests.answer_days(),
        "watch": {"on": rule.on, "least": rule.least, "below_percent": round(rule.below * 100)},
        "evidence": "at_once" if evidence.at_once() else "after_inspector",
    }  # fmt: skip
    answer(args, document, "\n".join(f"{name}: {value}" for name, value in document.items()))
    return DONE
