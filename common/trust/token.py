"""The join token: all that a machine needs to become a node, in one line to paste. Good for one use, for a while."""

import base64
import binascii
import zlib
from datetime import datetime
from typing import Self

from pydantic import Field, SecretStr, ValidationError, field_serializer

from common.errors import ConfigError
from common.models import Frozen, Role
from common.values import NodeName

_PREFIX = "rcj1."
_MAX_BYTES = 64 * 1024


class JoinToken(Frozen):
    """What the control plane tells a machine that is to join. Whoever holds it, and is first, is that node."""

    url: str
    """Where the NATS server is, as the node reaches it."""
    tls: str
    """The node's setting ``nats.tls``."""
    authority: str | None
    """The certificate authority, in PEM; None when the system's are to be used."""
    node: NodeName
    role: Role
    installation: str
    public_keys: tuple[str, ...]
    """Whom the node shall believe: what snapshots are signed with."""
    zones: tuple[str, ...]
    """What the node's policy begins with."""
    issuer: str
    """The public key of the account that the node's credentials must be of."""
    id: str = Field(pattern=r"^J[0-9a-f]{16}$")
    expires: datetime
    secret: SecretStr
    jwt: SecretStr
    """The user token that lets in who asks on the subject of this `id`."""
    seed: SecretStr
    """Its key."""

    @field_serializer("secret", "jwt", "seed", when_used="json")
    def _reveal(self, value: SecretStr) -> str:
        return value.get_secret_value()

    def encode(self) -> str:
        """Return the line to paste: it is a secret as a whole."""
        return _PREFIX + base64.urlsafe_b64encode(zlib.compress(self.model_dump_json().encode(), 9)).decode().rstrip(
            "="
        )

    @classmethod
    def decode(cls, text: str) -> Self:
        """Return the token of a line.

        Raises:
            ConfigError: it is none, or was altered or cut. Nothing of it is in the message.

        """
        if not text.startswith(_PREFIX):
            raise ConfigError(f"this is no join token: one begins with {_PREFIX} and is a single line")
        try:
            return cls.model_validate_json(_unpack(text.removeprefix(_PREFIX)))
        except (ValueError, binascii.Error, zlib.error, ValidationError):
            again = "copy the whole line, as `routecast node add` prints it"
            raise ConfigError(f"the join token is damaged: {again}") from None


def _unpack(packed: str) -> bytes:
    unpacker = zlib.decompressobj()
    body = unpacker.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), _MAX_BYTES)
    if not unpacker.eof:
        raise ValueError("it is cut, or too long")
    return body
