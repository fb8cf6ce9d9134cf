"""`motcua round …`: a round from its plan to its end, act by act; dossiers are read on the pages."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import tomllib
from collections.abc import Callable
from datetime import date, datetime, time
from functools import wraps
from pathlib import Path
from typing import Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, progress

Run = Callable[[argparse.Namespace], int]
_KINDS = ("plan", "ask", "minutes", "draft", "conclusion")
_REMEDIES = ("data", "apology", "training", "discipline", "other")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    verbs = commands.add_parser(
        "round", help="inspection rounds: plan, freeze, seal, draw, conclude, follow up, prove"
    ).add_subparsers(metavar="VERB", required=True)

    def verb(name: str, run: Run, about: str, *, number: bool = True, who: str = "") -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=about)
        if number:
            made.add_argument("round", type=int, metavar="N")
        if who:
            made.add_argument("--as", dest="person", required=True, metavar="ACCOUNT", help=who)
        made.set_defaults(run=_told_in_words(run))
        return made

    lead, member = "the round's lead", "a member of the round"
    status = verb("status", _status, "where rounds stand: the ten steps, counts, the estimate", number=False)
    status.add_argument("round", nargs="?", type=int, metavar="N", help="one round; without it, all that are open")
    new = verb("plan", _plan, "a new round from a plan", number=False, who="who plans")
    new.add_argument("file", type=Path, metavar="FILE.toml", help="title, period, lead, members, size, agencies, …")
    decree = verb("decree", _decree, "type in number and day of the decision", who=lead)
    decree.add_argument("--number", required=True)
    decree.add_argument("--on", required=True, type=_day, metavar="DAY")
    freeze = verb("freeze", _freeze, "freeze both sides of a round's population", number=False)
    freeze.add_argument("round", nargs="?", type=int, metavar="N", help="without it, those that were asked for")
    freeze.add_argument("--as", dest="person", metavar="ACCOUNT", help=lead)
    commit = verb("commit", _commit, "hand in the commitment to a secret phrase, keep its receipt", who=member)
    commit.add_argument("--receipt", required=True, type=Path, metavar="FILE", help="where the receipt is written")
    seal = verb("seal", _seal, "seal the plan: the first head after an instant decides the sample", who=lead)
    seal.add_argument("--after", required=True, type=_instant, metavar="INSTANT")
    unseal = verb("unseal", _unseal, "break the seal, where the receipt was lost", who=lead)
    unseal.add_argument("--reason", required=True)
    draw = verb("draw", _draw, "draw a sealed round's sample; or draw again from a record", number=False)
    draw.add_argument("round", nargs="?", type=int, metavar="N")
    draw.add_argument("--as", dest="person", metavar="ACCOUNT", help=member)
    draw.add_argument("--receipt", "--nonce-file", dest="receipt", type=Path, metavar="FILE", help="as commit wrote it")
    draw.add_argument("--verify", type=Path, metavar="FILE", help="draw again from this record alone; 1 where it fails")
    verb("sample", _sample, "the dossiers of the sample: head, answer, finding")
    verb("ask", _ask, "send the units their requests for explanation", who=lead)
    decide = verb("decide", _decide, "what a member found of a dossier", who=member)
    decide.add_argument("dossier", metavar="DOSSIER")
    decide.add_argument("finding", choices=("accepted", "rejected", "disputed"))
    decide.add_argument("--note", default="", help="why; needed unless accepted")
    confirm = verb("confirm", _confirm, "another member confirms a finding, or returns it", who=member)
    confirm.add_argument("dossier", metavar="DOSSIER")
    confirm.add_argument("--return", dest="back", default="", metavar="NOTE", help="send it back to its reader")
    paper = verb("paper", _paper, "a paper of the round as Word or PDF", who=member)
    paper.add_argument("kind", choices=_KINDS)
    paper.add_argument("--agency", default="", metavar="CODE", help="whose request for explanation")
    paper.add_argument("-o", dest="out", required=True, type=Path, metavar="FILE.(docx|pdf)")
    typed = verb("number", _number, "type back number, day and signer of a paper", who=lead)
    typed.add_argument("kind", choices=_KINDS)
    typed.add_argument("--agency", default="", metavar="CODE")
    typed.add_argument("--number", required=True)
    typed.add_argument("--on", required=True, type=_day, metavar="DAY")
    typed.add_argument("--signer", required=True)
    request = verb("request", _request, "ask a unit to put something right", who=member)
    request.add_argument("--agency", required=True, metavar="CODE")
    request.add_argument("--kind", required=True, choices=_REMEDIES)
    request.add_argument("--text", required=True)
    request.add_argument("--due", required=True, type=_day, metavar="DAY", help="until 17:00 of this day")
    request.add_argument(
        "--dossier", action="append", default=[], metavar="CODE", help="of the sample; may be repeated"
    )
    met = verb("met", _met, "a request was met: what was seen", number=False, who=member)
    met.add_argument("request", type=int, metavar="REQUEST")
    met.add_argument("--note", required=True)
    verb("publish", _publish, "the units may read the conclusion", who=lead)
    verb("close", _close, "close the round: nothing asked for is open", who=lead)
    verb("verify", _verify, "frozen files, seal, draw and stories are as the audit has them")
    verb("settle", _settle, "close the requests whose causes the data show to be gone", number=False)


def _told_in_words(run: Run) -> Run:
    """A refusal of the rules is told in the words of the pages, with its code."""

    @wraps(run)
    def told(args: argparse.Namespace) -> int:
        from motcua.rules.moves import Refused

        try:
            return run(args)
        except Refused as refusal:
            from motcua.web.rounds import words

            fail(f"{words.say(refusal)} [{refusal.code}]")

    return told


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write 2026-04-20") from None


def _instant(text: str) -> datetime:
    from motcua.rules.instants import Unreadable, parse_instant

    try:
        return parse_instant(text)
    except Unreadable as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def _home() -> tuple[Path, datetime]:
    from motcua.cli.home import open_home

    home = open_home()
    from django.utils import timezone

    return home, timezone.now()


# ---- where rounds stand ----------------------------------------------------------------------------------------------


def _told(round_: Any) -> dict[str, Any]:
    from motcua.rounds import results, steps

    rate = results.estimate(round_)
    total = results.by_unit(round_)[0] if round_.drawn_at else {}
    return {
        "round": round_.pk, "title": round_.title, "period": round_.period, "population": round_.population,
        "facts": round_.generation, "steps": [{"step": s.name, "state": s.state, "done": s.done, "of": s.of}
                                              for s in steps.steps(round_)],
        "counts": total,
        "estimate": rate and {"rate": rate.rate, "low": rate.low, "high": rate.high, "confidence": rate.confidence},
        "remedies": [{"request": row.pk, "agency": row.agency, "kind": row.kind, "due_at": row.due_at,
                      "closed_at": row.closed_at} for row in round_.remedies.order_by("pk")],
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


# ---- plan, figures, sample -------------------------------------------------------------------------------------------


def _plan(args: argparse.Namespace) -> int:
    try:
        given = tomllib.loads(args.file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        fail(f"{args.file}: cannot be read: {error}")
    _, now = _home()
    from dataclasses import fields

    from motcua.rounds import plan

    known = {field.name for field in fields(plan.Plan)}
    if unknown := sorted(set(given) - known):
        fail(f"{args.file}: no part {unknown[0]!r} in a plan; there are: {', '.join(sorted(known))}")
    if missing := [name for name in ("title", "period", "lead") if name not in given]:
        fail(f"{args.file}: {missing[0]} is missing")
    round_ = plan.open_(plan.Plan(**given), by=args.person, at=now)
    answer(args, {"round": round_.pk}, f"Đã lập đợt kiểm tra số {round_.pk}")
    return DONE


def _decree(args: argparse.Namespace) -> int:
    _, now = _home()
    from motcua.rounds import plan

    plan.decree(args.round, decision_number=args.number, decision_on=args.on, by=args.person, at=now)
    answer(args, {"round": args.round, "decision": args.number}, "Đã ghi số, ngày quyết định")
    return DONE


def _freeze(args: argparse.Namespace) -> int:
    if args.round is not None and not args.person:
        fail("freeze N --as ACCOUNT; without N, the rounds that were asked for on their pages")
    home, now = _home()
    from django.utils import timezone

    from motcua.rounds import freezing

    if args.round is None:
        done = freezing.work(home, clock=timezone.now)
        answer(args, {"frozen": done}, f"Đã chốt số liệu của {done} đợt kiểm tra")
        return DONE
    with progress("chốt số liệu") as bar:
        reached = 0

        def told(stage: str, done: int, of: int) -> None:
            nonlocal reached
            bar.advance(max(done - reached, 0))
            reached = done

        round_ = freezing.freeze(args.round, home=home, by=args.person, at=now, told=told)
    document = {"round": round_.pk, "population": round_.population, "population_digest": round_.population_digest,
                "manifest_digest": round_.manifest_digest, "facts": round_.generation}  # fmt: skip
    answer(args, document, f"Đã chốt {round_.population} hồ sơ (số liệu thế hệ {round_.generation}), "
                           f"mã {round_.population_digest}")  # fmt: skip
    return DONE


def _commit(args: argparse.Namespace) -> int:
    if args.receipt.exists():
        fail(f"--receipt {args.receipt}: is there already; a receipt is never written over")
    phrase = getpass.getpass("Câu bí mật: ") if sys.stdin.isatty() else sys.stdin.readline()
    _, now = _home()
    from motcua.rounds import draw

    receipt = draw.receipt(phrase)
    try:
        place = os.open(args.receipt, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        fail(f"--receipt {args.receipt}: cannot be written: {error.strerror}")
    try:
        with open(place, "w", encoding="utf-8") as out:
            out.write(f"{receipt.nonce}\n{receipt.salt}\n")
        draw.commit(args.round, receipt.commitment, by=args.person, at=now)
    except BaseException:
        args.receipt.unlink()  # a receipt for nothing would mislead
        raise
    answer(args, {"round": args.round, "commitment": receipt.commitment, "receipt": args.receipt},
           f"Đã gửi cam kết {receipt.commitment}\nBiên nhận ở {args.receipt}: giữ kín đến khi chọn mẫu")  # fmt: skip
    return DONE


def _seal(args: argparse.Namespace) -> int:
    _, now = _home()
    from motcua.rounds import draw

    round_ = draw.seal(args.round, seal_after=args.after, by=args.person, at=now)
    document = {"round": round_.pk, "plan_digest": round_.plan_digest, "seal_after": round_.seal_after}
    answer(args, document, f"Đã niêm phong kế hoạch, mã {round_.plan_digest}")
    return DONE


def _unseal(args: argparse.Namespace) -> int:
    _, now = _home()
    from motcua.rounds import draw

    draw.unseal(args.round, reason=args.reason, by=args.person, at=now)
    answer(args, {"round": args.round, "sealed": False}, "Đã mở niêm phong: cần cam kết mới")
    return DONE


def _draw(args: argparse.Namespace) -> int:
    if args.verify is not None:
        return _again(args)
    if args.round is None or args.receipt is None or not args.person:
        fail("draw N --as ACCOUNT --receipt FILE, or draw --verify FILE")
    try:
        lines = args.receipt.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"--receipt {args.receipt}: cannot be read: {error}")
    if len(lines) < 2:
        fail(f"--receipt {args.receipt}: the phrase on the first line, its salt on the second")
    home, now = _home()
    from motcua.rounds import draw, frozen

    round_ = draw.draw(args.round, nonce=lines[0].strip(), salt=lines[1].strip(), home=home, by=args.person, at=now)
    count, file = round_.items.count(), frozen.folder(home, round_.pk) / draw.RECORD
    answer(args, {"round": round_.pk, "drawn": count, "record": round_.record_digest, "file": file},
           f"Đã chọn {count} hồ sơ; ai cũng chọn lại được từ {file}")  # fmt: skip
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


# ---- hearing, finding ------------------------------------------------------------------------------------------------


def _sample(args: argparse.Namespace) -> int:
    _home()
    from motcua.rounds import explanations
    from motcua.rounds.refusals import found

    round_ = found(args.round)
    items = list(round_.items.order_by("agency", "dossier"))
    said = explanations.heard(round_, items)
    rows = [
        {"dossier": item.dossier, "agency": item.agency, "head": item.sort, "signs": item.signs,
         "answer": said[item.dossier].answer, "owes": said[item.dossier].owes, "finding": item.finding,
         "reader": item.reader, "confirmed_by": item.confirmed_by}
        for item in items
    ]  # fmt: skip
    lines = [f"{row['dossier']:<30}{row['head']:<11}{row['answer'] or '-':<9}{row['finding'] or '-':<10}"
             f"{row['reader'] or '-':<16}{row['confirmed_by'] or '-'}" for row in rows]  # fmt: skip
    answer(args, {"round": round_.pk, "rows": rows}, "\n".join(lines) or "Chưa chọn mẫu")
    return DONE


def _ask(args: argparse.Namespace) -> int:
    home, now = _home()
    from motcua.rounds import explanations
    from motcua.web import labels

    round_ = explanations.ask(args.round, home=home, by=args.person, at=now)
    answer(args, {"round": round_.pk, "answer_due_at": round_.answer_due_at},
           f"Đã gửi yêu cầu giải trình, hạn {labels.instant(round_.answer_due_at)}")  # fmt: skip
    return DONE


def _decide(args: argparse.Namespace) -> int:
    _, now = _home()
    from motcua.rounds import reading

    reading.decide(args.round, args.dossier, finding=args.finding, note=args.note, by=args.person, at=now)
    answer(args, {"dossier": args.dossier, "finding": args.finding}, f"Đã lưu {args.dossier}; chờ người thứ hai")
    return DONE


def _confirm(args: argparse.Namespace) -> int:
    _, now = _home()
    from motcua.rounds import reading
    from motcua.web.rounds import words

    done = reading.confirm(
        args.round, args.dossier, agree=not args.back, note=args.back, by=args.person, at=now
    )  # fmt: skip
    document = {"dossier": args.dossier, "confirmed": not args.back,
                "findings_passed_over": [[number, refusal.code] for number, refusal in done.refused]}  # fmt: skip
    said = f"Đã trả {args.dossier} cho người đọc" if args.back else f"Đã xác nhận {args.dossier}"
    answer(args, document, "\n".join([said, *map(words.passed_over, done.refused)]))
    return FALLS_SHORT if done.refused else DONE


# ---- papers, requests, the end ---------------------------------------------------------------------------------------


def _paper(args: argparse.Namespace) -> int:
    form = args.out.suffix.removeprefix(".")
    if form not in ("docx", "pdf"):
        fail(f"-o {args.out}: a paper is written as .docx or .pdf")
    home, now = _home()
    from motcua.rounds import steps
    from motcua.rounds.refusals import found
    from motcua.web.rounds import papers

    steps.drafted(args.round, args.kind, agency=args.agency, by=args.person, at=now)
    content = papers.made(
        found(args.round), args.kind, agency=args.agency, form=form, home=home, by=args.person, at=now
    )
    try:
        args.out.write_bytes(content)
    except OSError as error:
        fail(f"-o {args.out}: cannot be written: {error.strerror}")
    answer(args, {"round": args.round, "kind": args.kind, "file": args.out}, f"Đã lập {args.out}")
    return DONE


def _number(args: argparse.Namespace) -> int:
    _, now = _home()
    from motcua.rounds import steps

    steps.typed(args.round, args.kind, agency=args.agency, paper_number=args.number, dated_on=args.on,
                signer=args.signer, by=args.person, at=now)  # fmt: skip
    answer(args, {"round": args.round, "kind": args.kind, "number": args.number}, "Đã ghi số, ngày, người ký")
    return DONE


def _request(args: argparse.Namespace) -> int:
    home, now = _home()
    from motcua.rounds import remedies
    from motcua.rules.instants import VIET_NAM

    made = remedies.ask(
        args.round, agency=args.agency, kind=args.kind, text=args.text, due_at=datetime.combine(args.due, time(17),
        VIET_NAM), dossiers=args.dossier, home=home, by=args.person, at=now,
    )  # fmt: skip
    answer(args, {"round": args.round, "request": made.pk}, f"Đã ghi kiến nghị số {made.pk}")
    return DONE


def _met(args: argparse.Namespace) -> int:
    _, now = _home()
    from motcua.rounds import remedies

    remedies.close(args.request, note=args.note, by=args.person, at=now)
    answer(args, {"request": args.request, "closed": True}, f"Đã đóng kiến nghị số {args.request}")
    return DONE


def _publish(args: argparse.Namespace) -> int:
    _, now = _home()
    from motcua.rounds import steps

    steps.publish(args.round, by=args.person, at=now)
    answer(args, {"round": args.round, "published": True}, "Đã công bố kết luận tới các đơn vị")
    return DONE


def _close(args: argparse.Namespace) -> int:
    _, now = _home()
    from motcua.rounds import steps

    steps.close(args.round, by=args.person, at=now)
    answer(args, {"round": args.round, "closed": True}, f"Đã đóng đợt kiểm tra số {args.round}")
    return DONE


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
