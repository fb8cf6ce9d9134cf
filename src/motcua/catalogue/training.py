"""A training house: invented data, a mark on every page and paper, and nothing leaves it.

A house begins as one, before it holds anything, and stays one: real dossiers and exercises never meet.
"""

from __future__ import annotations

import errno
import ipaddress
import sys
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import Error, connections

from motcua.catalogue import settings
from motcua.ledger import cursors
from motcua.rules.instants import Unreadable, iso

#: What stands on every page and paper of a training house; in Vietnamese in every language.
MARK = "TẬP HUẤN"
_NAME = "training"
_HERE = frozenset({"localhost", "localhost.localdomain", ""})


def is_on() -> bool:
    """Whether this is a training house."""
    return settings.get(_NAME) is not None


def password() -> str:
    """The password of every account of this training house; empty where it is none."""
    told: dict[str, Any] = settings.get(_NAME) or {}
    return str(told.get("password", ""))


def begin(*, password: str, invented: bool, by: str, at: datetime) -> None:
    """Makes an empty house, or one whose data is all `invented`, a training house.

    Raises `Unreadable` for a house that holds anything else, and for one on PostgreSQL, where houses are kept for good.
    """
    if connections["default"].vendor != "sqlite":
        raise Unreadable("a training house is an embedded one: unset DATABASE_URL, set MOTCUA_HOME to an empty folder")
    if not invented and cursors.head():
        raise Unreadable(
            "this house holds dossiers of its own, so it is no place to train in: set MOTCUA_HOME to an empty folder"
        )
    settings.put(_NAME, {"since": iso(at), "password": password}, by=by, at=at)


def check(url: str) -> None:
    """Raises `Unreadable` where a training house would speak to another machine."""
    if not _is_here(urlsplit(url).hostname or "") and is_on():
        raise Unreadable(f"{url}: this is a training house, nothing leaves it; its portal is its own mirror")


def shut_if_on() -> None:
    """In a training house no connection of this process leaves this machine, whoever asks for it.

    Call it once when a process begins; before the tables are there it does nothing.
    """
    try:
        if is_on():
            sys.addaudithook(_shut)
    except Error:
        return


def _shut(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in ("socket.connect", "socket.sendto"):
        return
    address = arguments[1]
    if isinstance(address, tuple) and address and not _is_here(str(address[0])):
        raise PermissionError(errno.EACCES, f"a training house: nothing leaves for {address[0]}")


def _is_here(host: str) -> bool:
    if host.lower() in _HERE:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
