from common.ack import State
from tests.world import World, until

FAST = {"nak_delays_s": (0.1, 0.2, 0.4), "retry_delays_s": (0.3,)}


async def test_a_failing_node_retries_then_fails_then_heals_by_itself(world: World) -> None:
    """A directory in place of the hosts file: three more tries with pauses, `failed`, and `applied` once it is gone."""
    node = world.node("vinay-laptop", subscriber=FAST)
    node.hosts.mkdir()
    async with world.publisher(), world.nodes("work-laptop"), node.running():
        await world.synced("work-laptop")

        async def gave_up() -> bool:
            return [ack.attempt for ack in await world.acks("vinay-laptop") if ack.stream_seq is not None][-1:] == [4]

        await until(gave_up, "four tries")
        records = await world.acks("vinay-laptop")
        assert {record.state for record in records} == {State.FAILED}
        assert records[-1].applied is None
        assert records[-1].error is not None
        assert str(node.hosts) in records[-1].error.message
        node.hosts.rmdir()
        await world.synced("vinay-laptop")
        assert "photos.mycloud.local" in node.names()


async def test_a_newer_snapshot_supersedes_a_failing_one_at_once(world: World) -> None:
    """While one version waits for its next try, a newer one is delivered without waiting."""
    node = world.node("vinay-laptop", subscriber={"nak_delays_s": (60.0,)})
    node.hosts.mkdir()
    async with world.publisher(), node.running():
        first = await world.published()
        await until(lambda: _failed(world, first.version), "the first version failed")
        node.hosts.rmdir()
        world.registry.edit_services(lambda services: services.pop("grafana"))
        await world.published(above=first.order)
        await world.synced("vinay-laptop", limit_s=5)


async def _failed(world: World, version: int) -> bool:
    ack = await world.ack("vinay-laptop")
    return (
        ack is not None and ack.state is State.FAILED and ack.attempted is not None and ack.attempted.version == version
    )


async def test_what_failed_on_start_is_tried_again_soon(world: World) -> None:
    """A node that starts without NATS and cannot write tries again after the first pause, not hours later."""
    node = world.node("vinay-laptop", subscriber={"retry_delays_s": (0.2,)})
    async with world.publisher(), node.running():
        await world.synced("vinay-laptop")
    await world.server.kill()
    node.hosts.unlink()
    node.hosts.mkdir()
    async with node.running():
        node.hosts.rmdir()
        await until(lambda: "photos.mycloud.local" in node.names(), "healed", 5)
