"""Which passwords are good enough. Long is what helps; changing them by the calendar does not."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator

from motcua.accounts.refusals import Refusal
from motcua.catalogue.folding import fold

SHORTEST, LONGEST = 10, 128
_PART = 5  # letters of a name that a password may not be made of
_REST = 6  # signs that a password has beside them


def check(password: str, *, person: Any = None) -> None:
    """Raises `Refusal`: too short, known to everybody, digits alone, or made of the person's own names."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Refusal("password.short", shortest=SHORTEST)
    if password.isdecimal():
        raise Refusal("password.digits")
    if password.casefold().strip() in CommonPasswordValidator().passwords or len(set(password)) < 4:
        raise Refusal("password.common")
    if person is not None and _is_theirs(password, person):
        raise Refusal("password.yours")


def _is_theirs(password: str, person: Any) -> bool:
    """Whether little is left of the password without the person's names."""
    rest = fold(password).replace(" ", "")
    names = (person.get_username(), person.email.partition("@")[0], person.full_name.replace(" ", ""), person.phone)
    for name in names:
        folded = fold(name)
        if len(folded) >= _PART:
            rest = rest.replace(folded, "")
    return len(rest) < _REST
