"""A list of people from a file: its columns guessed, every row judged before any is taken, then taken whole.

A second load of the same list changes nothing: a person is known by the work e-mail, else by the account name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from motcua.accounts import people, posts
from motcua.accounts.models import Post, Roster, User
from motcua.accounts.people import Within
from motcua.accounts.refusals import Refusal
from motcua.catalogue.folding import fold, nfc
from motcua.catalogue.models import Agency
from motcua.rules.instants import local_day

#: Each field with the headings that offices give it, folded.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "full_name": ("ho ten", "ho va ten", "ho va ten can bo", "ten can bo", "full name", "name"),
    "email": ("email cong vu", "thu dien tu cong vu", "email", "e-mail", "thu dien tu", "hop thu cong vu"),
    "phone": ("dien thoai", "so dien thoai", "di dong", "sdt", "phone", "so dien thoai di dong"),
    "unit": ("don vi", "co quan", "ten don vi", "ma don vi", "don vi cong tac", "co quan, don vi", "unit", "agency"),
    "role": ("vai tro", "chuc danh", "chuc vu", "quyen", "role"),
    "username": ("ten dang nhap", "tai khoan", "username", "account"),
    "national_id": ("so dinh danh", "so dinh danh ca nhan", "cccd", "so cccd", "national id"),
    "first": ("tu ngay", "ngay bat dau", "from", "first day"),
    "last": ("den ngay", "ngay ket thuc", "to", "last day"),
}
NEEDED = ("full_name", "role", "unit")
#: What offices call a role, folded; titles of the house and their codes come on top.
_CALLED: Mapping[str, str] = {
    "chuyen vien kiem soat tthc": "inspector", "kiem soat tthc": "inspector",
    "kiem soat thu tuc hanh chinh": "inspector",
    "thanh tra": "inspector", "kiem tra tu xa": "inspector", "chuyen vien van phong": "inspector",
    "lanh dao tinh": "leader", "chu tich tinh": "leader", "pho chu tich tinh": "leader", "chanh van phong": "leader",
    "quan tri ky thuat": "operator", "ky thuat": "operator", "van hanh": "operator",
    "quan tri don vi": "administrator", "quan tri": "administrator", "quan tri tai khoan": "administrator",
    "lanh dao don vi": "unit_head", "lanh dao": "unit_head", "chu tich": "unit_head", "pho chu tich": "unit_head",
    "giam doc": "unit_head", "pho giam doc": "unit_head", "truong phong": "unit_head",
    "dau moi kstt": "focal_point", "dau moi": "focal_point", "dau moi kiem soat tthc": "focal_point",
    "van thu": "seal_clerk", "cong chuc thu ly": "officer", "thu ly": "officer", "chuyen vien": "officer",
    "cong chuc chuyen mon": "officer", "cong chuc mot cua": "clerk", "mot cua": "clerk", "tiep nhan": "clerk",
    "can bo mot cua": "clerk", "tiep nhan va tra ket qua": "clerk",
}  # fmt: skip
_DAY = re.compile(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_ISO_DAY = re.compile(r"^(\d{4})-(\d{2})-(\d{2})")
_LOOKED_AT = 30  # rows among which the headings are looked for
_KEPT = timedelta(days=90)  # a list holds names and phone numbers; the accounts have what is needed
LARGEST = 5_000  # rows of a list: a province has so many officials

Line = tuple[int, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became, or would become, of a row: `new` person, `post` for a known one, `corrected`, `same`, `refused`."""

    line: int
    verdict: str
    cells: Sequence[str]
    full_name: str = ""
    email: str = ""
    role: str = ""
    unit: str = ""  # its code
    said_unit: str = ""  # as the file has it
    person: int | None = None
    column: str = ""
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def receive(*, file: str, rows: Iterable[Line], by: str, at: datetime) -> Roster:
    """Keeps the rows of a file to be looked at. Raises `Refusal`: no headings, nothing below them, too many."""
    found = [(number, [nfc(cell).strip() for cell in cells]) for number, cells in rows]
    heads = (n for n, (_, cells) in enumerate(found[:_LOOKED_AT]) if {"full_name", "role"} <= set(guess_columns(cells)))
    head = next(heads, None)
    if head is None:
        raise Refusal("roster.none", file=file)
    headings = found[head][1]
    below = [(number, cells) for number, cells in found[head + 1 :] if any(cells)]
    if not below or len(below) > LARGEST:
        raise Refusal("roster.nothing", file=file, largest=LARGEST)
    return Roster.objects.create(
        file=file[:200], by=by, given_at=at, headings=headings, rows=below, columns=guess_columns(headings)
    )


def guess_columns(headings: Sequence[str]) -> dict[str, int]:
    """Field → column: a heading that is one of the known ones, else one that begins with one."""
    folded = [re.sub(r"[*:()]|\s+$", "", fold(heading)).strip() for heading in headings]
    found: dict[str, int] = {}
    for exact in (True, False):
        for name, known in HEADINGS.items():
            for column, heading in enumerate(folded):
                fits = heading in known if exact else any(len(k) > 4 and heading.startswith(k) for k in known)
                if name not in found and column not in found.values() and fits:
                    found[name] = column
    return found


def role_of(text: str, titles: Mapping[str, str]) -> str:
    """A role from its code, its title (`titles`: folded title → code) or what offices call it; empty: unknown."""
    words = fold(text)
    if words in Post.Role.values:
        return words
    return titles.get(words) or _CALLED.get(words, "")


def day_of(text: str) -> date | None:
    """A day as lists write it; None for an empty cell. Raises `Refusal`."""
    text = text.strip()
    if not text:
        return None
    try:
        if found := _DAY.match(text):
            return date(int(found[3]), int(found[2]), int(found[1]))
        if found := _ISO_DAY.match(text):
            return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        pass
    raise Refusal("post.days")


class _People:
    """Who and which units are known already, read once for a whole list."""

    def __init__(self, wanted: Iterable[tuple[str, str]]) -> None:
        self.units = frozenset(Agency.objects.values_list("code", flat=True))
        keys = {key for pair in wanted for key in pair if key}
        by_key: dict[str, int] = {}
        for pk, name, email in User.objects.values_list("pk", "username", "email"):
            by_key.update({key.lower(): pk for key in (name, email) if key})
        self._of = {key: by_key[key] for key in keys if key in by_key}
        self._people = User.objects.prefetch_related("posts").in_bulk(set(self._of.values()))

    def find(self, email: str, name: str) -> User | None:
        """The person with this e-mail, else with this account name."""
        pk = self._of.get(email) or self._of.get(name)
        return None if pk is None else self._people[pk]


Resolve = Callable[[str], str]


def judge(roster: Roster, *, resolve: Resolve, titles: Mapping[str, str], within: Within, on: date) -> list[Told]:
    """What each row would do. `resolve`: a unit's name or code to its code, empty where nobody knows."""
    known = _People(
        (_cell(roster, cells, "email").lower(), _cell(roster, cells, "username").lower()) for _, cells in roster.rows
    )
    first_seen: dict[str, tuple[int, str]] = {}
    given: set[tuple[str, str, str]] = set()
    told = []
    for line, cells in roster.rows:
        try:
            told.append(_judge(roster, line, cells, known, first_seen, given, resolve, titles, within, on))
        except Refusal as refusal:
            told.append(
                Told(
                    line=line, verdict="refused", cells=cells, full_name=_cell(roster, cells, "full_name"),
                    email=_cell(roster, cells, "email"), said_unit=_cell(roster, cells, "unit"),
                    column=_COLUMN_OF.get(refusal.code, ""), reason=refusal.code, facts=refusal.facts,
                )
            )  # fmt: skip
    return told


#: The column in which a refusal lies.
_COLUMN_OF = {
    "account.full_name": "full_name", "account.email": "email", "account.email_taken": "email",
    "account.known": "email", "account.phone": "phone", "account.national_id": "national_id",
    "account.national_id_taken": "national_id", "account.name": "username", "account.name_taken": "username",
    "post.role": "role", "post.role_not_yours": "role", "post.unit": "unit", "post.unit_unknown": "unit",
    "post.unit_not_yours": "unit", "post.days": "first",
}  # fmt: skip


def _cell(roster: Roster, cells: Sequence[str], name: str) -> str:
    column = roster.columns.get(name)
    return cells[column].strip() if column is not None and column < len(cells) else ""


def _judge(
    roster: Roster, line: int, cells: Sequence[str], known: _People, first_seen: dict[str, tuple[int, str]],
    given: set[tuple[str, str, str]], resolve: Resolve, titles: Mapping[str, str], within: Within, on: date,
) -> Told:  # fmt: skip
    """One row. Raises `Refusal`."""
    values = {name: _cell(roster, cells, name) for name in HEADINGS}
    checked = people.details(
        full_name=values["full_name"], email=values["email"], phone=values["phone"], national_id=values["national_id"]
    )
    email, name = checked["email"], values["username"].lower()
    if not email and not name:
        raise Refusal("account.email", email="")
    key = email or name
    said = (line, fold(checked["full_name"]))
    if first_seen.setdefault(key, said)[1] != said[1]:
        raise Refusal("account.known", line=first_seen[key][0], email=key)
    role = role_of(values["role"], titles)
    if not role:
        raise Refusal("post.role", role=values["role"])
    unit = roster.units.get(values["unit"]) or (resolve(values["unit"]) if values["unit"] else "")
    if values["unit"] and not unit:
        raise Refusal("post.unit_unknown", agency=values["unit"])
    posts.may_be_given(role, unit, within=within, known=known.units)
    first, last = day_of(values["first"]), day_of(values["last"])
    if first and last and last < first:
        raise Refusal("post.days")
    person = known.find(email, name)
    verdict = "new"
    if person is not None:
        if fold(person.full_name) not in ("", fold(checked["full_name"])):
            raise Refusal("account.known", line=0, email=key, full_name=person.full_name)
        held = any(
            post.role == role and post.agency == unit and post.stands_in_for_id is None and not post.proposed
            and not (post.valid_to and post.valid_to < (first or on))
            and not (last and post.valid_from and post.valid_from > last)
            for post in person.posts.all()
        )  # fmt: skip
        verdict = "same" if held else "post"
        differs = any(
            value and getattr(person, detail) != value for detail, value in checked.items() if detail != "full_name"
        )
        if differs and not people.is_yours(person, within=within, on=on):
            raise Refusal("account.not_yours", name=person.username)
        if held and differs:
            verdict = "corrected"
    elif (key, role, unit) in given:
        verdict = "same"
    elif first_seen[key][0] != line:
        verdict = "post"
    given.add((key, role, unit))
    return Told(
        line=line, verdict=verdict, cells=cells, full_name=checked["full_name"], email=key, role=role, unit=unit,
        said_unit=values["unit"], person=person.pk if person else None,
    )  # fmt: skip


def counts(told: Sequence[Told]) -> dict[str, int]:
    """How many rows have which verdict."""
    found = dict.fromkeys(("new", "post", "corrected", "same", "refused"), 0)
    for one in told:
        found[one.verdict] += 1
    return found


@transaction.atomic
def take(
    roster: Roster, *, resolve: Resolve, titles: Mapping[str, str], within: Within, by: str, at: datetime
) -> tuple[list[Told], list[int]]:
    """Takes every row that is not refused, all or none; returns what became of each, and the new people.

    Raises `Refusal` where the list was taken before.
    """
    roster = Roster.objects.select_for_update().get(pk=roster.pk)
    if roster.taken_at is not None:
        raise Refusal("roster.taken", at=roster.taken_at)
    on = local_day(at)
    told = judge(roster, resolve=resolve, titles=titles, within=within, on=on)
    made: dict[str, User] = {}
    for one in told:
        if one.verdict in ("refused", "same"):
            continue
        values = {name: _cell(roster, one.cells, name) for name in HEADINGS}
        person = made.get(one.email) or (User.objects.get(pk=one.person) if one.person else None)
        if person is None:
            person = made[one.email] = people.add(
                full_name=values["full_name"], email=values["email"], phone=values["phone"], by=by, at=at,
                username=values["username"], national_id=values["national_id"],
            )  # fmt: skip
        elif one.person:
            _complete(person, values, by=by, at=at, within=within)
        if one.verdict != "corrected":
            first, last = day_of(values["first"]), day_of(values["last"])
            posts.give(
                person=person, role=one.role, agency=one.unit, first=first or on, last=last, by=by, at=at,
                within=within,
            )  # fmt: skip
    roster.taken_at, roster.outcome = at, {"counts": counts(told), "new": [person.pk for person in made.values()]}
    roster.save(update_fields=["taken_at", "outcome"])
    return told, [person.pk for person in made.values()]


def _complete(person: User, values: Mapping[str, str], *, by: str, at: datetime, within: Within) -> None:
    """What a list knows of a person beyond what we know; an empty cell takes nothing away."""
    kept = {name: values[name] or getattr(person, name) for name in ("full_name", "email", "phone", "national_id")}
    if any(kept[name] != getattr(person, name) for name in kept):
        people.correct(person, by=by, at=at, within=within, **kept)


def forget(*, at: datetime) -> int:
    """Removes lists that are no longer needed; returns how many."""
    return Roster.objects.filter(given_at__lt=at - _KEPT).delete()[0]
