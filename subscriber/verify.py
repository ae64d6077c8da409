"""Judge a snapshot message before anything of it is used: signature, size, schema, installation, order, keys. Pure."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import Field

from common.ack import Revision
from common.errors import Rejection, SnapshotRejected
from common.models import Frozen
from common.snapshot import Order, PublicKey, Sealed, Snapshot, open_sealed


class Brought(Frozen):
    """The keys that a snapshot has brought, which one it was, and where they come from."""

    keys: tuple[PublicKey, ...] = Field(min_length=1)
    epoch: int
    version: int
    published_at: datetime
    line: tuple[str, ...]
    """Every key that was believed on the way to these, the settings' of that time included: what they replace."""

    @property
    def since(self) -> tuple[Order, datetime]:
        """The place of that snapshot among all others, republishes included."""
        return Order(self.epoch, self.version), self.published_at


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom this node believes: the keys in its settings or what has replaced them, and its installation, once known."""

    public_keys: frozenset[str]
    """Those in the settings."""
    installation: str | None
    brought: Brought | None = None

    @property
    def replaced_by(self) -> Brought | None:
        """What has replaced the settings' keys; None when the owner has chosen others than it descends from."""
        brought = self.brought
        return brought if brought is not None and self.public_keys & {*brought.line} else None

    @property
    def keys(self) -> frozenset[str]:
        """The keys that count: the brought ones, and of the settings' those that the brought ones do not replace."""
        brought = self.replaced_by
        return self.public_keys if brought is None else (self.public_keys - {*brought.line}) | {*brought.keys}


@dataclass(frozen=True, slots=True)
class Verified:
    """A snapshot that may be applied, and its decompressed body."""

    snapshot: Snapshot
    body: bytes
    repeat: bool
    """It is the one that was accepted last."""
    brings: Brought | None = None
    """The keys to believe from now on, when they are others than so far."""


def verify(sealed: Sealed, trust: Trust, accepted: Revision | None) -> Verified:
    """Return the snapshot of a message when this node may take it after `accepted`.

    Raises:
        SnapshotRejected: it breaks a rule; for `order` the message names this node's own order.

    """
    snapshot, body = open_sealed(sealed, trust.keys)
    if trust.installation is not None and snapshot.installation != trust.installation:
        raise SnapshotRejected(
            Rejection.INSTALLATION,
            f"the snapshot is of installation {snapshot.installation}, this node belongs to {trust.installation}",
        )
    if accepted is None:
        return Verified(snapshot, body, repeat=False, brings=_brings(snapshot, trust))
    if snapshot.order < accepted.order:
        raise SnapshotRejected(
            Rejection.ORDER,
            f"the snapshot {snapshot.order} is older than {accepted.order}, which this node has accepted",
        )
    if snapshot.order == accepted.order and snapshot.digest != accepted.digest:
        raise SnapshotRejected(
            Rejection.ORDER, f"this node has accepted {accepted.order} with other content; no version has two"
        )
    return Verified(snapshot, body, snapshot.order == accepted.order, _brings(snapshot, trust))


def _brings(snapshot: Snapshot, trust: Trust) -> Brought | None:
    """Return the keys of `snapshot` when they are others than those believed so far.

    Raises:
        SnapshotRejected: it is older than the one that brought those: a replay would bring a replaced key back.

    """
    so_far = trust.replaced_by
    if not snapshot.keys or (so_far is not None and {*so_far.keys} == {*snapshot.keys}):
        return None
    if so_far is not None and (snapshot.order, snapshot.published_at) <= so_far.since:
        raise SnapshotRejected(
            Rejection.ORDER,
            f"the snapshot {snapshot.order} was published at {snapshot.published_at.isoformat()}, before the one that "
            f"brought the keys believed here ({so_far.published_at.isoformat()}), and names others",
        )
    line = {*trust.public_keys, *snapshot.keys, *(so_far.line if so_far is not None else ())}
    return Brought(
        keys=snapshot.keys,
        epoch=snapshot.epoch,
        version=snapshot.version,
        published_at=snapshot.published_at,
        line=tuple(sorted(line)),
    )
