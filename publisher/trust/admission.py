"""Make join tokens: what a machine needs to become a node, and what the registry keeps to know it again. Pure."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import SecretStr

from common.models import Registry, Role
from common.names import zone_of
from common.settings.nats import Tls
from common.trust.nkeys import KeyPair, Owner
from common.trust.token import JoinToken
from publisher.registry.invitation import Invitation, hash_of
from publisher.trust import claims
from publisher.trust.keyring import Keyring

VALID_FOR = timedelta(hours=1)
"""How long a join token is good when nobody says otherwise."""
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Terms:
    """What every machine that joins is told."""

    url: str
    """Where the NATS server is, as nodes reach it."""
    tls: Tls
    authority: str | None
    """The certificate authority, in PEM; None: those of the system."""
    installation: str
    public_keys: tuple[str, ...]
    """What snapshots are signed with."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A new join token before it is known for whom, and what the registry keeps of it."""

    invitation: Invitation
    secret: str = field(repr=False)
    pair: KeyPair
    """With which a machine asks, and nothing else."""

    def token(
        self, keys: Keyring, terms: Terms, node: tuple[str, Role], zones: tuple[str, ...], at: datetime
    ) -> JoinToken:
        """Return the join token of a node, given by name and role."""
        name, role = node
        made = self.invitation
        return JoinToken(
            url=terms.url,
            tls=terms.tls.value,
            authority=terms.authority,
            node=name,
            role=role,
            installation=terms.installation,
            public_keys=terms.public_keys,
            zones=zones,
            issuer=keys.nodes.public,
            id=made.id,
            expires=made.expires,
            secret=SecretStr(self.secret),
            jwt=SecretStr(claims.joining_user(keys, made.id, self.pair.public, at, made.expires)),
            seed=SecretStr(self.pair.seed),
        )


def new_ticket(at: datetime, valid_for: timedelta = VALID_FOR) -> Ticket:
    """Make a token's secrets, good from `at` on."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    expires = (at + valid_for).replace(microsecond=0)
    return Ticket(Invitation(f"J{secrets.token_hex(8)}", hash_of(secret), expires), secret, KeyPair.new(Owner.USER))


def zones_for(role: Role, registry: Registry) -> tuple[str, ...]:
    """Return the zones that a node's policy begins with: the cluster's, and for who serves public names all domains."""
    zone = zone_of(registry.cluster)
    own = () if zone is None else (zone,)
    return (*own, *sorted(registry.domains)) if role is Role.VPS else own
