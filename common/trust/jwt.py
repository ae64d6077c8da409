"""NATS' own JWTs (version 2): made, signed, read. Who may issue what is `publisher.trust.claims`' to know.

The form is that of github.com/nats-io/jwt: header ``{"typ":"JWT","alg":"ed25519-nkey"}``, an id that is the hash of the
claims, base64 without padding.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from common.trust.nkeys import KeyPair

_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}
_VERSION = 2


def issue(
    issuer: KeyPair, subject: str, name: str, claims: Mapping[str, Any], at: datetime, expires: datetime | None = None
) -> str:
    """Return the token in which `issuer` says `claims` of the key `subject`."""
    body: dict[str, Any] = {
        "iss": issuer.public,
        "sub": subject,
        "name": name,
        "iat": int(at.timestamp()),
        "nats": {"version": _VERSION, **claims},
    }
    if expires is not None:
        body["exp"] = int(expires.timestamp())
    digest = hashlib.new("sha512_256", orjson.dumps(body)).digest()
    body["jti"] = base64.b32encode(digest).rstrip(b"=").decode()
    signed = f"{_encode(orjson.dumps(_HEADER))}.{_encode(orjson.dumps(body))}"
    return f"{signed}.{_encode(issuer.sign(signed.encode()))}"


def read_claims(token: str) -> dict[str, Any]:
    """Return what a token says, its signature not verified: the server does that.

    Raises:
        ValueError: it is no token.

    """
    try:
        _, body, _ = token.split(".")
        claims = orjson.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, binascii.Error):
        raise ValueError("this is no NATS JWT") from None
    if not isinstance(claims, dict):
        raise ValueError("this is no NATS JWT")  # noqa: TRY004 - a wrong text, not a wrong type of ours
    return claims


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
