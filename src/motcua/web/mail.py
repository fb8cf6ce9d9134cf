"""The server that sends the house's e-mail, from the environment; without it nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Server:
    """Where e-mail is handed in. `starttls`: begun in the clear, then encrypted; `tls`: encrypted from the start."""

    host: str = "localhost"
    port: int = 25
    starttls: bool = False
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)


def configuration(environment: Mapping[str, str]) -> tuple[str, Server]:
    """The sender's address (empty: no e-mail) and the server, from MOTCUA_SMTP (`smtp://user@host:587`; `smtps://` is
    encrypted from the start, `smtp+plain://` never), MOTCUA_SMTP_PASSWORD_FILE and MOTCUA_MAIL_FROM.

    Raises `ValueError` naming what is wrong.
    """
    address = environment.get("MOTCUA_SMTP", "")
    if not address:
        return "", Server()
    parts = urlsplit(address)
    if parts.scheme not in ("smtp", "smtps", "smtp+plain") or not parts.hostname:
        raise ValueError(f"MOTCUA_SMTP: {address!r} is not like smtp://user@host:587")
    sender = environment.get("MOTCUA_MAIL_FROM") or unquote(parts.username or "")
    if "@" not in sender:
        raise ValueError("MOTCUA_MAIL_FROM: the address from which e-mail is sent is missing")
    named = environment.get("MOTCUA_SMTP_PASSWORD_FILE", "")
    try:
        password = Path(named).read_text(encoding="utf-8").strip() if named else ""
    except OSError as error:
        raise ValueError(f"MOTCUA_SMTP_PASSWORD_FILE: {named} cannot be read: {error.strerror}") from None
    tls, plain = parts.scheme == "smtps", parts.scheme == "smtp+plain"
    port = parts.port or (465 if tls else 25 if plain else 587)
    return sender, Server(parts.hostname, port, not tls and not plain, tls, unquote(parts.username or ""), password)
