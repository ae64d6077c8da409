import shutil
from pathlib import Path

import pytest

from common.ack import Revision, State
from common.names import derive_names
from common.settings.subscriber import SubscriberSettings, TargetName
from common.signing import Signer
from common.snapshot import Sealed, Snapshot, seal
from subscriber.node import Delivery, Disposition, Node
from subscriber.state import NodeState
from tests.registries import REFERENCE, SIGNER, snapshot, without_service
from tests.subscriber.fakes import MemoryTarget

SETTINGS = SubscriberSettings(node="a", public_keys=(SIGNER.public_key,))
NAMES = derive_names(REFERENCE).records


async def _node(folder: Path, *targets: MemoryTarget) -> Node:
    state = NodeState(folder)
    async with state.locked():
        node = Node(SETTINGS, "a", targets, state)
    await node.open()
    return node


async def _take(node: Node, given: Snapshot, attempt: int = 1) -> tuple[State, Disposition]:
    taken = await node.take(seal(given, SIGNER), Delivery(9, None, attempt))
    await node.aclose()
    return taken.ack.state, taken.disposition


async def test_a_snapshot_is_applied_and_said_to_be(tmp_path: Path) -> None:
    """The record says what was offered, what runs, what was done, and by which message."""
    target = MemoryTarget()
    node = await _node(tmp_path, target)
    taken = await node.take(seal(snapshot(), SIGNER), Delivery(9, None, 2))
    assert target.current == NAMES
    ack = taken.ack
    assert ack.attempted == ack.applied == Revision.of(snapshot())
    assert (ack.state, ack.stream_seq, ack.attempt) == (State.APPLIED, 9, 2)
    assert (ack.targets["hosts"].created, ack.targets["hosts"].changed, ack.targets["hosts"].checked) == (
        5,
        True,
        "file",
    )


async def test_a_repeat_writes_nothing_and_is_answered(tmp_path: Path) -> None:
    """An hourly republish costs a node a look and an answer."""
    target = MemoryTarget()
    node = await _node(tmp_path, target)
    await _take(node, snapshot())
    taken = await node.take(seal(snapshot(), SIGNER), Delivery(10))
    assert target.writes == 1
    assert taken.ack.state is State.APPLIED
    assert not taken.ack.targets["hosts"].changed


async def test_retries_then_failed(tmp_path: Path) -> None:
    """A target that fails is tried after 5, 10 and 20 s; then the message is ended, and what ran before is named."""
    target = MemoryTarget()
    node = await _node(tmp_path, target)
    await _take(node, snapshot(version=57))
    target.fails_with = "disk_full"
    newer = snapshot(without_service("grafana"), version=58)
    for attempt in (1, 2, 3):
        assert await _take(node, newer, attempt) == (State.FAILED, Disposition.RETRY)
    taken = await node.take(seal(newer, SIGNER), Delivery(9, None, 4))
    assert (taken.ack.state, taken.disposition) == (State.FAILED, Disposition.TERM)
    assert taken.ack.attempted == Revision.of(newer)
    assert taken.ack.applied == Revision.of(snapshot(version=57))
    assert taken.ack.error is not None
    assert (taken.ack.error.code, taken.ack.error.target) == ("disk_full", "hosts")


async def test_one_target_that_fails_stops_no_other(tmp_path: Path) -> None:
    """The node's state is the worst of its targets, what it runs the lowest."""
    bad, good = MemoryTarget(TargetName.HOSTS), MemoryTarget(TargetName.DNSMASQ)
    node = await _node(tmp_path, bad, good)
    await _take(node, snapshot(version=57))
    bad.fails_with = "read_only"
    newer = snapshot(without_service("grafana"), version=58)
    taken = await node.take(seal(newer, SIGNER), Delivery())
    assert taken.ack.state is State.FAILED
    assert taken.ack.applied == Revision.of(snapshot(version=57))
    assert taken.ack.targets["dnsmasq"].applied == Revision.of(newer)
    assert good.current == derive_names(newer.registry).records


async def test_after_a_restart_without_nats_the_files_are_healed(tmp_path: Path) -> None:
    """A node that boots offline brings its files to what it accepted last."""
    await _take(await _node(tmp_path, MemoryTarget()), snapshot())
    target = MemoryTarget()
    node = await _node(tmp_path, target)
    taken = await node.heal()
    assert target.recovered == 1
    assert target.current == NAMES
    assert taken is not None
    assert taken.ack.stream_seq is None


async def test_the_order_is_remembered_over_a_restart(tmp_path: Path) -> None:
    """A replayed older snapshot is refused by a node that was restarted, and its files stay."""
    await _take(await _node(tmp_path, MemoryTarget()), snapshot(version=57))
    target = MemoryTarget()
    node = await _node(tmp_path, target)
    assert await _take(node, snapshot(version=56)) == (State.REJECTED, Disposition.TERM)
    assert target.writes == 0
    assert node.last_ack is not None
    assert node.last_ack.error is not None
    assert node.last_ack.error.code == "order"


async def test_the_order_is_remembered_before_it_is_applied(tmp_path: Path) -> None:
    """A snapshot that was verified but failed is not forgotten: nothing older is taken in its place."""
    target = MemoryTarget()
    target.fails_with = "x"
    node = await _node(tmp_path, target)
    await _take(node, snapshot(version=58))
    again = await _node(tmp_path, MemoryTarget())
    assert again.accepted == snapshot(version=58)
    assert (await _take(again, snapshot(version=57)))[0] is State.REJECTED


async def test_a_foreign_signature_changes_nothing(tmp_path: Path) -> None:
    """What is not signed by a known key is answered with the reason, and forgotten."""
    target = MemoryTarget()
    node = await _node(tmp_path, target)
    taken = await node.take(seal(snapshot(), Signer(bytes(32))), Delivery(9))
    assert (taken.ack.state, taken.disposition) == (State.REJECTED, Disposition.TERM)
    assert (taken.ack.attempted, taken.ack.applied, node.accepted) == (None, None, None)
    assert target.writes == 0


async def test_drift_is_reported_then_healed(tmp_path: Path) -> None:
    """Somebody's change of what is ours is told before it is undone."""
    target = MemoryTarget()
    node = await _node(tmp_path, target)
    await _take(node, snapshot())
    target.current = {"mine.mycloud.local": "192.0.2.1"}
    taken = await node.heal()
    assert taken is not None
    assert [ack.state for ack in taken.acks] == [State.DRIFTED, State.APPLIED]
    assert target.current == NAMES


async def test_drift_is_found_after_a_restart(tmp_path: Path) -> None:
    """What was changed while the subscriber was away counts as drift too."""
    first = MemoryTarget()
    await _take(await _node(tmp_path, first), snapshot())
    target = MemoryTarget()
    target.current = {"mine.mycloud.local": "192.0.2.1"}
    taken = await (await _node(tmp_path, target)).heal()
    assert taken is not None
    assert [ack.state for ack in taken.acks] == [State.DRIFTED, State.APPLIED]


async def test_a_new_target_is_no_drift(tmp_path: Path) -> None:
    """A target that this node had not before is brought to the snapshot without an alarm."""
    await _take(await _node(tmp_path, MemoryTarget()), snapshot())
    old, new = MemoryTarget(), MemoryTarget(TargetName.DNSMASQ)
    old.current = dict(NAMES)
    node = await _node(tmp_path, old, new)
    assert node.targets_changed
    taken = await node.heal()
    assert taken is not None
    assert [ack.state for ack in taken.acks] == [State.APPLIED]
    assert new.current == NAMES


@pytest.mark.parametrize("name", ["accepted.json", "applied.json"])
@pytest.mark.parametrize("damage", [b"", b"{", b"null", b"\xff\xfe"])
async def test_damaged_state_is_like_none(tmp_path: Path, name: str, damage: bytes) -> None:
    """Garbage in the state directory never stops a node: it begins anew with the next snapshot."""
    await _take(await _node(tmp_path, MemoryTarget()), snapshot())
    (tmp_path / name).write_bytes(damage)
    target = MemoryTarget()
    node = await _node(tmp_path, target)
    await node.heal()
    assert await _take(node, snapshot()) == (State.APPLIED, Disposition.ACK)
    assert target.current == NAMES


async def test_a_snapshot_that_cannot_be_remembered_is_not_applied(tmp_path: Path) -> None:
    """With the state directory gone the order would be lost in a crash: the node fails instead, and says why."""
    target = MemoryTarget()
    node = await _node(tmp_path / "state", target)
    shutil.rmtree(tmp_path / "state")
    taken = await node.take(seal(snapshot(), SIGNER), Delivery(9))
    assert (taken.ack.state, taken.disposition) == (State.FAILED, Disposition.RETRY)
    assert taken.ack.error is not None
    assert taken.ack.error.code == "state_not_written"
    assert target.writes == 0


def _naming(*keys: str) -> Snapshot:
    return snapshot().model_copy(update={"keys": keys})


async def test_brought_keys_are_on_disk_before_they_count(tmp_path: Path) -> None:
    """A node that is restarted believes what it was told to believe; what it cannot keep it does not believe either."""
    later = Signer(bytes(32))
    node = await _node(tmp_path, MemoryTarget())
    await _take(node, _naming(SIGNER.public_key, later.public_key))
    assert NodeState(tmp_path).read_keys() is not None
    again = await _node(tmp_path, MemoryTarget())
    taken = await again.take(seal(snapshot(without_service("grafana"), version=58), later), Delivery(9))
    assert taken.ack.state is State.APPLIED
    await again.aclose()


async def test_keys_that_cannot_be_kept_are_not_believed(tmp_path: Path) -> None:
    """The record says `failed`: a rotation does not take that for a yes."""
    later = Signer(bytes(32))
    target = MemoryTarget()
    node = await _node(tmp_path, target)
    (tmp_path / "keys.json").mkdir()
    taken = await node.take(seal(_naming(SIGNER.public_key, later.public_key), SIGNER), Delivery(9))
    assert (taken.ack.state, taken.ack.error and taken.ack.error.code) == (State.FAILED, "state_not_written")
    refused = await node.take(seal(snapshot(), later), Delivery(10))
    assert (refused.ack.state, refused.ack.error and refused.ack.error.code) == (State.REJECTED, "unknown_key")
    assert target.writes == 0


async def test_damaged_keys_leave_those_of_the_settings(tmp_path: Path) -> None:
    """A node whose file of keys cannot be read goes on with what its owner wrote."""
    (tmp_path / "keys.json").write_text("{")
    assert (await _take(await _node(tmp_path, MemoryTarget()), snapshot()))[0] is State.APPLIED


async def test_the_reason_of_a_rejection_is_bounded(tmp_path: Path) -> None:
    """A stranger's header does not make a record that is too large to be sent."""
    sealed = seal(snapshot(), SIGNER)
    forged = Sealed(sealed.body, {**sealed.headers, "Routecast-Key": "A" * 500_000})
    taken = await (await _node(tmp_path, MemoryTarget())).take(forged, Delivery(9))
    assert taken.ack.state is State.REJECTED
    assert len(taken.ack.to_body()) < 4096
