import shutil

from common import subjects
from common.streams import consumer_states
from subscriber.consumer import FETCH_S
from tests.world import NODES, World, until


async def test_a_server_that_lost_everything_is_filled_again(world: World) -> None:
    """nats-server killed and its store wiped: streams, durables and snapshot come back in a new epoch."""
    async with world.publisher(), world.nodes():
        before = await world.synced()
        await world.server.kill()
        shutil.rmtree(world.server.store)
        await world.server.start()
        after = await world.synced()
    assert after.epoch > before.epoch
    assert after.registry == before.registry


async def test_a_restart_of_the_server_changes_nothing(world: World) -> None:
    """A killed server that comes back with its store goes on where it was."""
    async with world.publisher(), world.nodes():
        before = await world.synced()
        await world.server.kill()
        await world.server.start()
        world.registry.edit_services(lambda services: services.pop("grafana"))
        await world.published(above=before.order)
        after = await world.synced()
    assert (after.epoch, after.version) == (before.epoch, before.version + 1)


async def test_deleted_streams_and_durables_are_made_again(world: World) -> None:
    """Somebody deletes a stream or a durable: the publisher's check makes it again, nodes need no hand."""
    async with world.publisher(keep_every_s=0.2), world.nodes():
        before = await world.synced()
        async with world.bus() as bus:
            for stream in (subjects.REGISTRY, subjects.HISTORY, subjects.ACKS):
                await bus.js.delete_stream(stream)
            await until(lambda: _durables(bus), "the durables")
        after = await world.synced(
            limit_s=FETCH_S + 15
        )  # a parked pull request hears of its durable's end when it ends
        assert after.epoch > before.epoch
        async with world.bus() as bus:
            await bus.js.delete_consumer(subjects.REGISTRY, "node-vinay-laptop")
        world.registry.edit_services(lambda services: services.pop("grafana"))
        await world.published(above=after.order)
        await world.synced(limit_s=FETCH_S + 15)


async def _durables(bus: object) -> bool:
    return len(await consumer_states(bus)) == len(NODES)  # type: ignore[arg-type]


async def test_any_start_order_will_do(world: World) -> None:
    """Nodes before the publisher, both before the server: everything converges once all are there."""
    await world.server.kill()
    async with world.nodes(), world.publisher():
        await world.server.start()
        await world.synced()
