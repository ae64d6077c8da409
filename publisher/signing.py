"""The keys that a publisher signs with and believes, and which of them it tells its nodes to believe. Pure.

A rotation goes: the next key is announced by the current one; when every node believes both, the next one becomes the
current; when no node believes the previous one any more, that is forgotten. Where the keys come from is
`publisher.signing_files`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from common.signing import Signer
from common.snapshot import Snapshot


class Stage(StrEnum):
    """How far a rotation has come, as the keys tell."""

    NONE = "none"
    ANNOUNCING = "announcing"
    """There is a next key: nodes are to believe it beside the current one."""
    RETIRING = "retiring"
    """The next key has become the current one: nodes are to forget the previous one."""


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The signer, and the public keys of the seeds beside it."""

    signer: Signer
    next: str | None = None
    previous: str | None = None

    @property
    def current(self) -> str:
        """The public key that belongs to the signer."""
        return self.signer.public_key

    @property
    def trusted(self) -> frozenset[str]:
        """The keys whose snapshots count as our own."""
        return frozenset(key for key in (self.current, self.next, self.previous) if key is not None)

    @property
    def stage(self) -> Stage:
        """How far the rotation has come. A previous key that is the current one is a switch that was cut short."""
        if self.next is not None:
            return Stage.ANNOUNCING
        return Stage.NONE if self.previous in (None, self.current) else Stage.RETIRING


class Signing(Protocol):
    """Where the keys of a running publisher are."""

    @property
    def keys(self) -> SigningKeys:
        """The keys as they were read last."""
        ...

    async def refresh(self) -> bool:
        """Read the keys again when they may have changed; tell whether they have."""
        ...


def keys_to_name(keys: SigningKeys, newest: Snapshot | None) -> tuple[str, ...]:
    """Return the keys that the next snapshot tells nodes to believe; none as long as no key was ever rotated.

    What a publisher with the same key has announced is repeated by one that does not see the next seed yet.
    """
    if keys.next is not None:
        return (keys.current, keys.next)
    named = newest.keys if newest is not None else ()
    if keys.stage is Stage.NONE and named[:1] == (keys.current,):
        return named
    return (keys.current,) if named or keys.stage is Stage.RETIRING else ()


def is_replaced(keys: SigningKeys, newest: Snapshot | None) -> bool:
    """Tell whether another publisher signs with a later key already, so that nodes refuse what is signed with ours."""
    named = newest.keys if newest is not None else ()
    return bool(named) and keys.current not in named and keys.previous not in named
