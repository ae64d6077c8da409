import asyncio
import random

import pytest
from nats.js.api import StreamConfig

from common import subjects
from common.bus import Bus
from common.errors import PublishConflict, SnapshotTooLarge
from common.models import Registry
from common.signing import Signer
from common.snapshot import Order, Snapshot
from common.streams import history_orders, read_newest, read_version
from publisher.pipeline.build import Position
from publisher.pipeline.stream import SnapshotStream
from publisher.signing import SigningKeys
from tests.publisher.fixed import FixedSigning
from tests.registries import REFERENCE, SIGNER, snapshot

EMPTY = Position(None, 0, intact=False)


async def test_what_is_published_is_read_back_with_its_history(bus: Bus) -> None:
    """A version stands in the stream and, byte for byte, in the history."""
    stream = SnapshotStream(bus, FixedSigning())
    position = await stream.publish(snapshot(version=1), EMPTY)
    assert await SnapshotStream(bus, FixedSigning()).read() == Position(
        snapshot(version=1), position.last_seq, True, position.message_id, (await _stored_at(bus))
    )
    newest, kept = await read_newest(bus), await read_version(bus, Order(1_763_885_042_123, 1))
    assert newest is not None
    assert kept is not None
    assert kept.sealed.body == newest.sealed.body
    assert kept.message_id == "h-1763885042123-1"


async def _stored_at(bus: Bus) -> object:
    newest = await read_newest(bus)
    return newest.stored_at if newest is not None else None


async def test_of_two_publishers_one_wins(bus: Bus) -> None:
    """Whoever did not see the newest message loses, and is told so."""
    first, second = SnapshotStream(bus, FixedSigning()), SnapshotStream(bus, FixedSigning())
    results = await asyncio.gather(
        first.publish(snapshot(version=1), EMPTY), second.publish(snapshot(version=1), EMPTY), return_exceptions=True
    )
    assert sorted(type(result) for result in results if isinstance(result, Exception)) == [PublishConflict]


async def test_a_b_a_is_three_messages(bus: Bus) -> None:
    """Content that returns within the server's duplicate window is published all the same."""
    stream, position = SnapshotStream(bus, FixedSigning()), EMPTY
    for version, registry in ((1, REFERENCE), (2, _other()), (3, REFERENCE)):
        position = await stream.publish(snapshot(registry, version=version), position)
    seen = await stream.read()
    assert seen.newest == snapshot(version=3)
    assert await history_orders(bus) == [Order(1_763_885_042_123, version) for version in (1, 2, 3)]


async def test_republishes_never_enter_the_history(bus: Bus) -> None:
    """The history holds one message a version, however often it was published."""
    stream = SnapshotStream(bus, FixedSigning())
    position = await stream.publish(snapshot(version=1), EMPTY)
    for _ in range(3):
        position = await stream.publish(snapshot(version=1), position)
    info = await bus.js.stream_info(subjects.HISTORY)
    assert info.state.messages == 1


async def test_a_version_that_missed_the_history_is_added_on_the_next_read(bus: Bus) -> None:
    """A publisher that died between publish and history leaves no gap."""
    await SnapshotStream(bus, FixedSigning()).publish(snapshot(version=1), EMPTY)
    await bus.js.purge_stream(subjects.HISTORY)
    await bus.js.delete_stream(subjects.HISTORY)
    await bus.js.add_stream(StreamConfig(name=subjects.HISTORY, subjects=[subjects.HISTORY_ALL], allow_direct=True))
    await SnapshotStream(bus, FixedSigning()).read()
    assert await history_orders(bus) == [Order(1_763_885_042_123, 1)]


async def test_a_forged_newest_message_is_ignored_for_content(bus: Bus) -> None:
    """What does not verify decides nothing; its sequence is what the next publish must follow."""
    stream = SnapshotStream(bus, FixedSigning())
    position = await stream.publish(snapshot(version=1), EMPTY)
    forged = await bus.js.publish(subjects.SNAPSHOT, b"{}")
    seen = await SnapshotStream(bus, FixedSigning()).read()
    assert (seen.newest, seen.last_seq, seen.intact) == (snapshot(version=1), forged.seq, False)
    with pytest.raises(PublishConflict):
        await stream.publish(snapshot(version=2), position)
    await stream.publish(snapshot(version=2), seen)
    assert (await stream.read()).newest == snapshot(version=2)


async def test_a_snapshot_above_the_servers_limit_is_refused_with_the_way_out(bus: Bus) -> None:
    """Too large is said before the server closes the connection over it."""
    noise = random.Random(1)  # what cannot be compressed
    services = {
        f"app-{i:06}": REFERENCE.services["immich"].model_copy(update={"namespace": noise.randbytes(60).hex()})
        for i in range(20_000)
    }
    huge: Snapshot = snapshot(REFERENCE.model_copy(update={"services": services}))
    with pytest.raises(SnapshotTooLarge, match="max_payload"):
        await SnapshotStream(bus, FixedSigning()).publish(huge, EMPTY)
    assert not bus.closed.is_set()


async def test_what_any_of_our_seeds_signed_is_our_own(bus: Bus) -> None:
    """In a rotation the newest message may be signed with the key before, or already with the one after."""
    await SnapshotStream(bus, FixedSigning()).publish(snapshot(version=1), EMPTY)
    later = Signer(bytes(32))
    for keys in (SigningKeys(later, previous=SIGNER.public_key), SigningKeys(later, next=SIGNER.public_key)):
        assert (await SnapshotStream(bus, FixedSigning(keys)).read()).newest == snapshot(version=1)
    assert not (await SnapshotStream(bus, FixedSigning(SigningKeys(later))).read()).intact


async def test_a_key_that_was_announced_is_believed_before_its_seed_is_here(bus: Bus) -> None:
    """A publisher that sees the new seeds later than another one does not take that one's snapshots for forgeries."""
    ours, later = SnapshotStream(bus, FixedSigning()), Signer(bytes(32))
    announcing = snapshot(version=1).model_copy(update={"keys": (SIGNER.public_key, later.public_key)})
    await ours.publish(announcing, EMPTY)
    position = await ours.read()
    switched = snapshot(version=1).model_copy(update={"keys": (later.public_key,)})
    await SnapshotStream(bus, FixedSigning(SigningKeys(later))).publish(switched, position)
    assert (await ours.read()).newest == switched


def _other() -> Registry:
    return REFERENCE.model_copy(update={"services": {}})
