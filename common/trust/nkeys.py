"""NATS key pairs ("nkeys"): Ed25519 keys whose text says what they belong to (U user, A account, O operator)."""

import base64
import os
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

import nkeys

from common.errors import ConfigError

_PUBLIC_BYTES = 33  # what it belongs to, and 32 bytes of key


class Owner(Enum):
    """Whose key it is; the value is the first byte of its encoding."""

    OPERATOR = nkeys.PREFIX_BYTE_OPERATOR
    ACCOUNT = nkeys.PREFIX_BYTE_ACCOUNT
    USER = nkeys.PREFIX_BYTE_USER

    @property
    def letter(self) -> str:
        """What a public key of it begins with."""
        return self.name[0]


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key pair; the seed is the secret of it."""

    public: str
    seed: str = field(repr=False)

    @classmethod
    def new(cls, owner: Owner) -> Self:
        """Make a new one."""
        return cls.of(nkeys.encode_seed(os.urandom(32), owner.value).decode(), owner)

    @classmethod
    def of(cls, seed: str, owner: Owner) -> Self:
        """Return the pair of a seed.

        Raises:
            ConfigError: it is no seed of that owner. The seed is never in the message.

        """
        try:
            _checked(seed)  # the library does not look at a seed's checksum
            public = nkeys.from_seed(bytearray(seed.encode())).public_key.decode()
        except (nkeys.NkeysError, ValueError):
            public = ""
        if not public.startswith(owner.letter):
            raise ConfigError(f"this is no seed of a NATS {owner.name.lower()}") from None
        return cls(public, seed)

    def sign(self, message: bytes) -> bytes:
        """Return the signature of `message`."""
        return bytes(nkeys.from_seed(bytearray(self.seed.encode())).sign(message))


def is_public_key(text: str, owner: Owner) -> bool:
    """Tell whether `text` is a public key of that owner, its checksum included."""
    try:
        raw = _checked(text)
    except ValueError:
        return False
    return len(raw) == _PUBLIC_BYTES and raw[0] == owner.value


def _checked(text: str) -> bytes:
    """Return the bytes of an encoded key, without its checksum.

    Raises:
        ValueError: it is not encoded in base32, or the checksum does not hold.

    """
    raw = base64.b32decode(text + "=" * (-len(text) % 8))
    if nkeys.crc16(bytearray(raw[:-2])) != int.from_bytes(raw[-2:], "little"):
        raise ValueError("the checksum does not hold")
    return raw[:-2]
