"""A hasher of passwords for tests: the house's own, at its least cost. What it wrote, the house's can read."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickHasher(Argon2PasswordHasher):
    time_cost, memory_cost, parallelism = 1, 8, 1
