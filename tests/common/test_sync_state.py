from datetime import timedelta

import pytest

from common.ack import Agent, NodeAck, Revision, State
from common.models import Role
from common.streams import ConsumerState
from common.sync_state import BUSY_FOR, Latest, SyncState, is_online, sync_state, versions_behind
from tests.registries import AT, snapshot

NEWEST = Latest(Revision.of(snapshot(version=57)), seq=900)
OLDER = Revision.of(snapshot(version=54))
OTHER_EPOCH = Revision.of(snapshot(epoch=1, version=9))


def _consumer(waiting: int = 1, ack_pending: int = 0, active_ago: timedelta | None = None) -> ConsumerState:
    last_active = AT - active_ago if active_ago is not None else None
    return ConsumerState("node-a", waiting, 0, ack_pending, last_active, paused=False)


def _ack(state: State, attempted: Revision | None, applied: Revision | None, seq: int | None = None) -> NodeAck:
    return NodeAck(
        node="a",
        role=Role.LAPTOP,
        instance="1",
        attempted=attempted,
        state=state,
        applied=applied,
        stream_seq=seq,
        finished_at=AT,
        agent=Agent(version="0", host="a"),
    )


@pytest.mark.parametrize(
    ("ack", "consumer", "state"),
    [
        (_ack(State.APPLIED, NEWEST.revision, NEWEST.revision), _consumer(), SyncState.SYNCED),
        (_ack(State.APPLIED, OLDER, OLDER), _consumer(), SyncState.LAGGING),
        (_ack(State.FAILED, OLDER, None), _consumer(), SyncState.LAGGING),
        (_ack(State.FAILED, NEWEST.revision, OLDER), _consumer(), SyncState.FAILED),
        (_ack(State.DRIFTED, NEWEST.revision, NEWEST.revision), _consumer(), SyncState.DRIFTED),
        (_ack(State.REJECTED, None, OLDER, seq=900), _consumer(), SyncState.REJECTED),
        (_ack(State.REJECTED, None, OLDER, seq=899), _consumer(), SyncState.LAGGING),
        (_ack(State.APPLIED, NEWEST.revision, OLDER), _consumer(), SyncState.LAGGING),
        (None, _consumer(), SyncState.LAGGING),
        (None, _consumer(waiting=0), SyncState.NEVER),
        (None, None, SyncState.NEVER),
        (_ack(State.APPLIED, NEWEST.revision, NEWEST.revision), _consumer(waiting=0), SyncState.OFFLINE),
        (_ack(State.APPLIED, NEWEST.revision, NEWEST.revision), None, SyncState.OFFLINE),
        (_ack(State.APPLIED, NEWEST.revision, NEWEST.revision), _consumer(waiting=2), SyncState.DUPLICATE),
    ],
)
def test_each_way_a_node_can_stand_has_its_word(
    ack: NodeAck | None, consumer: ConsumerState | None, state: SyncState
) -> None:
    """The server's consumer says who is there, the node's newest record what it runs."""
    assert sync_state(NEWEST, ack, consumer, AT) is state


def test_without_a_snapshot_the_record_alone_counts() -> None:
    """A stream that was just wiped makes nobody lag."""
    assert sync_state(None, _ack(State.APPLIED, OLDER, OLDER), _consumer(), AT) is SyncState.SYNCED


def test_a_node_at_work_is_online_for_as_long_as_its_message_is_held() -> None:
    """Between taking a message and acking it no pull request is parked: that is work, not absence."""
    assert is_online(_consumer(waiting=0, ack_pending=1, active_ago=timedelta(seconds=1)), AT)
    assert not is_online(_consumer(waiting=0, ack_pending=1, active_ago=BUSY_FOR), AT)
    assert not is_online(_consumer(waiting=0, ack_pending=1), AT)


def test_versions_behind_is_a_number_only_within_an_epoch() -> None:
    """Versions of different epochs cannot be counted against each other."""
    assert versions_behind(NEWEST, _ack(State.APPLIED, OLDER, OLDER)) == 3
    assert versions_behind(NEWEST, _ack(State.APPLIED, OTHER_EPOCH, OTHER_EPOCH)) is None
    assert versions_behind(NEWEST, _ack(State.FAILED, OLDER, None)) is None
    assert versions_behind(NEWEST, None) is None
    assert versions_behind(None, _ack(State.APPLIED, OLDER, OLDER)) is None


def test_the_worst_state_sorts_first() -> None:
    """The operator reads what is wrong before what is well."""
    assert min(SyncState, key=lambda state: state.badness) is SyncState.REJECTED
    assert max(SyncState, key=lambda state: state.badness) is SyncState.SYNCED
