"""Security keys and passkeys (WebAuthn): the browser proves that a key of the person is there.

A key is bound to the host name under which it was added: under an address of numbers there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from django.db import transaction
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from motcua.accounts import factors, tries
from motcua.accounts.models import Factor, User
from motcua.accounts.refusals import Refusal

State = dict[str, Any]


def possible(host: str, *, secure: bool) -> bool:
    """Whether browsers offer keys under this host name: never for numbers, and only by TLS or on this machine."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return secure or name == "localhost" or name.endswith(".localhost")
    return False


def _server(host: str, origin: str) -> Fido2Server:
    name = host.partition(":")[0]
    return Fido2Server(PublicKeyCredentialRpEntity(name="motcua", id=name), verify_origin=lambda said: said == origin)


def _of(user: User) -> list[AttestedCredentialData]:
    keys = Factor.objects.filter(user=user, kind=Factor.Kind.KEY)
    return [AttestedCredentialData(websafe_decode(secret)) for secret in keys.values_list("secret", flat=True)]


def begin_adding(user: User, *, host: str, origin: str) -> tuple[dict[str, Any], State]:
    """What the browser is asked, and what to keep until it answers."""
    asked, state = _server(host, origin).register_begin(
        PublicKeyCredentialUserEntity(
            id=f"motcua-{user.pk}".encode(), name=user.get_username(), display_name=user.full_name or user.username
        ),
        credentials=_of(user),
        resident_key_requirement=ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return dict(asked), state


@transaction.atomic
def add(user: User, answer: Mapping[str, Any], state: State, *, host: str, origin: str, by: str, at: datetime,
        name: str = "") -> list[str]:  # fmt: skip
    """Keeps a key. Returns new recovery codes where there were none. Raises `Refusal`."""
    try:
        made = _server(host, origin).register_complete(state, answer)
    except (ValueError, KeyError, TypeError):
        raise Refusal("factor.key") from None
    assert made.credential_data is not None
    Factor.objects.create(
        user=user, kind=Factor.Kind.KEY, name=name.strip()[:64], secret=websafe_encode(made.credential_data),
        counter=made.counter, added_at=at,
    )  # fmt: skip
    return factors.added(user, "key", by=by, at=at)


def begin(user: User, *, host: str, origin: str) -> tuple[dict[str, Any], State]:
    """What the browser is asked at sign-in. Raises `Refusal` where the person has no key."""
    known = _of(user)
    if not known:
        raise Refusal("factor.none")
    asked, state = _server(host, origin).authenticate_begin(
        credentials=known, user_verification=UserVerificationRequirement.PREFERRED
    )
    return dict(asked), state


def verify(user: User, answer: Mapping[str, Any], state: State, *, host: str, origin: str, at: datetime) -> None:
    """Whether a key of the person answered. Raises `Refusal`, also where a copy of the key seems to be about."""
    tries.check(tries.SECOND, str(user.pk), at=at)
    try:
        known = _server(host, origin).authenticate_complete(state, _of(user), answer)
        counter = _counter(answer)
    except (ValueError, KeyError, TypeError):
        tries.failed(tries.SECOND, str(user.pk), at=at)
        raise Refusal("factor.key") from None
    row = Factor.objects.get(user=user, kind=Factor.Kind.KEY, secret=websafe_encode(known))
    if counter and counter <= row.counter:
        raise Refusal("factor.key")
    Factor.objects.filter(pk=row.pk).update(counter=counter, used_at=at)
    tries.succeeded(tries.SECOND, str(user.pk))


def _counter(answer: Mapping[str, Any]) -> int:
    """The signature counter: bytes 33 to 36 of the authenticator's data."""
    return int.from_bytes(websafe_decode(answer["response"]["authenticatorData"])[33:37], "big")
