"""`motcua user …`, `motcua keys …`: who may sign in, and which keys sign. Every change goes to the audit."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motcua.cli.output import DONE, answer, fail

if TYPE_CHECKING:
    from motcua.accounts.models import User

_SHORTEST = 10


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands to the command line."""
    user = commands.add_parser("user", help="accounts").add_subparsers(metavar="VERB", required=True)
    add = user.add_parser("add", help="a person, with a post")
    add.add_argument("name", metavar="NAME")
    add.add_argument("--role", default="inspector")
    add.add_argument("--agency", default="", metavar="CODE", help="empty: the whole province")
    add.add_argument("--full-name", default="", metavar="TEXT", help="as pages and reports name the person")
    add.set_defaults(run=_add)
    user.add_parser("list", help="who there is").set_defaults(run=_list)
    anew = user.add_parser("password", help="a new password")
    anew.add_argument("name", metavar="NAME")
    anew.set_defaults(run=_password)
    for command in (add, anew):
        command.add_argument("--password-file", type=Path, metavar="FILE", help="else it is asked for")
    for verb, active, text in (
        ("lock", False, "no further sign-in; acts keep their name"),
        ("unlock", True, "may sign in again"),
    ):
        command = user.add_parser(verb, help=text)
        command.add_argument("name", metavar="NAME")
        command.set_defaults(run=_lock, active=active)
    keys = commands.add_parser("keys", help="signing keys").add_subparsers(metavar="VERB", required=True)
    keys.add_parser("rotate", help="a new key signs from now on; old ones still prove").set_defaults(run=_rotate)
    keys.add_parser("list", help="the keys of this home").set_defaults(run=_keys)


def _given_password(file: Path | None) -> str:
    """The password from a file, the terminal (unseen, twice) or standard input. Raises `Unusable`."""
    if file is not None:
        try:
            password = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            fail(f"--password-file {file}: cannot be read: {getattr(error, 'strerror', None) or error}")
    elif sys.stdin.isatty():
        password = getpass.getpass("password: ")
        if getpass.getpass("once more: ") != password:
            fail("the two are not the same")
    else:
        password = sys.stdin.readline().strip()
    if len(password) < _SHORTEST:
        fail(f"a password has at least {_SHORTEST} characters")
    return password


def _add(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from django.core.exceptions import ValidationError
    from django.db import transaction
    from django.utils import timezone

    from motcua.accounts import powers
    from motcua.accounts.models import Post, User
    from motcua.catalogue.models import Agency
    from motcua.ledger import audit

    if args.role not in Post.Role.values:
        fail(f"--role {args.role!r} is none of {', '.join(Post.Role.values)}")
    if not args.agency and args.role not in powers.PROVINCE:
        fail(f"--role {args.role} works for one agency: name it with --agency CODE")
    if args.agency and not Agency.objects.filter(code=args.agency).exists():
        fail(f"--agency {args.agency!r}: there is no such agency; motcua import brings them")
    person = User(username=args.name, full_name=args.full_name)
    try:
        person.clean_fields(exclude=["password"])
    except ValidationError as error:
        fail(f"{args.name!r}: {', '.join(error.message_dict)} cannot be that; a name is letters, digits and @ . + - _")
    if User.objects.filter(username__iexact=args.name).exists():
        fail(f"{args.name}: exists already")
    person.set_password(_given_password(args.password_file))
    with transaction.atomic():
        person.save()
        Post.objects.create(user=person, role=args.role, agency=args.agency)
        audit.record(
            at=timezone.now(), actor=account(), table="accounts_user", key=person.username, before=None,
            after=_content(person),
        )  # fmt: skip
    where = args.agency or "the whole province"
    answer(args, {"added": person.username, "role": args.role, "agency": args.agency},
           f"{person.username} may sign in: {args.role}, {where}")  # fmt: skip
    return DONE


def _content(person: User) -> dict[str, Any]:
    """An account as the audit keeps it."""
    posts = person.posts.order_by("pk")
    return {
        "full_name": person.full_name,
        "active": person.is_active,
        "posts": [f"{post.role} {post.agency}".strip() for post in posts],
    }


def _named(name: str) -> User:
    from motcua.accounts.models import User

    found: User | None = User.objects.filter(username=name).first()
    if found is None:
        fail(f"{name}: there is no such account; motcua user list names them")
    return found


def _list(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from motcua.accounts.models import User

    rows = [
        {"name": person.username, "last_sign_in": person.last_login, **_content(person)}
        for person in User.objects.order_by("username")
    ]
    lines = [
        f"{r['name']:<20}{', '.join(r['posts']):<24}{'' if r['active'] else 'locked  '}{r['full_name']}".rstrip()
        for r in rows
    ]
    answer(args, {"users": rows}, "\n".join(lines) or "nobody yet: motcua user add NAME --role ROLE")
    return DONE


def _password(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from django.db import transaction
    from django.utils import timezone

    from motcua.ledger import audit

    person = _named(args.name)
    person.set_password(_given_password(args.password_file))
    now = timezone.now()
    with transaction.atomic():
        person.save(update_fields=["password"])
        audit.record(
            at=now, actor=account(), table="accounts_user", key=person.username, before=None,
            after={"password": "set anew"},
        )  # fmt: skip
    answer(args, {"password": person.username}, f"{person.username}: the new password holds, open sessions have ended")
    return DONE


def _lock(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from django.db import transaction
    from django.utils import timezone

    from motcua.ledger import audit

    person = _named(args.name)
    before = _content(person)
    person.is_active = args.active
    with transaction.atomic():
        person.save(update_fields=["is_active"])
        audit.record(
            at=timezone.now(), actor=account(), table="accounts_user", key=person.username, before=before,
            after=_content(person),
        )  # fmt: skip
    said = "unlocked" if args.active else "locked"
    answer(args, {said: person.username}, f"{person.username} is {said}")
    return DONE


def _rotate(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    folder = open_home() / "keys"
    from django.db import transaction
    from django.utils import timezone

    from motcua.ledger import audit, seals

    before = _names(folder)
    name, _ = seals.key(folder, rotate=True)
    with transaction.atomic():
        audit.record(
            at=timezone.now(), actor=account(), table="keys", key=name, before={"keys": before},
            after={"keys": _names(folder)},
        )  # fmt: skip
    answer(args, {"signing": name, "keys": _names(folder)}, f"{name} signs; {len(_names(folder))} keys prove")
    return DONE


def _keys(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    folder = open_home() / "keys"
    from motcua.ledger import seals

    names = _names(folder)
    signing = seals.key(folder)[0] if names else None
    text = f"{signing} signs; {len(names)} keys prove" if names else "no key yet: the first seal makes one"
    answer(args, {"signing": signing, "keys": names}, text)
    return DONE


def _names(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("*.pub"))
