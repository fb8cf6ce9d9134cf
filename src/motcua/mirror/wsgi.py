"""The mirror's server as a process: profile and faults come by file, named in the environment."""

from __future__ import annotations

import os
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "motcua.web.settings")
django.setup()

from motcua.mirror import catalogue, door, faults, profiles, server  # noqa: E402 (Django first)


def _faults() -> faults.Plan:
    file = os.environ.get("MOTCUA_MIRROR_FAULTS")
    return faults.Plan.read(Path(file)) if file else faults.Plan()


catalogue.seed()
application = door.application(server.Server(profiles.current(), _faults()))
