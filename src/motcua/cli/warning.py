"""`motcua warning …`: which open dossiers will be late, by when it can still be helped, and why."""

from __future__ import annotations

import argparse
from typing import Any

from motcua.cli.output import DONE, answer, fail, progress


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    verbs = commands.add_parser("warning", help="open dossiers that will be late, while it can still be helped")
    warning = verbs.add_subparsers(metavar="VERB", required=True)
    train = warning.add_parser("train", help="learn a model from the province's own history")
    train.set_defaults(run=_train)
    warning.add_parser("scan", help="say of every open dossier what the newest model says").set_defaults(run=_scan)
    listed = warning.add_parser("list", help="open dossiers by how long it can still be helped")
    listed.add_argument("--agency", metavar="CODE")
    listed.add_argument("--least", type=float, default=0.0, metavar="P", help="only a chance of being late from P on")
    listed.add_argument("--limit", type=int, default=50, metavar="N")
    listed.set_defaults(run=_list)
    backtest = warning.add_parser("backtest", help="what the method would have said before, and what came true")
    backtest.add_argument("--splits", type=float, nargs="+", metavar="S", default=None,
                          help="where the history is split: shares of the receipts (0.5 0.6 0.7 0.8)")  # fmt: skip
    backtest.add_argument("--limit-quantile", type=float, default=0.75, metavar="Q",
                          help="where no due instant is stated: the limit is what this share kept (0.75)")  # fmt: skip
    backtest.set_defaults(run=_backtest)
    explain = warning.add_parser("explain", help="one open dossier: what is left, what is usual, its chance")
    explain.add_argument("dossier", metavar="DOSSIER")
    explain.set_defaults(run=_explain)


def _train(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    home = open_home()
    from django.utils import timezone

    from motcua.warning import keep

    with progress("đọc lịch sử") as bar:
        row = keep.learn(home, at=timezone.now(), by=account(), advance=bar.advance)
    if row is None:
        fail("no dossier was accepted yet: there is nothing to learn from")
    document = {
        "digest": row.digest, "chosen": row.chosen, "beside": row.beside, "trust": row.trust,
        "note": row.note, "dossiers": row.dossiers,
        "learned_from": row.learned_from, "learned_to": row.learned_to, "trials": row.trials,
    }  # fmt: skip
    answer(args, document, lambda: _told(document))
    return DONE


def _told(document: dict[str, Any]) -> str:
    """A model for people."""
    window = f"{document['learned_from']:%Y-%m-%d} to {document['learned_to']:%Y-%m-%d}"
    lines = [f"learned from {document['dossiers']} dossiers, {window}; model {document['digest'][:16]}"]
    if document["chosen"] == "slack":
        why = "the extra predict is not installed" if document["note"] == "no_extra" else document["note"]
        return "\n".join([*lines, f"slack alone, no chance is estimated: {why}"])
    beside = f" {document['trust']:.0%}, {document['beside']} {1 - document['trust']:.0%}" if document["beside"] else ""
    lines.append(f"answers with: {'committee' if beside else document['chosen']}{beside}")
    lines += [
        f"  {name:<20} Brier {m['brier']:.4f}  log loss {m['log_loss']:.4f}  AUC {m['auc']:.3f}"
        for name, m in sorted(document["trials"].items(), key=lambda each: each[1]["log_loss"])
    ]
    return "\n".join(lines)


def _scan(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    home = open_home()
    from django.utils import timezone

    from motcua.warning import scan

    made = scan.run(home, at=timezone.now())
    document = {"at": made.at, "looked": made.looked, "open": made.warned, "past_help": made.past_help}
    answer(
        args, document, f"{made.looked} open dossiers; {made.warned} are not late yet, {made.past_help} hardly in time"
    )
    return DONE


def _list(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.warning import listed
    from motcua.warning.scan import facts

    chosen = listed.Chosen(agency=args.agency or "", least=args.least)
    rows = [facts(row) for row in listed.rows(chosen, limit=max(args.limit, 1))]
    lines = [
        f"{row['dossier']:<26}{(row['helped_until'] or 'no longer')[:16]:<18}due {row['due_at'][:16]}  "
        + ("-" if row["share"] is None else f"{row['share']:4.0%} ({row['low']:.0%}-{row['high']:.0%})")
        + f"  {row['state']}"
        for row in rows
    ]
    newest = listed.newest()
    at = newest and newest.at
    document = {"at": at, "looked": newest and newest.looked, "total": listed.count(chosen), "rows": rows}
    none = f"none; looked at {at:%Y-%m-%d %H:%M} UTC" if at else "not looked at yet: motcua warning scan"
    answer(args, document, "\n".join(lines) or none)
    return DONE


def _backtest(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.inspection.forecast import backtest
    from motcua.warning import past

    with progress("đọc lịch sử") as bar:
        known = past.learnable(now=timezone.now(), advance=bar.advance)
    splits = tuple(args.splits or backtest.SPLITS)
    if not all(0 < split < 1 for split in splits):
        fail("--splits: write shares between 0 and 1")
    document = backtest.run(known, splits=splits, limit_quantile=args.limit_quantile)
    answer(args, document, lambda: backtest.told(document))
    return DONE


def _explain(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    home = open_home()
    from django.utils import timezone

    from motcua.warning import scan
    from motcua.web.warning.words import sentence

    row = scan.one(home, args.dossier, at=timezone.now())
    if row is None:
        fail(f"{args.dossier}: not open here, without due instant, or late already; motcua explain tells more")
    document = {**scan.facts(row), "sentence": sentence(row)}
    answer(args, document, document["sentence"])
    return DONE
