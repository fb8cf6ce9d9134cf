"""The hash chain of a dossier: each event's hash covers its own content and the hash before it.

The canonical form is compact JSON with sorted ASCII keys over strings, integers, booleans and null, and lists of such
objects: fast, and equal to RFC 8785 there (property test). Personal fields enter as salted commitments, so that
erasing a person's data never breaks a proof.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from json.encoder import encode_basestring as _text
from typing import Any

#: What the first event of a dossier stands on.
GENESIS = bytes(32)

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: Mapping[str, Any]) -> bytes:
    """The canonical form of a JSON object."""
    return _encode(value).encode()


def commitment(field: str, value: str, salt: bytes) -> str:
    """What stands in the chain for a person's data: it proves the value to whoever knows value and salt."""
    return hashlib.sha256(salt + field.encode() + b"\0" + value.encode()).hexdigest()


def event_hash(
    previous: bytes,
    *,
    dossier: str,
    seq: int,
    kind: str,
    at: int,
    recorded_at: int,
    stored_at: int,
    actor: str,
    unit: str,
    step: str,
    body: str,
    origin: str,
) -> bytes:
    """The hash of an event. `body` is its canonical text; instants are microseconds, UTC.

    The object is written out in the order of its keys; only the texts need an encoder.
    """
    text = (
        f'{{"actor":{_text(actor)},"at":{at},"body":{body},"dossier":{_text(dossier)},"kind":"{kind}",'
        f'"origin":{_text(origin)},"previous":"{previous.hex()}","recorded_at":{recorded_at},"seq":{seq},'
        f'"step":{_text(step)},"stored_at":{stored_at},"unit":{_text(unit)}}}'
    )
    return hashlib.sha256(text.encode()).digest()
