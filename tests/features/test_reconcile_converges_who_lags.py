from common.ack import State
from common.snapshot import Reason
from tests.world import World, until


async def test_the_whole_snapshot_is_published_again_every_period(world: World) -> None:
    """Every period the same version goes out again, so that whoever lags converges; nodes answer it."""
    async with world.publisher(reconcile_every_s=1), world.nodes("vinay-laptop"):
        before = await world.synced("vinay-laptop")

        async def again() -> bool:
            newest = await world.newest()
            return newest is not None and newest.reason is Reason.RECONCILE

        await until(again, "a reconcile", 5)
        newest = await world.newest()
        assert newest is not None
        assert (newest.order, newest.digest) == (before.order, before.digest)

        async def twice() -> bool:
            acks = await world.acks("vinay-laptop")
            return len({ack.stream_seq for ack in acks if ack.state is State.APPLIED}) >= 3

        await until(twice, "answers to two republishes", 8)


async def test_several_publishers_reconcile_as_one(world: World) -> None:
    """A tick is skipped when somebody else has just republished."""
    async with world.publisher(reconcile_every_s=2), world.publisher(reconcile_every_s=2):
        before = await world.published()
        first = await world.last_seq()
        await until(lambda: _later(world, first), "a reconcile", 6)
        at = await world.last_seq()
        newest = await world.newest()
        assert newest is not None
        assert newest.order == before.order
        await until(lambda: _later(world, at), "the next one", 6)
        assert await world.last_seq() == at + 1


async def _later(world: World, seq: int) -> bool:
    return await world.last_seq() > seq
