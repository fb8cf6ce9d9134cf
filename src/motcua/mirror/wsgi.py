"""The mirror's server as a process: profile and faults come by file, named in the environment."""

from __future__ import annotations

import os
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "motcua.web.settings")
django.setup()

from motcua.catalogue import training  # noqa: E402 (Django first)
from motcua.mirror import catalogue, door, faults, gateway, profiles, reading, server  # noqa: E402 (Django first)
from motcua.mirror.clock import MovableClock  # noqa: E402


def _faults() -> faults.Plan:
    file = os.environ.get("MOTCUA_MIRROR_FAULTS")
    return faults.Plan.read(Path(file)) if file else faults.Plan()


training.shut_if_on()
profile = profiles.current()
clock = MovableClock()
if profile.forward_to:
    application = reading.before_the_portal(server.Server(profile), clock)
else:
    catalogue.seed()
    # The demo's gateway has a known secret: like the demo profile, it answers on this machine only.
    payments = gateway.Door(gateway.named()) if profile.loopback_only or "MOTCUA_GATEWAY" in os.environ else None
    application = door.application(server.Server(profile, _faults()), clock, payments)
