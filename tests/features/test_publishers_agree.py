import asyncio

from common.snapshot import Reason
from common.streams import history_orders
from tests.world import World, until


async def test_two_publishers_give_one_sequence_of_versions(world: World) -> None:
    """However many publishers run, each content is published once, in one order, and no edit is lost."""
    async with world.publisher() as first, world.publisher() as second:
        before = await world.published()
        for i in range(10):
            order = await world.order()
            app = {"subdomain": f"app-{i}", "ip": "100.67.243.20", "port": 80}
            world.registry.edit_services(lambda services, n=f"app-{i}", a=app: services.update({n: a}))
            await world.published(above=order)
        after = await world.newest()
        await until(lambda: first.report.status().waiting_for is None, "the first is content")
        await until(lambda: second.report.status().waiting_for is None, "the second is content")
        assert after is not None
        assert await world.order() == after.order
        async with world.bus() as bus:
            kept = await history_orders(bus)
    assert after.version == before.version + 10
    assert {f"app-{i}" for i in range(10)} < set(after.registry.services)
    assert kept == [(before.epoch, version) for version in range(before.version, after.version + 1)]


async def test_two_publishers_at_first_contact_agree_on_the_installation(world: World) -> None:
    """Started at the same moment on an empty server, both end with the same snapshot."""
    async with world.publisher() as first, world.publisher() as second:
        for publisher in (first, second):
            await until(lambda p=publisher: p.report.status().waiting_for is None, "it is content")
        newest = await world.published()
        await until(lambda: first.report.status().digest == second.report.status().digest, "both see the same")
        assert (newest.version, newest.epoch) == (1, first.report.status().epoch)


async def test_ticks_at_the_same_moment_republish_once(world: World) -> None:
    """However the hours of several publishers fall together, a tick gives one message; a request always gives one."""
    async with world.publisher() as first, world.publisher() as second, world.publisher() as third:
        publishers = (first, second, third)
        for publisher in publishers:
            await until(lambda p=publisher: p.report.status().waiting_for is None, "it is content")
        await asyncio.sleep(1)  # the age that the ticks ask about
        before = await world.last_seq()
        ticks = (each._schedule.ask(Reason.RECONCILE, unless_within_s=1) for each in publishers)
        rounds = await asyncio.gather(*ticks)
        assert sum(done.published for done in rounds) == 1
        assert await world.last_seq() == before + 1
        done = await first._schedule.ask(Reason.RECONCILE)
        assert done.published
        assert await world.last_seq() == before + 2


async def test_a_publisher_that_was_frozen_publishes_nothing_old(world: World) -> None:
    """A publisher with old documents in memory lists afresh before it publishes again."""
    async with world.publisher(relist_every_s=3600, keep_every_s=0.2) as frozen:
        before = await world.published()
        async with world.publisher():
            world.registry.edit_services(lambda services: services.pop("grafana"))
            after = await world.published(above=before.order)
        frozen._schedule.changed()
        await asyncio.sleep(1)
        newest = await world.newest()
        assert newest is not None
        assert newest.order == after.order
        assert "grafana" not in newest.registry.services
