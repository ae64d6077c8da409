import asyncio

from common.ack import State
from common.models import Registry
from subscriber.agent import Agent
from subscriber.state import NodeState
from subscriber.systemd import Notifier
from subscriber.targets.target import Outcome
from tests.features.conftest import world
from tests.subscriber.fakes import MemoryTarget
from tests.world import World, until

__all__ = ["world"]


class SlowTarget(MemoryTarget):
    """Begins an apply, and ends it when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()

    async def apply(self, registry: Registry) -> Outcome:
        """Wait in the middle."""
        self.begun.set()
        await self.let_go.wait()
        return await super().apply(registry)


async def test_an_apply_is_finished_though_its_connection_is_lost(world: World) -> None:
    """A withdrawal that has arrived does not wait for the next connection: it is applied, and told later."""
    node, target = world.node("vinay-laptop"), SlowTarget()
    state = NodeState(node.settings.subscriber.state_dir)
    async with state.locked(), world.publisher():
        task = asyncio.create_task(Agent(node.settings, [target], state, Notifier({})).run())
        await asyncio.wait_for(target.begun.wait(), 10)
        await world.server.kill()
        await asyncio.sleep(0.2)
        target.let_go.set()
        await until(lambda: target.writes == 1, "applied without a server")
        await world.server.start()
        await world.synced("vinay-laptop")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert target.writes == 1


async def test_a_clone_is_seen_and_harmless(world: World) -> None:
    """Two machines under one name take turns: both stay right, and the server's count of them shows it."""
    first, second = world.node("vinay-laptop"), world.node("vinay-laptop")
    second.settings = second.settings.model_copy(
        update={
            "subscriber": second.settings.subscriber.model_copy(update={"state_dir": world.folder / "clone"}),
            "hosts": second.settings.hosts.model_copy(update={"path": world.folder / "clone-hosts"}),
        }
    )
    async with world.publisher(), first.running(), second.running():
        await world.synced("vinay-laptop")

        async def two() -> bool:
            async with world.bus() as bus:
                return (await bus.js.consumer_info("REGISTRY", "node-vinay-laptop")).num_waiting == 2

        await until(two, "two clients on one durable")
        ack = await world.ack("vinay-laptop")
    assert ack is not None
    assert ack.state is State.APPLIED
