"""The mirror's server as a process: profile and faults come by file, named in the environment."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "motcua.web.settings")
django.setup()

from motcua.mirror import catalogue, door, faults, server  # noqa: E402 (Django first)
from motcua.wire.profile import Profile, from_document  # noqa: E402


def _profile() -> Profile:
    file = os.environ.get("MOTCUA_MIRROR_PROFILE")
    return from_document(tomllib.loads(Path(file).read_text())) if file else Profile()


def _faults() -> faults.Plan:
    file = os.environ.get("MOTCUA_MIRROR_FAULTS")
    return faults.Plan.read(Path(file)) if file else faults.Plan()


catalogue.seed()
application = door.application(server.Server(_profile(), _faults()))
