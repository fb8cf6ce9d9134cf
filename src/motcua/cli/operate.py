"""Operation: serve, verify, migrate, backup, restore, doctor."""

from __future__ import annotations

import argparse
import os
import shutil
import socket
from pathlib import Path
from typing import Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, say

#: Bytes that the home's disk must have left: room for one more copy of the log's busiest day.
_DISK_WANTED = 1_000_000_000
#: Nightly backups are overdue after a day and a half.
_BACKUP_OVERDUE_S = 36 * 3600


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    serve = commands.add_parser("serve", help="the web server")
    serve.add_argument("--host", default="127.0.0.1", metavar="H")
    serve.add_argument("--port", type=int, default=8765, metavar="P")
    serve.add_argument("--workers", type=int, default=1, metavar="N")
    serve.add_argument("--training", action="store_true", help="a training house, made first where none is yet")
    serve.set_defaults(run=_serve)
    verify = commands.add_parser("verify", help="prove or disprove the log, the projection and the audit of changes")
    verify.add_argument("what", nargs="?", choices=("log", "projection", "audit", "all", "evidence"), default="all")
    verify.add_argument("pack", nargs="?", type=Path, metavar="PACK", help="the evidence pack, after `evidence`")
    verify.add_argument("--heads", type=Path, metavar="FILE", help="heads given away: lines of size and root")
    verify.add_argument("--key", metavar="HEX", help="of a pack from another house: its public key")
    verify.set_defaults(run=_verify)
    commands.add_parser("migrate", help="bring the databases to this version").set_defaults(run=_migrate)
    backup = commands.add_parser("backup", help="databases, files, heads and keys in one archive")
    backup.add_argument("file", metavar="FILE", type=Path, nargs="?")
    backup.add_argument("--into", metavar="FOLDER", type=Path, help="a file of its own there, named by the hour")
    backup.add_argument("--keep", metavar="N", type=int, help="with --into: remove all but the newest N of these files")
    backup.set_defaults(run=_backup)
    restore = commands.add_parser("restore", help="from an archive into an empty home and database; ends in verify")
    restore.add_argument("file", metavar="FILE", type=Path)
    restore.set_defaults(run=_restore)
    commands.add_parser("doctor", help="what is configured, reachable, stale or silent").set_defaults(run=_doctor)


def _serve(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home
    from motcua.cli.mirror import granian

    host = _free_address(args.host, args.port)
    if args.workers < 1:
        fail(f"--workers {args.workers}: at least one answers")
    if args.training:
        from motcua.cli import demo

        return demo.train(host, args.port)
    open_home()
    _tell_the_code(args.host, args.port)
    say(f"web: http://{args.host}:{args.port}/ (Ctrl-C ends it)")
    env = dict(os.environ)
    command = granian("motcua.web.wsgi:application", host, args.port, env, workers=args.workers)
    # The server takes this process's place, so that a supervisor's signals reach it and not a parent of it.
    os.execve(command[0], command, env)


def _tell_the_code(host: str, port: int) -> None:
    """While nobody runs the house: how to set it up from this machine or from another one."""
    from django.db import Error
    from django.utils import timezone

    from motcua.accounts import people
    from motcua.catalogue import province
    from motcua.cli.home import account

    try:
        if people.is_there_an_administrator():
            return
        code = province.new_code(by=account(), at=timezone.now())
    except Error:  # a PostgreSQL that is not migrated yet: the web and the doctor say so
        return
    say(f"nobody runs this house yet: set it up at http://{host}:{port}/cai-dat; from another machine with {code}")


def _free_address(host: str, port: int) -> str:
    """The numeric address to serve on. Two servers would share a port in silence, so a taken one is refused."""
    if not 0 < port < 65_536:
        fail(f"--port {port}: a port is a number from 1 to 65535")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError):
        fail(f"--host {host}: there is no such address")
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            fail(f"{host}:{port} cannot be served on: {error.strerror}; choose another with --host, --port")
    return str(address[0])


def _verify(args: argparse.Namespace) -> int:
    if args.what == "evidence":
        from motcua.cli import evidence

        return evidence.verify(args)
    if args.pack is not None:
        fail(f"{args.pack}: only `motcua verify evidence` takes a file")
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


def read_heads(file: Path | None) -> dict[int, str]:
    """Heads as somebody outside was given them: size → root (hex)."""
    given: dict[int, str] = {}
    if file is not None:
        if not file.is_file():
            fail(f"{file}: there is no such file")
        for number, line in enumerate(file.read_text().splitlines(), 1):
            parts = line.split()
            if len(parts) != 2 or not parts[0].isdigit():
                fail(f"{file}, line {number}: write the size and the root of a head")
            given[int(parts[0])] = parts[1].lower()
    return given


def verified(home: Path, what: str = "all", heads: Path | None = None) -> dict[str, dict[str, Any]]:
    """What `motcua verify` found."""
    from motcua.dossiers import verify
    from motcua.ledger import audit

    given = read_heads(heads)
    document: dict[str, dict[str, Any]] = {}
    if what in ("log", "all"):
        document["log"] = verify.verify_log(home / "keys", given)
    if what in ("projection", "all"):
        document["projection"] = verify.verify_projection()
    if what in ("audit", "all"):
        document["audit"] = audit.verify()
    return document


def _migrate(args: argparse.Namespace) -> int:
    from motcua.cli.home import migrate, open_home

    open_home()
    from django.db import ProgrammingError

    try:
        migrate()
    except ProgrammingError as error:
        fail(f"the migration stopped, and the step that failed is undone: {error}")
    answer(args, {"migrated": True}, "both databases are at this version")
    return DONE


def _backup(args: argparse.Namespace) -> int:
    from motcua.cli import archive
    from motcua.cli.home import open_home

    if (args.file is None) == (args.into is None):
        fail("name either the FILE to write or, with --into, the FOLDER that keeps the last ones")
    if args.keep is not None and (args.into is None or args.keep < 1):
        fail("--keep: how many backups stay in the folder of --into, at least one")
    home = open_home()
    from django.utils import timezone

    now = timezone.now()
    named = args.into / archive.name(now) if args.into else args.file
    target = named.resolve()
    if target.exists():
        fail(f"{named}: exists already; name another file")
    if not target.parent.is_dir():
        fail(f"{named}: there is no folder {target.parent}")
    if home in target.parents:
        fail(f"{named}: lies in the home that it saves; name a place outside {home}")
    document: dict[str, Any] = {"file": str(target), **archive.pack(home, target, at=now)}
    told = (
        f"{named}: {document['events']} events, {document['files']} files, {document['bytes']} bytes;"
        " signing keys and personal data included: keep it safe"
    )
    if args.keep is not None:
        document["removed"] = [str(each) for each in archive.thin(target.parent, args.keep)]
        told += f"; {len(document['removed'])} older ones removed"
    answer(args, document, told)
    return DONE


def _restore(args: argparse.Namespace) -> int:
    from motcua.cli import archive
    from motcua.cli.home import home

    if not args.file.is_file():
        fail(f"{args.file}: there is no such file")
    document = archive.restore(args.file.resolve(), home(), lambda files, heads: verified(files, heads=heads))
    ok = all(part["ok"] for part in document.values())
    events = document["log"]["events"]
    say("the facts are not in the archive: motcua extract makes them")
    answer(args, {**document, "ok": ok}, f"restored, {events} events, {'proved' if ok else 'DISPROVED'}")
    return DONE if ok else FALLS_SHORT


def _doctor(args: argparse.Namespace) -> int:
    from motcua.cli.home import home, set_up

    folder = home()
    if not os.environ.get("DATABASE_URL"):
        from motcua.cli.home import open_home

        open_home()
    set_up()
    document: dict[str, Any] = {"home": str(folder), "databases": _databases()}
    faults = [f"database {alias}: {about['fault']}" for alias, about in document["databases"].items() if about["fault"]]
    if not faults:
        document.update(_standing(folder))
        faults = _faults(document)
    document["faults"] = faults
    answer(args, document, lambda: _report(document))
    return FALLS_SHORT if faults else DONE


def _databases() -> dict[str, dict[str, str]]:
    """For each database its kind, its name and what is wrong with it, if anything."""
    from django.db import Error, connections
    from django.db.migrations.executor import MigrationExecutor

    found = {}
    for alias in ("default", "mirror"):
        connection, fault = connections[alias], ""
        try:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                fault = "is not at this version; run motcua migrate"
        except Error as error:
            fault = f"cannot be reached: {str(error).strip().splitlines()[-1]}"
        found[alias] = {"kind": connection.vendor, "name": str(connection.settings_dict["NAME"]), "fault": fault}
    return found


def _standing(folder: Path) -> dict[str, Any]:
    """What the databases and the facts say of how things stand."""
    from django.utils import timezone

    from motcua.catalogue import parts
    from motcua.cli import archive
    from motcua.cli.work import wanted
    from motcua.dossiers.models import DossierRow
    from motcua.exchange.models import Delivery
    from motcua.inspection.engines import Manifest
    from motcua.jobs import lease
    from motcua.ledger import cursors
    from motcua.ledger.models import Head
    from motcua.mirror import watch
    from motcua.oversight.extract import facts_folder
    from motcua.rules.instants import Unreadable, iso

    now = timezone.now()
    try:
        manifest = Manifest.read(facts_folder(folder))
        facts: dict[str, int | None] = {
            "age_s": int(now.timestamp()) - manifest.at_s,
            "behind": cursors.head() - manifest.position,
        }
    except Unreadable:
        facts = {"age_s": None, "behind": cursors.head()}
    backups = os.environ.get("MOTCUA_BACKUPS")
    sealed = Head.objects.order_by("-size").values_list("size", flat=True).first() or 0
    on = parts.on()
    jobs = [job for job in lease.health(now=now) if wanted(job["name"], on)]
    return {
        "parts": [part for part in parts.PARTS if part in on],
        "dossiers": DossierRow.objects.count(),
        "events": cursors.head(),
        "sealed": sealed,
        "facts": facts,
        "portal": os.environ.get("NATIONAL_PORTAL_URL") or None,
        "waiting": Delivery.objects.filter(state="waiting").count(),
        "dead_letters": Delivery.objects.filter(state="dead").count(),
        "unmapped": Delivery.objects.filter(state="unmapped").count(),
        "jobs": jobs,
        "silent": [job["name"] for job in jobs if job["silent"]],
        "failing": [job["name"] for job in jobs if job["error"]],
        "unwatched_since": next((iso(gap.since) for gap in watch.gaps(now, now) if gap.until is None), None),
        "disk_free": shutil.disk_usage(folder).free,
        "backups": backups and {"folder": backups, "newest_age_s": archive.age_s(Path(backups), now)},
    }


def _faults(document: dict[str, Any]) -> list[str]:
    """What wants a person, a line each."""
    jobs = {job["name"]: job for job in document["jobs"]}
    faults = [
        f"job {name} is silent: its last heartbeat is {jobs[name]['heartbeat_age_s']} s old; is motcua work running?"
        for name in document["silent"]
    ]
    faults += [
        f"job {name} failed {jobs[name]['failures']} times: {jobs[name]['error'].splitlines()[0]}"
        for name in document["failing"]
    ]
    if document["portal"] and not os.access(os.environ.get("NATIONAL_PORTAL_PASSWORD_FILE", ""), os.R_OK):
        faults.append("NATIONAL_PORTAL_PASSWORD_FILE names no file that can be read: nothing is sent")
    if document["unwatched_since"]:
        faults.append(
            f"the collector has not run since {document['unwatched_since']}: calls pass it by, and what is missing"
            " since then is silence, not zero; motcua mirror serve, then mirror load of what passed by"
        )
    if document["disk_free"] < _DISK_WANTED:
        room = f"{document['disk_free'] // 1_000_000} MB"
        faults.append(f"the disk of {document['home']} has {room} left; make room before the database stands still")
    if document["backups"] is not None:
        age = document["backups"]["newest_age_s"]
        told = "none there yet" if age is None else f"the newest is {age // 3600} hours old"
        if age is None or age > _BACKUP_OVERDUE_S:
            faults.append(f"backups in {document['backups']['folder']}: {told}; is motcua-backup.timer on?")
    return faults


def _report(document: dict[str, Any]) -> str:
    """The document for people."""
    lines = [f"home: {document['home']}"]
    lines += [
        f"database {alias}: {about['kind']} {about['name']}, {about['fault'] or 'reachable'}"
        for alias, about in document["databases"].items()
    ]
    if "jobs" in document:
        facts = document["facts"]
        age = "never made" if facts["age_s"] is None else f"{facts['age_s']} s old"
        lines += [
            f"parts: {', '.join(document['parts']) or 'none is switched on; motcua parts set'}",
            f"log: {document['dossiers']} dossiers, {document['events']} events, sealed up to {document['sealed']}",
            f"facts: {age}, {facts['behind']} events behind",
            f"national portal: {document['portal'] or 'none configured'}; {document['waiting']} messages wait,"
            f" {document['dead_letters']} refused, {document['unmapped']} without a national status",
        ]
        lines += [
            f"job {job['name']}: every {job['every_s']} s, last {job['heartbeat_age_s']} s ago, count {job['count']}"
            + (", running" if job["running"] else "")
            for job in document["jobs"]
        ] or ["jobs: none has ever run; motcua work runs them"]
        if document["backups"] is not None and document["backups"]["newest_age_s"] is not None:
            lines.append(f"backup: {document['backups']['newest_age_s'] // 3600} hours ago")
        lines.append(f"disk: {document['disk_free'] // 1_000_000} MB free")
    lines += [f"! {fault}" for fault in document["faults"]]
    return "\n".join(lines)
