"""`motcua report`: the meeting's paper, and drafts of letters about late dossiers, as Word, PDF or Excel."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from motcua.cli.output import answer, fail

_KINDS = ("docx", "pdf", "xlsx")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command to the command line."""
    report = commands.add_parser("report", help="the meeting's paper, drafts of letters")
    forms = report.add_subparsers(metavar="FORM", required=True)
    meeting = forms.add_parser("meeting", help="two pages and an annex for each unit, compared with the last meeting")
    meeting.add_argument("--period", metavar="P", default="", help="2026-03, 2026-Q1 (default: everything until now)")
    meeting.add_argument("--keep", metavar="DAY", help="keep the figures as those of the meeting of this day")
    meeting.set_defaults(run=_meeting)
    for name, text in (
        ("explanation-request", "asks units to explain their late dossiers"),
        ("urge", "urges units to handle them"),
        ("correct", "corrects how they are handled"),
    ):
        letter = forms.add_parser(name, help=text)
        letter.add_argument("--period", metavar="P")
        letter.add_argument("--measure", choices=("reception", "open", "finished", "all"), default="all")
        letter.add_argument("--side", choices=("shown", "recorded", "true"), default="shown", help="late by this side")
        letter.add_argument("--agency", metavar="CODE", help="this unit alone")
        letter.add_argument("--codes", metavar="FILE", help="the dossiers of this list instead, one to a line")
        letter.add_argument("--stated", metavar="N", type=int, help="how many the letter with the list states")
        letter.add_argument("--letter", metavar="TEXT", default="", help="number and day of that letter")
        letter.add_argument("--deadline", metavar="DAY", help="answer before this day")
        letter.set_defaults(run=_letter, form=name)
    for form in forms.choices.values():
        form.add_argument("-o", "--output", metavar="FILE", required=True, help="FILE.docx, FILE.pdf or FILE.xlsx")


def _output(args: argparse.Namespace) -> tuple[Path, str]:
    file = Path(args.output)
    kind = file.suffix.removeprefix(".").lower()
    if kind not in _KINDS:
        fail(f"-o {file}: a paper is .docx, .pdf or .xlsx")
    if not file.parent.is_dir():
        fail(f"-o {file}: the folder is not there")
    return file, kind


def _day(text: str, option: str) -> Any:
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"{option} {text}: write a day like 2026-03-16")


def _opened() -> tuple[Path, Any]:
    """The home with its facts up to date, and the instant of the call."""
    from motcua.cli.home import open_home

    home = open_home()
    from django.utils import timezone

    from motcua.oversight import extract

    now = timezone.now()
    extract.run(home=home, at=now)
    return home, now


def _meeting(args: argparse.Namespace) -> int:
    file, kind = _output(args)
    keep = _day(args.keep, "--keep") if args.keep else None
    home, now = _opened()
    from motcua.cli.home import account
    from motcua.directives import meetings
    from motcua.web.papers import meeting, pdf, word

    material = meeting.Material(home, period=args.period, now=now, by=account())
    paper = meeting.composed(material)
    match kind:
        case "docx":
            content = word.made(paper, home=home)
        case "pdf":
            content = pdf.made(paper, home=home)
        case _:
            content = meeting.workbook(material, paper).getvalue()
    file.write_bytes(content)
    if keep:
        meetings.keep(material.gathered, on=keep, period=args.period, by=account(), at=now)
    document = {
        "file": str(file), "form": "meeting", "as_of": material.as_of.isoformat(), "dossiers": len(material.rows),
        "code": paper.foot.code, "compared_with": material.last and material.last.on.isoformat(),
        "kept_as": keep and keep.isoformat(),
    }  # fmt: skip
    answer(args, document, f"{file}: {len(material.rows)} late dossiers, check code {paper.foot.code}")
    return 0


def _letter(args: argparse.Namespace) -> int:
    file, kind = _output(args)
    deadline = _day(args.deadline, "--deadline") if args.deadline else None
    codes = Path(args.codes) if args.codes else None
    if codes is not None and not codes.is_file():
        fail(f"--codes {codes}: there is no such file")
    home, now = _opened()
    from motcua.cli.home import account
    from motcua.oversight import figures, named
    from motcua.oversight.figures import Filter, Question
    from motcua.web.papers import letters

    question = Question(measure=args.measure, period=args.period, agency=args.agency)
    if args.agency and not figures.knows_agency(home, args.agency):
        fail(f"--agency {args.agency}: neither the catalogue nor any dossier has this agency")
    agreement = ""
    if codes is not None:
        given = named.read(codes.read_text(encoding="utf-8-sig", errors="replace"))
        if not given.codes:
            fail(f"--codes {codes}: no dossier code is in it")
        document = named.look_up(home, question, given.codes, now=now)
        agreement = letters.agreement(given, len(document["rows"]), len(document["absent"]), args.stated)
    else:
        document = figures.dossiers(home, question, Filter(side=args.side), now=now, limit=1_000_000)
    rows = document["rows"]
    if not rows:
        fail("there is no dossier to write about")
    asked = letters.Asked(form=args.form, deadline=deadline, letter=args.letter, agreement=agreement, by=account())
    paper = letters.composed(asked, document, rows, home=home, at=now)
    file.write_bytes(letters.files(paper, rows, home=home, kinds=(kind,))[kind])
    told = {"file": str(file), "form": args.form, "as_of": document["as_of"], "dossiers": len(rows),
            "units": len(named.by_unit(rows)), "agreement": agreement, "code": paper.foot.code}  # fmt: skip
    line = f"{file}: {len(rows)} dossiers of {told['units']} units, check code {paper.foot.code}"
    answer(args, told, f"{line}\n{agreement}" if agreement else line)
    return 0
