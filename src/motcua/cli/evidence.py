"""`motcua evidence …`: packs that prove a dossier's story without our server; `motcua verify evidence` checks one."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, progress


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    verbs = commands.add_parser("evidence", help="packs that prove their content without this server")
    packs = verbs.add_subparsers(metavar="VERB", required=True)
    make = packs.add_parser("make", help="one file about one or more dossiers")
    make.add_argument("dossier", metavar="DOSSIER", nargs="*")
    make.add_argument("--finding", type=int, metavar="N", help="a finding: its dossier, with what was seen and done")
    make.add_argument("--round", type=int, metavar="N", help="a round: the dossiers of its sample, with its plan")
    make.add_argument("--codes", type=Path, metavar="FILE", help="further dossiers, a code a line")
    make.add_argument("--to", type=Path, metavar="FILE", required=True, help="where the pack goes")
    make.add_argument("--black-out", choices=("personal", "officials", "none", "messages"), default="personal",
                      help="what cannot be read in it: what names people (default); also who acted, and notes;"
                      " nothing; all of the messages")  # fmt: skip
    make.add_argument("--as-of", metavar="T", help="the verdicts as of then (default: now)")
    make.add_argument("--heads", type=Path, metavar="FILE",
                      help="heads that were given away: the pack proves that the log continues them")  # fmt: skip
    make.add_argument("--reason", metavar="TEXT", default="", help="why, for whom: kept with the pack's digest")
    make.set_defaults(run=_make)
    listed = packs.add_parser("list", help="packs that were made: by whom, of what, why")
    listed.add_argument("--dossier", metavar="CODE")
    listed.set_defaults(run=_list)
    black_out = packs.add_parser("black-out", help="the same pack with more blacked out; it still proves the rest")
    black_out.add_argument("pack", type=Path, metavar="PACK")
    black_out.add_argument("--what", choices=("personal", "messages"), default="personal")
    black_out.add_argument("--to", type=Path, metavar="FILE", required=True)
    black_out.set_defaults(run=_black_out)
    work = packs.add_parser("work", help="make the packs that pages asked for and nobody makes")
    work.set_defaults(run=_work)
    key = packs.add_parser("key", help="the public key of this house, to be published")
    key.set_defaults(run=_key)


def _make(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home
    from motcua.cli.operate import read_heads

    codes = [*args.dossier, *_codes(args.codes)]
    if not codes and args.finding is None and args.round is None:
        fail("name a dossier, or a file of codes with --codes")
    if args.black_out == "none" and len(args.reason.strip()) < 5:
        fail("--black-out none shows personal data: write why with --reason, in five letters or more")
    heads = read_heads(args.heads)
    _is_free(args.to)
    home = open_home()
    from django.utils import timezone

    from motcua.evidence import make, subjects
    from motcua.oversight import extract
    from motcua.rules.instants import parse_instant
    from motcua.web.evidence.papers import papers

    now, by = timezone.now(), account()
    extract.run(home=home, at=now)
    if args.round is not None:
        subject = subjects.round_(args.round)
    else:
        subject = make.dossiers(codes) if args.finding is None else subjects.finding(args.finding)
    with progress("lập gói chứng cứ", len(subject.codes)) as bar:
        made = make.make(
            home, subject, at=now, by=by, papers=papers, black_out=args.black_out,
            as_of=parse_instant(args.as_of) if args.as_of else None, heads=heads, advance=bar.advance,
        )  # fmt: skip
    _write(args.to, made.file)
    make.kept(made, reason=args.reason.strip(), at=now, by=by)
    document = {"file": str(args.to), "sha256": made.sha256, "bytes": len(made.file),
                "dossiers": len(subject.codes), "key": made.manifest["key"]["public"], "head": made.manifest["head"],
                "withheld": len(made.manifest["withheld"])}  # fmt: skip
    answer(
        args,
        document,
        f"{args.to}: {len(subject.codes)} dossiers, {len(made.file)} bytes, {document['withheld']} values blacked out\n"
        f"sha256 {made.sha256}\nkey    {document['key']}",
    )
    return DONE


def _codes(file: Path | None) -> Iterable[str]:
    if file is None:
        return []
    if not file.is_file():
        fail(f"{file}: there is no such file")
    return [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]


def _is_free(file: Path) -> None:
    if file.exists():
        fail(f"{file}: exists already; name another file")
    if not file.resolve().parent.is_dir():
        fail(f"{file}: there is no folder {file.resolve().parent}")


def _write(file: Path, data: bytes) -> None:
    try:
        with file.open("xb") as stream:
            stream.write(data)
    except OSError as error:
        fail(f"{file}: cannot be written: {error.strerror or error}")


def _list(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.evidence.models import Pack

    found = Pack.objects.order_by("-pk")
    if args.dossier:
        found = found.filter(dossiers__dossier=args.dossier)
    rows = [
        {"at": pack.made_at.isoformat(), "by": pack.made_by, "kind": pack.kind, "subject": pack.subject,
         "black_out": pack.black_out, "reason": pack.reason, "sha256": pack.sha256, "bytes": pack.bytes}
        for pack in found[:1000]
    ]  # fmt: skip
    lines = [f"{r['at'][:16]}  {r['by']:<20} {r['kind']} {r['subject']}  {r['black_out']}  {r['reason']}" for r in rows]
    answer(args, {"rows": rows}, "\n".join(lines) or "no pack was made")
    return DONE


def _black_out(args: argparse.Namespace) -> int:
    from motcua.cli.home import set_up

    file = _read(args.pack)
    _is_free(args.to)
    set_up()
    from motcua.evidence.verify import verify, withheld_again

    report = verify(file)
    if not report["ok"]:
        fail(f"{args.pack}: does not prove ({report['faults'][0]['code']}); nothing was written")
    shorter = withheld_again(file, lambda ref, kind: args.what == "messages" or kind == "personal")
    _write(args.to, shorter)
    after = verify(shorter)
    answer(args, {"file": str(args.to), **after}, f"{args.to}: {after['withheld']} values blacked out, the rest proves")
    return DONE


def _work(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    home = open_home()
    from django.utils import timezone

    from motcua.evidence import orders
    from motcua.web.evidence.papers import papers

    count = orders.work(home, papers=papers, clock=timezone.now)
    answer(args, {"made": count}, f"{count} packs made")
    return DONE


def _key(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    home = open_home()
    from motcua.ledger import seals

    name, _ = seals.key(home / "keys")
    public = (home / "keys" / f"{name}.pub").read_bytes().hex()
    answer(args, {"name": name, "public": public}, public)
    return DONE


def _read(file: Path) -> bytes:
    if not file.is_file():
        fail(f"{file}: there is no such file")
    return file.read_bytes()


def verify(args: argparse.Namespace) -> int:
    """`motcua verify evidence PACK`: needs no database; the keys of the home, if there is one, say whose it is."""
    from motcua.cli.home import home, set_up
    from motcua.cli.operate import read_heads

    if args.pack is None:
        fail("name the pack: motcua verify evidence PACK")
    file, heads = _read(args.pack), read_heads(args.heads)
    set_up()
    from motcua.evidence import verify as proof

    known = {public.read_bytes().hex() for public in (home() / "keys").glob("*.pub")}
    keys = {args.key.lower()} if args.key else known or None
    report = proof.verify(file, keys=keys, heads=heads)
    answer(args, report, lambda: _told(report))
    return DONE if report["ok"] else FALLS_SHORT


def _told(report: dict[str, Any]) -> str:
    if not report["ok"]:
        return "\n".join(["DISPROVED", *(f"  {fault['code']}: {fault['place']}" for fault in report["faults"])])
    whose = "a known key" if report["key_known"] else "nobody here knows this key: compare it, or give --key"
    return (
        f"proved: {report['dossiers']} dossiers, {report['events']} events, {report['shown']} values shown,"
        f" {report['withheld']} blacked out ({report['withheld_later']} of them by a holder)\n"
        f"key   {report['key']} ({whose})\n"
        f"head  {report['head']['size']} {report['head']['root']}; {report['heads_compared']} heads compared"
    )
