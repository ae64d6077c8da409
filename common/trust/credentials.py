"""NATS credentials files: a user's token and the seed of its key, as ``nsc`` writes them. Signatures are not verified.

What the server would refuse anyway is not looked for here, but for what a person can mend before: a file that others
can read, that is not whole, or whose two parts do not belong together.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from pydantic import SecretStr

from common.errors import ConfigError
from common.files import write_atomic
from common.trust.jwt import read_claims
from common.trust.nkeys import KeyPair, Owner

EVERYBODY = 0o007
"""The permission bits of who is neither owner nor in the group."""

_NAME = re.compile(r"[^\s*>]+")
"""What can stand in a subject: a user's answers come to one that its name is in."""
_JWT = re.compile(r"-{3,}BEGIN NATS USER JWT-{3,}\s+(\S+)\s+-{3,}END NATS USER JWT-{3,}")
_SEED = re.compile(r"-{3,}BEGIN USER NKEY SEED-{3,}\s+(\S+)\s+-{3,}END USER NKEY SEED-{3,}")

_TEXT = """\
-----BEGIN NATS USER JWT-----
{jwt}
------END NATS USER JWT------

The seed below is a secret: who has it is this user.

-----BEGIN USER NKEY SEED-----
{seed}
------END USER NKEY SEED------
"""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who somebody is on the bus, and the proof of it."""

    jwt: str = field(repr=False)
    seed: SecretStr
    name: str
    """As the control plane calls it: a node's is its own."""
    public_key: str
    account: str
    """The public key of the account that it belongs to."""
    expires: datetime | None
    """None: when it is revoked."""

    @classmethod
    def of(cls, jwt: str, seed: str) -> Self:
        """Return the credentials of a user's token and seed.

        Raises:
            ConfigError: they are not, or do not belong together. The seed is never in the message.

        """
        key = KeyPair.of(seed, Owner.USER)
        try:
            claims = read_claims(jwt)
            said = _Said.of(claims)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError):
            raise ConfigError("this is no token of a NATS user") from None
        if _NAME.fullmatch(said.name) is None:
            raise ConfigError(f"the name in the token, {said.name!r}, cannot be part of a subject")
        if said.public_key != key.public:
            raise ConfigError(f"the token is that of the key {said.public_key}, the seed that of {key.public}")
        return cls(jwt, SecretStr(seed), said.name, said.public_key, said.account, said.expires)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the credentials in the text of a credentials file.

        Raises:
            ConfigError: there are none in it. The seed is never in the message.

        """
        jwt, seed = _JWT.search(text), _SEED.search(text)
        if jwt is None or seed is None:
            raise ConfigError(f"there is no {'token' if jwt is None else 'seed'} of a NATS user in it")
        return cls.of(jwt[1], seed[1])

    @property
    def text(self) -> SecretStr:
        """The text of a credentials file."""
        return SecretStr(_TEXT.format(jwt=self.jwt, seed=self.seed.get_secret_value()))


@dataclass(frozen=True, slots=True)
class _Said:
    """What a user's token says that matters here."""

    name: str
    public_key: str
    account: str
    expires: datetime | None

    @classmethod
    def of(cls, claims: dict[str, Any]) -> Self:
        nats = claims["nats"]
        if nats["type"] != "user":
            raise ValueError("not a user's")
        account = nats.get("issuer_account") or claims["iss"]
        texts = (claims["name"], claims["sub"], account)
        if not all(isinstance(text, str) and text for text in texts):
            raise ValueError("not text")
        expires = claims.get("exp")
        return cls(*texts, None if expires is None else datetime.fromtimestamp(expires, UTC))


def read_credentials(file: Path) -> Credentials:
    """Return the credentials in a file. Blocking.

    Raises:
        ConfigError: it is missing, unreadable, readable by others, or holds none. The seed is never in the message.

    """
    text = _read(file)
    try:
        return Credentials.parse(text)
    except ConfigError as e:
        raise ConfigError(f"{file} holds no NATS credentials: {e}") from None


def _read(file: Path) -> str:
    try:
        if file.stat().st_mode & EVERYBODY:
            raise ConfigError(f"the NATS credentials {file} can be read by everybody; run: sudo chmod 600 {file}")
        return file.read_text("ascii")
    except FileNotFoundError as e:
        raise ConfigError(
            f"there are no NATS credentials {file} (nats.credentials_file): a node gets them with `sudo routecast join`"
            " and a token of `routecast node add`, the control plane with `sudo routecast init`"
        ) from e
    except OSError as e:
        raise ConfigError(f"the NATS credentials {file} cannot be read ({e.strerror}); run with sudo") from e
    except UnicodeDecodeError:
        raise ConfigError(f"{file} holds no NATS credentials: it is no text") from None


def write_credentials(file: Path, credentials: Credentials) -> None:
    """Keep credentials in a file that its owner alone can read. Blocking.

    Raises:
        OSError: they could not be written.

    """
    if file.exists():
        file.chmod(file.stat().st_mode & 0o770)  # a file that is replaced keeps its mode
    write_atomic(file, credentials.text.get_secret_value().encode("ascii"), mode=0o600)
