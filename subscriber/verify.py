"""Judge a snapshot message before anything of it is used: signature, size, schema, installation, order. Pure."""

from dataclasses import dataclass

from common.ack import Revision
from common.errors import Rejection, SnapshotRejected
from common.snapshot import Sealed, Snapshot, open_sealed


@dataclass(frozen=True, slots=True)
class Trust:
    """Whom this node believes: keys, and the installation once it is known."""

    public_keys: frozenset[str]
    installation: str | None


@dataclass(frozen=True, slots=True)
class Verified:
    """A snapshot that may be applied, and its decompressed body."""

    snapshot: Snapshot
    body: bytes
    repeat: bool
    """It is the one that was accepted last."""


def verify(sealed: Sealed, trust: Trust, accepted: Revision | None) -> Verified:
    """Return the snapshot of a message when this node may take it after `accepted`.

    Raises:
        SnapshotRejected: it breaks a rule; for `order` the message names this node's own order.

    """
    snapshot, body = open_sealed(sealed, trust.public_keys)
    if trust.installation is not None and snapshot.installation != trust.installation:
        raise SnapshotRejected(
            Rejection.INSTALLATION,
            f"the snapshot is of installation {snapshot.installation}, this node belongs to {trust.installation}",
        )
    if accepted is None:
        return Verified(snapshot, body, repeat=False)
    if snapshot.order < accepted.order:
        raise SnapshotRejected(
            Rejection.ORDER,
            f"the snapshot {snapshot.order} is older than {accepted.order}, which this node has accepted",
        )
    if snapshot.order == accepted.order and snapshot.digest != accepted.digest:
        raise SnapshotRejected(
            Rejection.ORDER, f"this node has accepted {accepted.order} with other content; no version has two"
        )
    return Verified(snapshot, body, repeat=snapshot.order == accepted.order)
