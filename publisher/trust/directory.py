"""The control plane's trust directory and the NATS server's: made once, read ever after.

Blocking: call it from a thread.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from common.errors import ConfigError
from common.files import write_atomic
from common.trust.credentials import Credentials, write_credentials
from common.trust.nkeys import KeyPair, Owner
from publisher.trust import claims, server
from publisher.trust.certificates import Issued, make_authority, make_server
from publisher.trust.keyring import FILE as KEYRING
from publisher.trust.keyring import Keyring

AUTHORITY, AUTHORITY_KEY = "ca.crt", "ca.key"
USERS: dict[str, Callable[[Keyring, str, datetime], str]] = {
    claims.PUBLISHER: claims.publisher_user,
    claims.OPERATOR: claims.operator_user,
    claims.SYSTEM: claims.system_user,
}


@dataclass(frozen=True, slots=True)
class Brought:
    """A certificate that the owner brings, by paths: of a server, its key, and of the authority nodes shall trust."""

    certificate: Path
    key: Path
    authority: Path | None
    """None: one that every system trusts."""


@dataclass(frozen=True, slots=True)
class TrustDirectory:
    """Where the control plane keeps its keys (`path`), and where the NATS server finds what it needs (`server`)."""

    path: Path
    server: Path

    @property
    def authority(self) -> Path:
        """The certificate that nodes trust; absent when the owner brought one that every system trusts."""
        return self.path / AUTHORITY

    def credentials(self, user: str) -> Path:
        """Return where the credentials of a user that is no node are."""
        return self.path / f"{user}.creds"

    def make(
        self, hosts: Sequence[str], at: datetime, *, accounts: Path = Path("/data/jwt"), brought: Brought | None = None
    ) -> list[Path]:
        """Make what is missing, and return that; what is there stays, byte for byte.

        `hosts` are the names and addresses under which clients reach the server.

        Raises:
            ConfigError: what is there is damaged, or what was brought cannot be used.
            OSError: something could not be written.

        """
        made: list[Path] = []

        def put(path: Path, content: bytes | str, mode: int) -> None:
            if not path.exists():
                write_atomic(path, content.encode() if isinstance(content, str) else content, mode=mode)
                made.append(path)

        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.server.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self.path / KEYRING).exists():
            Keyring.new().write(self.path)
            made.append(self.path / KEYRING)
        keys = Keyring.read(self.path)
        for user, token in USERS.items():
            if not self.credentials(user).exists():
                pair = KeyPair.new(Owner.USER)
                write_credentials(self.credentials(user), Credentials.of(token(keys, pair.public, at), pair.seed))
                made.append(self.credentials(user))
        put(self.server / server.FILE, server.access_conf(keys, at, directory=self.server, accounts=accounts), 0o644)
        if not (self.server / server.CERTIFICATE).exists():
            issued, authority = self._issue(hosts, at, brought, put)
            put(self.server / server.KEY, issued.key, 0o600)
            put(self.server / server.CERTIFICATE, issued.certificate, 0o644)
            if authority is not None:
                put(self.authority, authority, 0o644)
        return made

    def renew(self, hosts: Sequence[str], at: datetime) -> list[Path]:
        """Make the server's certificate anew, by our own authority.

        Raises:
            ConfigError: the authority is not ours.
            OSError: something could not be written.

        """
        issued = make_server(self._own_authority(), hosts, at)
        write_atomic(self.server / server.KEY, issued.key, mode=0o600)
        write_atomic(self.server / server.CERTIFICATE, issued.certificate)
        return [self.server / server.KEY, self.server / server.CERTIFICATE]

    def _issue(
        self, hosts: Sequence[str], at: datetime, brought: Brought | None, put: Callable[[Path, bytes, int], None]
    ) -> tuple[Issued, bytes | None]:
        if brought is not None:
            try:
                authority = brought.authority.read_bytes() if brought.authority is not None else None
                return Issued(brought.certificate.read_bytes(), brought.key.read_bytes()), authority
            except OSError as e:
                raise ConfigError(f"{e.filename} cannot be read: {e.strerror}") from e
        if not (self.path / AUTHORITY_KEY).exists():
            authority_made = make_authority(at)
            put(self.path / AUTHORITY_KEY, authority_made.key, 0o600)
            put(self.authority, authority_made.certificate, 0o644)
        own = self._own_authority()
        return make_server(own, hosts, at), own.certificate

    def _own_authority(self) -> Issued:
        try:
            return Issued(self.authority.read_bytes(), (self.path / AUTHORITY_KEY).read_bytes())
        except OSError as e:
            raise ConfigError(f"there is no certificate authority of ours in {self.path}: {e.strerror}") from e
