"""A provider of sign-on over real HTTP: discovery, codes bound to PKCE, signed tokens, userinfo; faults on demand."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.served import served

CLIENT, SECRET = "motcua", "bi-mat-cua-motcua"


@dataclass
class Provider:
    """Who signs on is `person` (claims as the national portal gives them); `fault` says what it does wrong."""

    person: dict[str, Any]
    issuer: str = ""
    fault: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    key: Any = field(default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048))
    other_key: Any = field(default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048))

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        length = int(environ.get("CONTENT_LENGTH") or 0)
        form = {name: values[0] for name, values in parse_qs(environ["wsgi.input"].read(length).decode()).items()}
        bearer = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        status, head, body = self._answer(environ["PATH_INFO"], query, form, bearer)
        start(status, head)
        return [body]

    def _answer(
        self, path: str, query: dict[str, str], form: dict[str, str], bearer: str
    ) -> tuple[str, list[tuple[str, str]], bytes]:
        match path:
            case "/.well-known/openid-configuration":
                return _json({
                    "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
                    "token_endpoint": f"{self.issuer}/token", "userinfo_endpoint": f"{self.issuer}/userinfo",
                    "jwks_uri": f"{self.issuer}/jwks",
                })  # fmt: skip
            case "/authorize":
                self.asked.append(query)
                code = secrets.token_urlsafe(16)
                self.codes[code] = query
                back = {"state": "khac" if self.fault == "state" else query["state"], "code": code}
                if self.fault == "cancelled":
                    back = {"state": query["state"], "error": "access_denied"}
                return "302 Found", [("Location", f"{query['redirect_uri']}?{urlencode(back)}")], b""
            case "/token":
                return self._token(form)
            case "/userinfo":
                if bearer not in self.tokens:
                    return "401 Unauthorized", [], b""
                told = {**self.person, **({"sub": "nguoi-khac"} if self.fault == "userinfo" else {})}
                return _json(told)
            case "/jwks":
                made = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
                return _json({"keys": [{**made, "kid": "k1", "use": "sig", "alg": "RS256"}]})
        return "404 Not Found", [], b""

    def _token(self, form: dict[str, str]) -> tuple[str, list[tuple[str, str]], bytes]:
        asked = self.codes.pop(form.get("code", ""), None)  # a code works once
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        good = asked is not None and asked["code_challenge"] == challenge.rstrip(b"=").decode()
        if not good or (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return "400 Bad Request", [], b'{"error": "invalid_grant"}'
        assert asked is not None
        now = datetime.now(UTC)
        claims = {
            "iss": "https://khac.example" if self.fault == "issuer" else self.issuer,
            "aud": "phan-mem-khac" if self.fault == "audience" else CLIENT,
            "sub": self.person["sub"], "iat": now,
            "exp": now - timedelta(hours=1) if self.fault == "expired" else now + timedelta(minutes=5),
            "nonce": "cu" if self.fault == "nonce" else asked["nonce"],
        }  # fmt: skip
        signer = self.other_key if self.fault == "signature" else self.key
        token = jwt.encode(claims, signer, algorithm="RS256", headers={"kid": "k1"})
        if self.fault == "unsigned":
            token = jwt.encode(claims, None, algorithm="none")
        access = secrets.token_urlsafe(16)
        self.tokens.add(access)
        return _json({"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": token})


def _json(document: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
    return "200 OK", [("Content-Type", "application/json")], json.dumps(document).encode()


@contextmanager
def running(**person: Any) -> Iterator[Provider]:
    """The provider on a port of its own, for as long as the block runs."""
    provider = Provider({"sub": "tech-0001", "TechID": "tech-0001", "LoaiTaiKhoan": "1", **person})
    with served(provider) as address:
        provider.issuer = address
        yield provider
