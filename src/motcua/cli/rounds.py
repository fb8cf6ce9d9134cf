"""`motcua round …`: what an operator or a timer needs of a round; planning and reading are on the pages."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    verbs = commands.add_parser("round", help="inspection rounds: status, freeze, draw, proof").add_subparsers(
        metavar="VERB", required=True
    )
    status = verbs.add_parser("status", help="where rounds stand: the ten steps, counts, the estimate")
    status.add_argument("round", nargs="?", type=int, metavar="N", help="one round; without it, all that are open")
    status.set_defaults(run=_status)
    freeze = verbs.add_parser("freeze", help="freeze both sides of a round's population")
    freeze.add_argument("round", type=int, metavar="N")
    freeze.add_argument("--as", dest="person", required=True, metavar="ACCOUNT", help="the round's lead")
    freeze.set_defaults(run=_freeze)
    draw = verbs.add_parser("draw", help="draw a sealed round's sample; or draw again from a record")
    draw.add_argument("round", nargs="?", type=int, metavar="N")
    draw.add_argument("--as", dest="person", metavar="ACCOUNT", help="a member of the round")
    draw.add_argument("--nonce-file", type=Path, metavar="FILE", help="the receipt: nonce and salt, a line each")
    draw.add_argument("--verify", type=Path, metavar="FILE", help="draw again from this record alone; 1 where it fails")
    draw.set_defaults(run=_draw)
    verify = verbs.add_parser("verify", help="frozen files, seal, draw and stories are as the audit has them")
    verify.add_argument("round", type=int, metavar="N")
    verify.set_defaults(run=_verify)
    settle = verbs.add_parser("settle", help="close the requests whose causes the data show to be gone")
    settle.set_defaults(run=_settle)


def _home() -> tuple[Path, datetime]:
    from motcua.cli.home import open_home

    home = open_home()
    from django.utils import timezone

    return home, timezone.now()


def _told(round_: Any) -> dict[str, Any]:
    from motcua.rounds import results, steps

    rate = results.estimate(round_)
    total = results.by_unit(round_)[0] if round_.drawn_at else {}
    return {
        "round": round_.pk, "title": round_.title, "period": round_.period, "population": round_.population,
        "steps": [{"step": s.name, "state": s.state, "done": s.done, "of": s.of} for s in steps.steps(round_)],
        "counts": total,
        "estimate": rate and {"rate": rate.rate, "low": rate.low, "high": rate.high, "confidence": rate.confidence},
        "remedies_open": round_.remedies.filter(closed_at=None).count(),
    }  # fmt: skip


def _line(told: dict[str, Any]) -> str:
    from motcua.web.rounds import words

    marks = {"done": "x", "now": ">", "later": "."}
    running = next((s["step"] for s in told["steps"] if s["state"] == "now"), "close")
    line = "".join(marks[s["state"]] for s in told["steps"])
    return f"{told['round']:>4}  {line}  {words.STEPS[running]:<22}  {told['population']:>8} hồ sơ  {told['title']}"


def _status(args: argparse.Namespace) -> int:
    _home()
    from motcua.rounds.models import Round
    from motcua.rounds.refusals import found

    rounds = [found(args.round)] if args.round else Round.objects.filter(closed_at=None).order_by("pk")
    told = [_told(round_) for round_ in rounds]
    answer(args, {"rounds": told}, lambda: "\n".join(map(_line, told)) or "Không có đợt kiểm tra nào đang mở")
    return DONE


def _freeze(args: argparse.Namespace) -> int:
    home, now = _home()
    from motcua.rounds import frozen

    round_ = frozen.freeze(args.round, home=home, by=args.person, at=now)
    document = {"round": round_.pk, "population": round_.population, "population_digest": round_.population_digest,
                "manifest_digest": round_.manifest_digest}  # fmt: skip
    answer(args, document, f"Đã chốt {round_.population} hồ sơ, mã {round_.population_digest}")
    return DONE


def _draw(args: argparse.Namespace) -> int:
    if args.verify is not None:
        return _again(args)
    if args.round is None or args.nonce_file is None or not args.person:
        fail("draw N --as ACCOUNT --nonce-file FILE, or draw --verify FILE")
    try:
        lines = args.nonce_file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"--nonce-file {args.nonce_file}: cannot be read: {error}")
    if len(lines) < 2:
        fail(f"--nonce-file {args.nonce_file}: the nonce on the first line, its salt on the second")
    home, now = _home()
    from motcua.rounds import draw

    round_ = draw.draw(args.round, nonce=lines[0].strip(), salt=lines[1].strip(), home=home, by=args.person, at=now)
    count = round_.items.count()
    answer(args, {"round": round_.pk, "drawn": count, "record": round_.record_digest}, f"Đã chọn {count} hồ sơ")
    return DONE


def _again(args: argparse.Namespace) -> int:
    try:
        content = args.verify.read_bytes()
    except OSError as error:
        fail(f"--verify {args.verify}: cannot be read: {error.strerror}")
    from motcua.cli.home import set_up

    set_up()
    from motcua.rounds import draw

    told = draw.verify(content)
    said = f"{told['drawn']} hồ sơ trong {told['population']}: chọn lại ra đúng mẫu này"
    answer(args, told, said if told["ok"] else "\n".join(told["faults"]))
    return DONE if told["ok"] else FALLS_SHORT


def _verify(args: argparse.Namespace) -> int:
    home, _ = _home()
    from motcua.rounds import draw
    from motcua.rounds.refusals import found

    faults = draw.verify_round(home, found(args.round))
    answer(args, {"round": args.round, "faults": faults, "ok": not faults}, "\n".join(faults) or "Nguyên vẹn")
    return FALLS_SHORT if faults else DONE


def _settle(args: argparse.Namespace) -> int:
    home, now = _home()
    from motcua.rounds import remedies

    count = remedies.settle(home=home, now=now)
    answer(args, {"settled": count}, f"Dữ liệu đã xác nhận {count} hồ sơ")
    return DONE
