"""Sign-on by OpenID Connect: the national VNConnect or a province's own. Off without its file.

Authorisation code with PKCE, state and nonce. Who comes back is joined to an account by the national id alone, never
by e-mail: an address can be given to the next person, the id cannot. Officials are not registered by themselves: the
account must exist. Endpoints that the file does not name are read from the provider's discovery document.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx2 as httpx
import jwt
from django.db import transaction

from motcua.accounts.models import User
from motcua.catalogue import training
from motcua.ledger import audit
from motcua.rules.instants import Unreadable

_TIMEOUT_S = 10
_LEEWAY_S = 120  # clocks of two houses
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384")
#: The claims in which a provider may give the national id: VNConnect's own name first (contract §3.10).
CLAIM = "SoDinhDanh"


class Denied(Exception):
    """Nobody is signed in: a code (`stranger`, `unknown`, `locked`, `cancelled`, `stale`, `provider`) and why."""

    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(code, why)
        self.code, self.why = code, why


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who vouches for people, and how we ask."""

    issuer: str
    client_id: str
    secret: str = field(default="", repr=False)
    title: str = "VNConnect"
    scope: str = "openid"
    acr_values: str = ""
    claim: str = CLAIM
    second_factor: bool = False  # whether who comes from there has shown a second factor there
    endpoints: Mapping[str, str] = field(default_factory=dict)  # authorize, token, userinfo, jwks


def provider() -> Provider | None:
    """The provider that the house's file names; None: no sign-on, as in a training house.

    Raises `Unreadable` naming the file.
    """
    named = os.environ.get("MOTCUA_SIGN_ON")
    if not named or training.is_on():
        return None
    return read(Path(named))


def read(file: Path) -> Provider:
    """A provider from its TOML file. Raises `Unreadable` naming what is wrong there."""
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unreadable(f"{file}: cannot be read: {error}") from None
    known = {"issuer", "client_id", "secret_file", "title", "scope", "acr_values", "claim", "second_factor",
             "endpoints"}  # fmt: skip
    if unknown := sorted(set(told) - known):
        raise Unreadable(f"{file}: {unknown[0]} is none of {', '.join(sorted(known))}")
    for name in ("issuer", "client_id"):
        if not isinstance(told.get(name), str) or not told[name]:
            raise Unreadable(f"{file}: {name} is missing")
    endpoints = told.pop("endpoints", {})
    for address in (told["issuer"], *endpoints.values()):
        parts = urlsplit(str(address))
        here = parts.hostname in ("127.0.0.1", "localhost", "::1")
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and here)):
            raise Unreadable(f"{file}: {address} is not an https address")
    secret = ""
    if named := told.pop("secret_file", ""):
        try:
            secret = (file.parent / named).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Unreadable(f"{file}: secret_file {named} cannot be read: {error.strerror}") from None
    return Provider(secret=secret, endpoints=endpoints, **told)


def _endpoints(provider: Provider, client: httpx.Client) -> Mapping[str, str]:
    names = {"authorize": "authorization_endpoint", "token": "token_endpoint", "userinfo": "userinfo_endpoint",
             "jwks": "jwks_uri"}  # fmt: skip
    if set(provider.endpoints) >= set(names):
        return provider.endpoints
    told = _json(client.get(provider.issuer.rstrip("/") + "/.well-known/openid-configuration"))
    if told.get("issuer") != provider.issuer:
        raise Denied("provider", "the discovery document is of another issuer")
    return {name: told[key] for name, key in names.items()} | dict(provider.endpoints)


def _json(reply: httpx.Response) -> dict[str, Any]:
    if reply.status_code != 200:
        raise Denied("provider", f"{reply.request.url.path} answered {reply.status_code}")
    told = reply.json()
    if not isinstance(told, dict):
        raise Denied("provider", f"{reply.request.url.path} answered no object")
    return told


def _client() -> httpx.Client:
    return httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False)


def begin(provider: Provider, *, back: str) -> tuple[str, dict[str, str]]:
    """The address to send the browser to, and what to keep in the session. Raises `Denied`."""
    kept = {"state": secrets.token_urlsafe(24), "nonce": secrets.token_urlsafe(24),
            "verifier": secrets.token_urlsafe(48), "back": back}  # fmt: skip
    digest = hashlib.sha256(kept["verifier"].encode()).digest()
    asked = {
        "response_type": "code", "client_id": provider.client_id, "redirect_uri": back, "scope": provider.scope,
        "state": kept["state"], "nonce": kept["nonce"], "code_challenge_method": "S256",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
    }  # fmt: skip
    if provider.acr_values:
        asked["acr_values"] = provider.acr_values
    with _asking(), _client() as client:
        start = _endpoints(provider, client)["authorize"]
    return f"{start}{'&' if '?' in start else '?'}{urlencode(asked)}", kept


class _asking:
    """What the world can do wrong, said as `Denied`."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, httpx.HTTPError | json.JSONDecodeError | KeyError):
            raise Denied("provider", f"{type(error).__name__}: {error}") from error


def finish(provider: Provider, answer: Mapping[str, str], kept: Mapping[str, str] | None, *, at: datetime) -> User:
    """The account of who came back. Raises `Denied`."""
    if not kept or not secrets.compare_digest(answer.get("state", ""), kept["state"]):
        raise Denied("stale")
    if answer.get("error"):
        raise Denied("cancelled", answer["error"])
    with _asking(), _client() as client:
        claims = _claims(provider, answer.get("code", ""), kept, client)
    return account(provider, claims, at=at)


def _claims(provider: Provider, code: str, kept: Mapping[str, str], client: httpx.Client) -> dict[str, Any]:
    """What the provider says of the person: the signed token checked, the rest by bearer."""
    endpoints = _endpoints(provider, client)
    asked = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": kept["back"],
        "client_id": provider.client_id, "client_secret": provider.secret, "code_verifier": kept["verifier"],
    }  # fmt: skip
    tokens = _json(client.post(endpoints["token"], data=asked))
    signed = _checked(provider, str(tokens["id_token"]), _json(client.get(endpoints["jwks"])), nonce=kept["nonce"])
    reply = client.get(endpoints["userinfo"], headers={"Authorization": f"Bearer {tokens['access_token']}"})
    told = _json(reply)
    if told.get("sub") != signed["sub"]:
        raise Denied("provider", "userinfo is of another person than the token")
    return {**signed, **told}


def _checked(provider: Provider, token: str, keys: Mapping[str, Any], *, nonce: str) -> dict[str, Any]:
    """The claims of an ID token: signature, issuer, audience, times and nonce are right."""
    try:
        head = jwt.get_unverified_header(token)
        if head.get("alg") not in _ALGORITHMS:
            raise Denied("provider", f"the token is signed by {head.get('alg')}")
        known = jwt.PyJWKSet.from_dict(dict(keys)).keys
        fitting = [key for key in known if key.key_id == head.get("kid")] or (known if len(known) == 1 else [])
        if not fitting:
            raise Denied("provider", "the token is signed by an unknown key")
        claims: dict[str, Any] = jwt.decode(
            token, fitting[0], algorithms=[head["alg"]], audience=provider.client_id, issuer=provider.issuer,
            leeway=_LEEWAY_S, options={"require": ["exp", "iat", "sub", "aud", "iss"]},
        )  # fmt: skip
    except jwt.PyJWTError as error:
        raise Denied("provider", f"the token is not good: {error}") from None
    if not secrets.compare_digest(str(claims.get("nonce", "")), nonce):
        raise Denied("provider", "the token is of another sign-on")
    return claims


def account(provider: Provider, claims: Mapping[str, Any], *, at: datetime) -> User:
    """The account of a person by the national id. Raises `Denied`."""
    number = "".join(sign for sign in str(claims.get(provider.claim) or "") if sign.isdigit())
    if not number:
        raise Denied("stranger", f"the provider gave no {provider.claim}")
    person = User.objects.filter(national_id=number).first()
    if person is None:
        raise Denied("unknown")
    if not person.is_active:
        raise Denied("locked")
    if person.activated_at is None:
        with transaction.atomic():
            person.activated_at = at
            person.save(update_fields=["activated_at"])
            audit.record(
                at=at, actor=person.username, table="accounts_user", key=person.username, before=None,
                after={"activated": "by sign-on"},
            )  # fmt: skip
    return person
