from functools import partial

from common import subjects
from common.ack import State
from common.streams import consumer_states
from tests.world import World, until


async def test_a_changed_block_is_reported_and_mended(world: World) -> None:
    """Somebody edits our block: the node says `drifted`, then `applied`, and the user's own lines stay."""
    node = world.node("vinay-laptop", subscriber={"drift_every_s": 0.2})
    node.hosts.write_bytes(b"127.0.0.1 localhost\n192.0.2.7 printer")
    async with world.publisher(), node.running():
        await world.synced("vinay-laptop")
        wanted = node.hosts.read_bytes()
        node.hosts.write_bytes(wanted.replace(b"100.67.243.10", b"203.0.113.66"))
        await until(lambda: node.hosts.read_bytes() == wanted, "healed")

        async def states() -> bool:
            return [ack.state for ack in await world.acks("vinay-laptop")][-2:] == [State.DRIFTED, State.APPLIED]

        await until(states, "both records")
    assert wanted.startswith(b"127.0.0.1 localhost\n192.0.2.7 printer")


async def test_a_file_that_nobody_touched_is_reported_by_nobody(world: World) -> None:
    """Looking for drift on a healthy node sends nothing and writes nothing."""
    node = world.node("vinay-laptop", subscriber={"drift_every_s": 0.05})
    async with world.publisher(), node.running() as agent:
        await world.synced("vinay-laptop")
        await until(partial(_settled, world), "nothing is on its way to it any more")
        records, stat = len(await world.acks("vinay-laptop")), node.hosts.stat()
        for _ in range(3):
            last = agent._node.last_ack
            await until(lambda seen=last: agent._node.last_ack is not seen, "a look")
        assert len(await world.acks("vinay-laptop")) == records
        assert node.hosts.stat() == stat


async def _settled(world: World) -> bool:
    """Tell whether the node has answered for everything on its durable: a repeat follows the newest by direct get."""
    async with world.bus() as bus:
        durable = (await consumer_states(bus))[subjects.durable("vinay-laptop")]
    return durable.num_pending == durable.num_ack_pending == 0
