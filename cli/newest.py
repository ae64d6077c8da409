"""Read snapshots without trusting them: the command line has no public keys.

A message is checked only against the key that it names itself, and its digest against its content. That finds bytes
that were changed or cut, not a forger with a key of his own: who can write into the stream can have us show what he
likes. Nodes are not fooled, they take only what a key from their settings signed, and `nodes` shows how they judged.
"""

from dataclasses import dataclass

from common.ack import Revision
from common.bus import Bus
from common.errors import NothingToShow, SnapshotRejected
from common.snapshot import Sealed, Snapshot, open_sealed
from common.streams import Stored, read_newest, read_newest_history
from common.sync_state import Latest

_KEY = "Routecast-Key"


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest message in ``REGISTRY`` and what could be made of it.

    When it cannot be read, `fault` says why and `snapshot` is the newest version of the history, if there is one.
    """

    stored: Stored
    snapshot: Snapshot | None
    fault: str | None = None

    @property
    def latest(self) -> Latest | None:
        """What nodes are judged against."""
        return None if self.snapshot is None else Latest(Revision.of(self.snapshot), self.stored.seq)


def open_untrusted(sealed: Sealed) -> Snapshot:
    """Return the snapshot of a message, checked only against the key that it names itself.

    Raises:
        SnapshotRejected: not signed by that key, or not to be decoded.

    """
    return open_sealed(sealed, frozenset({key_of(sealed) or ""}))[0]


def key_of(sealed: Sealed) -> str | None:
    """Return the public key that a message says it is signed with."""
    return sealed.headers.get(_KEY)


async def read_newest_untrusted(bus: Bus) -> Newest | None:
    """Return the newest message and its snapshot, None when nothing was ever published."""
    stored = await read_newest(bus)
    if stored is None:
        return None
    try:
        return Newest(stored, open_untrusted(stored.sealed))
    except SnapshotRejected as e:
        fault = f"the newest message in the stream (sequence {stored.seq}) cannot be read: {e}"
        return Newest(stored, await _newest_of_history(bus), fault)


async def _newest_of_history(bus: Bus) -> Snapshot | None:
    kept = await read_newest_history(bus)
    try:
        return open_untrusted(kept.sealed) if kept is not None else None
    except SnapshotRejected:
        return None


def nothing_published() -> NothingToShow:
    """Return the error for an empty stream."""
    return NothingToShow(
        "nothing was published yet: start `routecast publisher run`, or see with `routecast problems` what it waits for"
    )
