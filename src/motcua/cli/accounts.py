"""`motcua user …`, `motcua keys …`: who may sign in, and which keys sign. Every change goes to the audit."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motcua.cli.output import DONE, FALLS_SHORT, answer, fail

if TYPE_CHECKING:
    from motcua.accounts.models import User
    from motcua.accounts.refusals import Refusal

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
    _register_lists(user)
    keys = commands.add_parser("keys", help="signing keys").add_subparsers(metavar="VERB", required=True)
    keys.add_parser("rotate", help="a new key signs from now on; old ones still prove").set_defaults(run=_rotate)
    keys.add_parser("list", help="the keys of this home").set_defaults(run=_keys)


def _register_lists(user: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands of lists, posts and second factors."""
    load = user.add_parser("import", help="people from a list (Excel, CSV): name, e-mail, phone, unit, role")
    load.add_argument("file", type=Path, metavar="FILE")
    load.add_argument("--check", action="store_true", help="say what each row would do, change nothing")
    load.add_argument("--refused", type=Path, metavar="FILE", help="write the refused rows with their reasons (xlsx)")
    load.set_defaults(run=_import)
    blank = user.add_parser("template", help="an empty list with drop-downs (xlsx)")
    blank.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    blank.set_defaults(run=_template)
    invite = user.add_parser("invite", help="codes to set a password with: printed sheets, or links")
    invite.add_argument("names", nargs="*", metavar="NAME", help="none: everybody who has never set a password")
    invite.add_argument("--address", required=True, metavar="URL", help="of this house, as browsers know it")
    invite.add_argument("--sheets", type=Path, metavar="FILE", help="printed sheets with QR codes (pdf)")
    invite.add_argument("--size", choices=("a5", "a4"), default="a5")
    invite.set_defaults(run=_invite)
    for verb, text in (("give", "one more post"), ("end", "the last day of a post"), ("move", "to another unit")):
        command = user.add_parser(verb, help=text)
        command.add_argument("name", metavar="NAME")
        command.add_argument("--role", required=True)
        command.add_argument("--agency", default="", metavar="CODE", help="of the post; empty: the whole province")
        if verb == "move":
            command.add_argument("--to", required=True, metavar="CODE")
        command.add_argument("--on", metavar="DAY", help="first day (give, move) or last day (end); today if not given")
        command.set_defaults(run=_post, verb=verb)
    second = user.add_parser("second-factor", help="for which roles a second factor is a must")
    second.add_argument("--roles", metavar="ROLE,ROLE", help="`none`: nobody must; without it: say what holds")
    second.add_argument("--days", type=int, default=7, metavar="N", help="that a new account has to set one up (7)")
    second.set_defaults(run=_second_factor)
    reset = user.add_parser("reset-factor", help="takes every second factor of a person away")
    reset.add_argument("name", metavar="NAME")
    reset.set_defaults(run=_reset_factor)


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


def _set_password(person: User, password: str) -> None:
    """Gives a password that is good enough. Raises `Unusable`."""
    from motcua.accounts import passwords
    from motcua.accounts.refusals import Refusal

    try:
        passwords.check(password, person=person)
    except Refusal as refused:
        fail(_said(refused))
    person.set_password(password)


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
    if not args.agency and args.role not in powers.WITHOUT_AGENCY:
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
    _set_password(person, _given_password(args.password_file))
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
    from motcua.accounts import people

    return people.content(person)


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
    _set_password(person, _given_password(args.password_file))
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


def _said(refused: Refusal) -> str:
    """A refusal in the words of the pages, in English as the terminal speaks."""
    from django.utils import translation

    from motcua.web.people import words

    with translation.override("en"):
        return words.refusal(refused)


def _import(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from django.utils import timezone

    from motcua.accounts import roster
    from motcua.accounts.refusals import Refusal
    from motcua.rules.instants import local_day
    from motcua.web.people import importing, words

    try:
        content = args.file.read_bytes()
    except OSError as error:
        fail(f"{args.file}: cannot be read: {error.strerror}")
    now = timezone.now()
    how: dict[str, Any] = {"resolve": importing.resolver(), "titles": words.titles(), "within": None}
    try:
        given = importing.receive(args.file.name, content, by=account())
        if args.check:
            made: list[int] = []
            told = roster.judge(given, on=local_day(now), **how)
        else:
            told, made = roster.take(given, by=account(), at=now, **how)
    except Refusal as refused:
        fail(_said(refused))
    counts = roster.counts(told)
    reasons = [
        {"line": one.line, "column": one.column, "reason": one.reason, "text": _said(Refusal(one.reason, **one.facts))}
        for one in told
        if one.verdict == "refused"
    ]
    if args.refused and reasons:
        args.refused.write_bytes(importing.refused(given, told).getvalue())
    lines = [", ".join(f"{count} {verdict}" for verdict, count in counts.items()) + (" (checked only)" * args.check)]
    lines += [f"row {one['line']}: {one['text']}" for one in reasons]
    if made:
        lines.append("they have no password yet: motcua user invite --address https://… --sheets sheets.pdf")
    answer(args, {"checked_only": args.check, **counts, "refusals": reasons}, "\n".join(lines))
    return FALLS_SHORT if reasons else DONE


def _template(args: argparse.Namespace) -> int:
    from motcua.cli.home import open_home

    open_home()
    from django.utils import timezone

    from motcua.rules.instants import local_day
    from motcua.web.people import importing, managed

    units = managed.agencies(None, on=local_day(timezone.now()))
    args.output.write_bytes(importing.blank(None, units).getvalue())
    answer(
        args, {"written": str(args.output), "units": len(units)}, f"{args.output}: {len(units)} units to choose from"
    )
    return DONE


def _invite(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from django.utils import timezone

    from motcua.accounts import invitations
    from motcua.accounts.models import User
    from motcua.web.people import sheets

    address = args.address.rstrip("/")
    if not address.startswith(("http://", "https://")):
        fail(f"--address {args.address!r}: an address such as https://motcua.example.vn")
    people = [_named(name) for name in args.names]
    if not args.names:
        waiting = User.objects.filter(activated_at=None, is_active=True).order_by("username")
        people = [person for person in waiting if not person.has_usable_password()]
    now = timezone.now()
    given = invitations.issue(people, by=account(), at=now)
    if args.sheets:
        content = sheets.pdf(given, address=f"{address}/kich-hoat", by=account(), at=now, size=args.size)
        args.sheets.write_bytes(content)
        answer(args, {"sheets": str(args.sheets), "people": len(given)}, f"{args.sheets}: {len(given)} sheets")
        return DONE
    links = [
        {"name": person.username, "link": f"{address}/kich-hoat/{code}", "until": until}
        for person, code, until in given
    ]
    answer(args, {"links": links}, "\n".join(f"{one['name']:<20}{one['link']}" for one in links) or "nobody waits")
    return DONE


def _post(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from django.utils import timezone

    from motcua.accounts import people, posts, roster
    from motcua.accounts.refusals import Refusal
    from motcua.rules.instants import local_day

    person, now = _named(args.name), timezone.now()
    how: dict[str, Any] = {"by": account(), "at": now}
    try:
        on = roster.day_of(args.on or "") or local_day(now)
        if args.verb == "give":
            posts.give(person=person, role=args.role, agency=args.agency, first=on, **how)
        else:
            held = [
                post
                for post in person.posts.filter(role=args.role, agency=args.agency, stands_in_for=None)
                if not (post.valid_to and post.valid_to < local_day(now))
            ]
            if not held:
                fail(f"{args.name} holds no post {args.role} {args.agency}; motcua user list names them")
            if args.verb == "end":
                posts.end(post=held[0], last=on, **how)
            else:
                posts.move(post=held[0], agency=args.to, role=args.role, first=on, **how)
    except Refusal as refused:
        fail(_said(refused))
    after = people.content(person)["posts"]
    answer(args, {"name": person.username, "posts": after}, f"{person.username}: {'; '.join(after) or 'no post'}")
    return DONE


def _second_factor(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from django.utils import timezone

    from motcua.accounts import factors

    if args.roles is not None:
        roles = [] if args.roles.strip() == "none" else [role.strip() for role in args.roles.split(",")]
        factors.demand(roles, days=args.days, by=account(), at=timezone.now())
    holds = factors.policy()
    roles = sorted(holds.roles)
    text = f"a must for {', '.join(roles)}; a new account has {holds.days} days" if roles else "nobody must"
    answer(args, {"roles": roles, "days": holds.days}, text)
    return DONE


def _reset_factor(args: argparse.Namespace) -> int:
    from motcua.cli.home import account, open_home

    open_home()
    from django.utils import timezone

    from motcua.accounts import factors
    from motcua.accounts.refusals import Refusal

    person = _named(args.name)
    try:
        factors.reset(person, by=account(), at=timezone.now())
    except Refusal as refused:
        fail(_said(refused))
    answer(args, {"reset": person.username}, f"{person.username} sets a second factor up anew at the next sign-in")
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
