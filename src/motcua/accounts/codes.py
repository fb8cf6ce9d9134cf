"""Codes that people type from paper, and how little of them is kept: a digest."""

from __future__ import annotations

import hashlib
import secrets

from django.utils.crypto import salted_hmac

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is read as another


def new(groups: int) -> str:
    """A random code of groups of four letters: twenty bits a group."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(groups))


def plain(code: str) -> str:
    """A code as typed, without case, spaces and dashes."""
    return "".join(letter for letter in code.upper() if letter.isalnum())


def digest(code: str) -> str:
    """What is kept of a code that is long enough to stand alone (eighty bits)."""
    return hashlib.sha256(plain(code).encode()).hexdigest()


def keyed(purpose: str, code: str) -> str:
    """What is kept of a shorter code: useless without the house's secret key."""
    return salted_hmac(f"motcua.{purpose}", plain(code), algorithm="sha256").hexdigest()
