"""`motcua mirror serve` and `motcua mirror load`: the national portal's stand-in and collector."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail, progress, say

#: Where the mirror answers unless told otherwise.
PORT = 8766
_THREADS_OF_A_TEE = 64


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    mirror = commands.add_parser("mirror", help="the national portal's stand-in and collector").add_subparsers(
        metavar="VERB", required=True
    )
    serve = mirror.add_parser("serve", help="the stand-in over HTTP, on 127.0.0.1 unless a profile says otherwise")
    serve.add_argument("--port", type=int, default=PORT)
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--profile", type=Path, metavar="FILE", help="switches and credentials, as TOML")
    serve.add_argument("--faults", type=Path, metavar="FILE", help="faults that the sandbox plays on purpose, as JSON")
    serve.set_defaults(run=_serve)
    load = mirror.add_parser("load", help="request bodies as if received, one JSON object a line")
    load.add_argument("files", metavar="FILE", nargs="+", type=Path)
    load.add_argument("--keep-going", action="store_true", help="leave lines out that are not messages")
    load.set_defaults(run=_load)
    file = mirror.add_parser("file", help="file dossiers on the stand-in and push them into a province until answered")
    file.add_argument(
        "files", metavar="FILE", nargs="*", type=Path, help="`data` of each dossier, one JSON object a line"
    )
    file.add_argument("--province", metavar="URL", default="http://127.0.0.1:8767", help="the province's door")
    file.add_argument("--token-file", type=Path, metavar="FILE", help="what the door wants to see")
    file.set_defaults(run=_file)


def granian(app: str, host: str, port: int, env: dict[str, str], *, workers: int = 1, threads: int = 4) -> list[str]:
    """The server process's command; granian wants to be a process of its own.

    A worker that is told to stop while it begins does not hear it, and would be waited for without end.
    """
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port), "--workers",
        str(workers), "--blocking-threads", str(threads), "--no-ws", "--log-level", "warning",
        "--workers-kill-timeout", env.get("GRANIAN_WORKERS_KILL_TIMEOUT", "30"), app,
    ]  # fmt: skip


def become(command: list[str], env: dict[str, str]) -> NoReturn:
    """This process becomes the server: whoever ends it ends the server, and leaves nothing behind."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvpe(command[0], command, env)


def _serve(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home
    from motcua.mirror import profiles
    from motcua.wire.profile import Profile

    profile = profiles.read(args.profile) if args.profile else Profile()
    if profile.loopback_only and args.host not in ("127.0.0.1", "::1", "localhost"):
        fail(f"the demo profile answers on 127.0.0.1 only; give {args.host} a --profile with users of its own")
    open_home()
    env = dict(os.environ)
    if args.profile:
        env["MOTCUA_MIRROR_PROFILE"] = str(args.profile.resolve())
    if args.faults:
        env["MOTCUA_MIRROR_FAULTS"] = str(args.faults.resolve())
    say(f"mirror: http://{args.host}:{args.port}/mapi/g (Ctrl-C ends it)")
    # Before the real portal a thread waits for as long as the portal does.
    threads = _THREADS_OF_A_TEE if profile.forward_to else 4
    become(granian("motcua.mirror.wsgi:application", args.host, args.port, env, threads=threads), env)


def _load(args: argparse.Namespace) -> int:
    for file in args.files:
        if not file.is_file():
            fail(f"{file}: there is no such file")
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.mirror.load import load

    with progress("nạp bản tin") as bar:
        result = load(args.files, at=timezone.now(), keep_going=args.keep_going, advance=bar.advance)
    document = {
        "messages": result.messages,
        "records": result.records,
        "steps": result.steps,
        "duplicates": result.duplicates,
        "refused": result.refused,
    }
    for entry in result.refused[:5]:
        say(f"refused: {entry['place']}: {entry['reason']}")
    answer(
        args,
        document,
        f"{result.messages} messages: {result.records} records, {result.steps} steps stored, "
        f"{result.duplicates} known already, {len(result.refused)} refused",
    )
    return FALLS_SHORT if result.refused else DONE


def _file(args: argparse.Namespace) -> int:
    import json

    dossiers = []
    for path in args.files:
        if not path.is_file():
            fail(f"{path}: there is no such file")
        for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
            try:
                dossiers.append(json.loads(line))
            except ValueError:
                fail(f"{path.name}, line {number}: not JSON: one dossier a line")
            if not isinstance(dossiers[-1], dict) or not dossiers[-1].get("MaHoSoQG"):
                fail(f"{path.name}, line {number}: names no MaHoSoQG")
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.mirror.province import Province

    now = timezone.now()
    province = Province(args.province, token=args.token_file.read_text().strip() if args.token_file else "")
    for dossier in dossiers:
        province.file(dossier, at=now)
    done, left = province.push(at=now)
    answer(args, {"acknowledged": done, "waiting": left}, f"{done} acknowledged by the province, {left} wait")
    return FALLS_SHORT if left else DONE
