"""What the registry keeps of a join token: enough to know it again, nothing that lets anybody in. Pure."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

from common.trust.nkeys import Owner, is_public_key

JOIN, KEY = "join", "key"
"""The fields of a node's entry: of one that was invited, and of one that has joined. Neither travels in a snapshot."""

_ID, _SECRET, _EXPIRES = "id", "secret_sha256", "expires"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A node's field ``join``."""

    id: str
    secret_sha256: str = field(repr=False)
    expires: datetime

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Self | None:
        """Return the invitation of a node's entry, None when it has none that can be read."""
        written = entry.get(JOIN)
        if not isinstance(written, dict):
            return None
        texts = [text for name in (_ID, _SECRET, _EXPIRES) if isinstance(text := written.get(name), str)]
        try:
            token_id, secret, until = texts
            expires = datetime.fromisoformat(until)
        except ValueError:
            return None
        if not secret.isascii():  # it could not be compared
            return None
        return cls(token_id, secret, expires if expires.tzinfo else expires.replace(tzinfo=UTC))

    def entry(self) -> dict[str, str]:
        """Return it as it is written."""
        return {_ID: self.id, _SECRET: self.secret_sha256, _EXPIRES: f"{self.expires:%Y-%m-%dT%H:%M:%SZ}"}

    def is_for(self, secret: str) -> bool:
        """Tell whether `secret` is the token's, in a time that tells nothing of how much of it is right."""
        return hmac.compare_digest(hash_of(secret), self.secret_sha256)


def hash_of(secret: str) -> str:
    """Return what is kept of a token's secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def key_of(entry: Mapping[str, Any]) -> str | None:
    """Return the public key of a node that has joined, None when there is none, or what is written is none."""
    key = entry.get(KEY)
    return key if isinstance(key, str) and is_public_key(key, Owner.USER) else None


def shown(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry as people and the record of edits may see it: of an invitation its end, never its hash."""
    if JOIN not in entry:
        return dict(entry)
    found = Invitation.of(entry)
    text = "cannot be read" if found is None else f"{found.id}, until {found.expires:%Y-%m-%d %H:%M:%SZ}"
    return {**entry, JOIN: text}
