"""The six digits of an authenticator app: RFC 6238 with its defaults (SHA-1, thirty seconds)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote

STEP_S, DIGITS = 30, 6
_SLACK = 1  # steps that a phone's clock may be off either way


def new_seed() -> str:
    """A seed of 160 bits, in base32 as apps read it."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def step_of(at: datetime) -> int:
    """The time step of an instant."""
    return int(at.timestamp()) // STEP_S


def code(seed: str, step: int) -> str:
    """The digits of a time step (RFC 4226 §5.3)."""
    digest = hmac.new(base64.b32decode(seed), step.to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 0xF
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(seed: str, given: str, *, at: datetime, after: int = 0) -> int | None:
    """The time step whose digits were given, newer than `after` (digits work once); None: none."""
    now = step_of(at)
    for step in range(now - _SLACK, now + _SLACK + 1):
        if step > after and hmac.compare_digest(code(seed, step), given):
            return step
    return None


def address(seed: str, *, account: str, issuer: str) -> str:
    """What the QR code holds that an app reads."""
    return f"otpauth://totp/{quote(f'{issuer}:{account}')}?secret={seed}&issuer={quote(issuer)}"
