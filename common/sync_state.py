"""Judge how a node stands against the newest snapshot. Pure; used by `routecast nodes` and by the metrics."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from common.ack import NodeAck, Revision, State
from common.streams import ConsumerState

BUSY_FOR = timedelta(seconds=60)
"""A node that holds a message is taken to be at work on it for this long: the durable's ``ack_wait``."""


class SyncState(StrEnum):
    """How a node stands, the worst first."""

    REJECTED = "rejected"
    FAILED = "failed"
    DUPLICATE = "duplicate"
    DRIFTED = "drifted"
    LAGGING = "lagging"
    NEVER = "never"
    OFFLINE = "offline"
    SYNCED = "synced"

    @property
    def badness(self) -> int:
        """Sort key: 0 is the worst."""
        return list(SyncState).index(self)


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest snapshot in the stream."""

    revision: Revision
    seq: int


_OF_STATE = {
    State.REJECTED: SyncState.REJECTED,
    State.FAILED: SyncState.FAILED,
    State.DRIFTED: SyncState.DRIFTED,
}


def is_online(consumer: ConsumerState | None, now: datetime) -> bool:
    """Tell whether a node is there: it has a pull request parked, or holds a message since less than `BUSY_FOR`."""
    if consumer is None:
        return False
    if consumer.num_waiting > 0:
        return True
    return consumer.num_ack_pending > 0 and consumer.last_active is not None and now - consumer.last_active < BUSY_FOR


def sync_state(latest: Latest | None, ack: NodeAck | None, consumer: ConsumerState | None, now: datetime) -> SyncState:
    """Return how a node stands: what the server says of its consumer, then its own newest ack record."""
    if consumer is not None and consumer.num_waiting > 1:
        return SyncState.DUPLICATE
    if not is_online(consumer, now):
        return SyncState.NEVER if ack is None else SyncState.OFFLINE
    if ack is None:
        return SyncState.LAGGING
    if latest is None or _is_about(ack, latest):
        return _OF_STATE.get(ack.state, SyncState.SYNCED if _runs(ack, latest) else SyncState.LAGGING)
    return SyncState.LAGGING


def versions_behind(latest: Latest | None, ack: NodeAck | None) -> int | None:
    """Return how many versions a node is behind, None when that is no number: nothing applied, or another epoch."""
    if latest is None or ack is None or ack.applied is None or ack.applied.epoch != latest.revision.epoch:
        return None
    return max(0, latest.revision.version - ack.applied.version)


def _is_about(ack: NodeAck, latest: Latest) -> bool:
    """Tell whether a record answers the newest snapshot, not an older one."""
    if ack.attempted is not None and ack.attempted.order >= latest.revision.order:
        return True
    return ack.stream_seq == latest.seq


def _runs(ack: NodeAck, latest: Latest | None) -> bool:
    return latest is None or ack.applied == latest.revision
