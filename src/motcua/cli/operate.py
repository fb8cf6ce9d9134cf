"""Operation: serve, work, migrate, backup, restore, users, keys, doctor, verify."""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, say

Commands = argparse._SubParsersAction


def register(commands: Commands[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    serve = commands.add_parser("serve", help="the web server")
    serve.add_argument("--host", default="127.0.0.1", metavar="H")
    serve.add_argument("--port", type=int, default=8765, metavar="P")
    serve.add_argument("--workers", type=int, default=1, metavar="N")
    serve.set_defaults(run=_serve)
    work = commands.add_parser("work", help="the background worker: delivery, read-back, extract, seals")
    work.add_argument("--once", action="store_true", help="run what is due and stop")
    work.set_defaults(run=_work)
    verify = commands.add_parser("verify", help="prove or disprove the log and the projection")
    verify.add_argument("what", nargs="?", choices=("log", "projection", "all"), default="all")
    verify.add_argument("--heads", type=Path, metavar="FILE", help="heads given away: lines of size and root")
    verify.set_defaults(run=_verify)
    commands.add_parser("migrate", help="bring the databases to this version").set_defaults(run=_migrate)
    backup = commands.add_parser("backup", help="databases, files, heads and keys in one archive")
    backup.add_argument("file", metavar="FILE", type=Path)
    backup.set_defaults(run=_backup)
    restore = commands.add_parser("restore", help="from an archive into an empty home; ends in verify")
    restore.add_argument("file", metavar="FILE", type=Path)
    restore.set_defaults(run=_restore)
    user = commands.add_parser("user", help="accounts").add_subparsers(metavar="VERB", required=True)
    add = user.add_parser("add", help="a person, with a post")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", default="inspector")
    add.add_argument("--agency", default="", metavar="CODE", help="empty: the whole province")
    add.add_argument("--password-file", type=Path, metavar="FILE", help="else it is read from standard input")
    add.set_defaults(run=_user, verb="add")
    user.add_parser("list", help="who there is").set_defaults(run=_user, verb="list")
    lock = user.add_parser("lock", help="no further sign-in; acts keep their name")
    lock.add_argument("name", metavar="NAME")
    lock.set_defaults(run=_user, verb="lock")
    keys = commands.add_parser("keys", help="signing keys").add_subparsers(metavar="VERB", required=True)
    keys.add_parser("rotate", help="a new key signs from now on; old ones still prove").set_defaults(
        run=_keys, verb="rotate"
    )
    keys.add_parser("list", help="the keys of this home").set_defaults(run=_keys, verb="list")
    commands.add_parser("doctor", help="what is configured, reachable, stale or silent").set_defaults(run=_doctor)


def _serve(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home
    from motcua.cli.mirror import granian

    open_home()
    say(f"web: http://{args.host}:{args.port}/ (Ctrl-C ends it)")
    env = dict(os.environ)
    command = granian("motcua.web.wsgi:application", args.host, args.port, env, workers=args.workers)
    return subprocess.call(command, env=env)


def _work(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    home = open_home()
    import structlog
    from django.utils import timezone

    from motcua.exchange import deliver, deliveries
    from motcua.jobs import lease
    from motcua.ledger import seals
    from motcua.mirror.client import Portal
    from motcua.oversight import extract

    log = structlog.get_logger()
    url = os.environ.get("NATIONAL_PORTAL_URL", "")
    password = os.environ.get("NATIONAL_PORTAL_PASSWORD_FILE", "")

    def send() -> int:
        planned = deliveries.plan()
        if not url or not password:
            return planned
        user = os.environ.get("NATIONAL_PORTAL_USER", "")
        portal = Portal(url, user, Path(password).read_text().strip(), os.environ.get("NATIONAL_PORTAL_UNIT", user))
        return deliver.Deliverer(portal).run(at=timezone.now()).delivered

    jobs = (
        ("deliver", send, 15),
        ("extract", lambda: extract.run(home=home, at=timezone.now()).dossiers, 60),
        ("seal", lambda: int(seals.seal(home / "keys", at=timezone.now()) is not None), 3600),
    )
    holder = f"{os.uname().nodename}:{os.getpid()}"
    while True:
        for name, job, every_s in jobs:
            count = lease.run(name, job, every_s=every_s, holder=holder, now=timezone.now())
            if count is not None:
                log.info("job", name=name, count=count)
        if args.once:
            return DONE
        time.sleep(2)


def _verify(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    home = open_home()
    document = verified(home, args.what, args.heads)
    ok = all(part["ok"] for part in document.values())
    lines = []
    for name, part in document.items():
        lines.append(f"{name}: {'proved' if part['ok'] else 'DISPROVED'}")
        lines += [f"  {fault}" for fault in part["faults"]]
    answer(args, {**document, "ok": ok}, "\n".join(lines))
    return DONE if ok else FALLS_SHORT


def verified(home: Path, what: str = "all", heads: Path | None = None) -> dict[str, dict[str, Any]]:
    """What `motcua verify` found."""
    from motcua.dossiers import verify

    given: dict[int, str] = {}
    if heads is not None:
        for number, line in enumerate(heads.read_text().splitlines(), 1):
            parts = line.split()
            if len(parts) != 2 or not parts[0].isdigit():
                fail(f"{heads}, line {number}: write the size and the root of a head")
            given[int(parts[0])] = parts[1]
    document: dict[str, dict[str, Any]] = {}
    if what in ("log", "all"):
        document["log"] = verify.verify_log(home / "keys", given)
    if what in ("projection", "all"):
        document["projection"] = verify.verify_projection()
    return document


def _migrate(args: argparse.Namespace) -> int:
    from motcua.cli.home import migrate, open_home

    open_home()
    migrate()
    answer(args, {"migrated": True}, "both databases are at this version")
    return DONE


def _backup(args: argparse.Namespace) -> int:
    from motcua.cli.archive import pack
    from motcua.cli.home import open_home

    home = open_home()
    if args.file.exists():
        fail(f"{args.file}: exists already; name another file")
    size = pack(home, args.file)
    answer(args, {"file": str(args.file), "bytes": size}, f"{args.file}: {size} bytes, keys included: keep it safe")
    return DONE


def _restore(args: argparse.Namespace) -> int:
    from motcua.cli.archive import unpack
    from motcua.cli.home import home, open_home

    folder = home()
    if not args.file.is_file():
        fail(f"{args.file}: there is no such file")
    if os.environ.get("DATABASE_URL"):
        fail("restore works on an embedded home; restore PostgreSQL with pg_restore, then run motcua verify")
    if (folder / "motcua.sqlite3").exists():
        fail(f"{folder} is not empty; set MOTCUA_HOME to an empty folder")
    unpack(args.file, folder)
    open_home()
    document = verified(folder)
    ok = all(part["ok"] for part in document.values())
    events = document["log"]["events"]
    answer(args, {**document, "ok": ok}, f"restored, {events} events, {'proved' if ok else 'DISPROVED'}")
    return DONE if ok else FALLS_SHORT


def _user(args: argparse.Namespace) -> int:
    import sys

    from motcua.cli.home import open_home

    open_home()
    from motcua.accounts.models import Post, User

    if args.verb == "list":
        rows: list[dict[str, Any]] = [
            {
                "name": u.username,
                "active": u.is_active,
                "posts": [f"{p.role} {p.agency}".strip() for p in u.posts.all()],
            }
            for u in User.objects.order_by("username")
        ]
        answer(args, {"users": rows}, "\n".join(f"{r['name']:<20}{', '.join(r['posts'])}" for r in rows))
        return DONE
    if args.verb == "lock":
        if not User.objects.filter(username=args.name).update(is_active=False):
            fail(f"{args.name}: there is no such account")
        answer(args, {"locked": args.name}, f"{args.name} is locked")
        return DONE
    if args.role not in Post.Role.values:
        fail(f"--role {args.role!r} is none of {', '.join(Post.Role.values)}")
    if User.objects.filter(username=args.name).exists():
        fail(f"{args.name}: exists already")
    password = (args.password_file.read_text() if args.password_file else sys.stdin.readline()).strip()
    if len(password) < 10:
        fail("a password has at least 10 characters")
    person = User.objects.create_user(args.name, password=password)
    Post.objects.create(user=person, role=args.role, agency=args.agency)
    answer(args, {"added": args.name}, f"{args.name} may sign in")
    return DONE


def _keys(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    folder = open_home() / "keys"
    from motcua.ledger import seals

    name, _ = seals.key(folder, rotate=args.verb == "rotate")
    names = sorted(file.stem for file in folder.glob("*.pub"))
    answer(args, {"signing": name, "keys": names}, f"{name} signs; {len(names)} keys prove")
    return DONE


def _doctor(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    home = open_home()
    from django.db import connections
    from django.utils import timezone

    from motcua.dossiers.models import DossierRow
    from motcua.exchange.models import Delivery
    from motcua.inspection.engines import Manifest
    from motcua.jobs import lease
    from motcua.ledger import cursors
    from motcua.oversight.extract import facts_folder
    from motcua.rules.instants import Unreadable

    now = timezone.now()
    try:
        manifest = Manifest.read(facts_folder(home))
        facts: dict[str, int | None] = {
            "age_s": int(now.timestamp()) - manifest.at_s,
            "behind": cursors.head() - manifest.position,
        }
    except Unreadable:
        facts = {"age_s": None, "behind": cursors.head()}
    document = {
        "home": str(home),
        "databases": {alias: connections[alias].vendor for alias in connections},
        "dossiers": DossierRow.objects.count(),
        "events": cursors.head(),
        "facts": facts,
        "waiting": Delivery.objects.filter(state="waiting").count(),
        "dead_letters": Delivery.objects.filter(state="dead").count(),
        "unmapped": Delivery.objects.filter(state="unmapped").count(),
        "silent": lease.silent(now=now),
    }
    answer(args, document, "\n".join(f"{name}: {value}" for name, value in document.items()))
    return FALLS_SHORT if document["silent"] else DONE
