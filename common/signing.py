"""Ed25519 signatures over the exact bytes of a body as sent (RFC 8032).

Seeds and public keys are written as WireGuard writes its keys: 32 bytes in base64. A seed is made by
``head -c 32 /dev/urandom | base64``. Knows nothing of what it signs.
"""

import base64
import binascii
from pathlib import Path

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from common.errors import ConfigError

_KEY_SIZE = 32


class Signer:
    """Sign bodies with one seed."""

    def __init__(self, seed: bytes) -> None:
        self._key = SigningKey(seed)
        self.public_key: str = base64.b64encode(bytes(self._key.verify_key)).decode()

    def sign(self, body: bytes) -> str:
        """Return the signature of `body` in base64."""
        return base64.b64encode(self._key.sign(body).signature).decode()


def verify(public_key: str, body: bytes, signature: str) -> bool:
    """Tell whether `signature` (base64) is that of `body` by the owner of `public_key` (base64)."""
    try:
        VerifyKey(_decode_key(public_key)).verify(body, base64.b64decode(signature, validate=True))
    except (BadSignatureError, ValueError):  # ValueError: not base64, or not the length of a key or signature
        return False
    return True


def read_seed(path: Path) -> Signer:
    """Return the signer of the seed in a file.

    Raises:
        ConfigError: the file is missing, unreadable, readable by others, or no seed. The seed is never in the message.

    """
    try:
        if path.stat().st_mode & 0o007:
            raise ConfigError(f"the signing seed {path} can be read by everybody; run: chmod 600 {path}")
        return Signer(_decode_key(path.read_text("ascii").strip()))
    except FileNotFoundError as e:
        raise ConfigError(
            f"there is no signing seed {path}; make one with: (umask 077; head -c 32 /dev/urandom | base64 > {path})"
        ) from e
    except OSError as e:
        raise ConfigError(
            f"the signing seed {path} cannot be read ({e.strerror}); run as its owner, or with sudo"
        ) from e
    except ValueError as e:
        raise ConfigError(f"{path} holds no signing seed: expected 32 bytes in base64 on one line") from e


def check_public_key(text: str) -> str:
    """Return `text` when it is a public key.

    Raises:
        ValueError: it is not 32 bytes in base64.

    """
    try:
        _decode_key(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a public key: expected 32 bytes in base64") from None
    return text


def _decode_key(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as e:
        raise ValueError(str(e)) from e
    if len(raw) != _KEY_SIZE:
        raise ValueError(f"{len(raw)} bytes instead of {_KEY_SIZE}")
    return raw
