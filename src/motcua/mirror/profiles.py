"""Which portal we deal with: the profile that MOTCUA_MIRROR_PROFILE names, else the demo's."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

from motcua.rules.instants import Unreadable
from motcua.wire.profile import Profile, from_document


def current() -> Profile:
    """The portal's profile. Raises `Unreadable`, naming the file."""
    file = os.environ.get("MOTCUA_MIRROR_PROFILE")
    return read(Path(file)) if file else Profile()


def read(path: Path) -> Profile:
    """The profile in a TOML file. Raises `Unreadable`, naming the file and the switch."""
    try:
        return from_document(tomllib.loads(path.read_text()))
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, Unreadable) as error:
        raise Unreadable(f"{path}: {error}") from None
