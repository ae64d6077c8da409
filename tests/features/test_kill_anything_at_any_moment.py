import asyncio
import random
import signal
from pathlib import Path

import pytest

from cli.demo.joining import join
from cli.demo.watch import Acks, watching
from cli.demo.world import LAPTOPS, NODES, VPSS, World
from common.ack import Revision
from common.bus import connected
from common.signing import read_seed
from common.snapshot import Snapshot, open_sealed
from common.streams import read_ack, read_newest
from tests.world import until

PROGRAMS = ("nats", "publisher", *NODES)
_USERS_LINES = ("127.0.0.1\tlocalhost", "# my own line", "192.0.2.7\tprinter")


async def _kill(world: World, name: str) -> None:
    program = world.programs[name]
    program.send(signal.SIGKILL)
    await program.stop()
    await program.start()


async def _converged(world: World) -> Snapshot | None:
    """Return the newest snapshot when every node says that it runs it."""
    async with connected(world.nats, "test") as bus:
        stored = await read_newest(bus)
        if stored is None:
            return None
        key = await asyncio.to_thread(read_seed, world.config.parent / "signing.seed")
        snapshot, _ = open_sealed(stored.sealed, frozenset({key.public_key}))
        acks = [await read_ack(bus, node) for node in NODES]
    return snapshot if all(ack is not None and ack.applied == Revision.of(snapshot) for ack in acks) else None


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [1, 2])
async def test_killing_any_process_at_any_moment_loses_nothing(tmp_path: Path, seed: int) -> None:
    """Edits go on while processes are killed with SIGKILL and started again: everything converges without a hand."""
    chance = random.Random(seed)
    async with World(tmp_path) as world:
        for name in ("nats", "publisher"):
            await world.start(name)
        await asyncio.gather(*(join(world, node) for node in NODES))
        await asyncio.gather(*map(world.start, NODES))
        async with watching(world.nats) as acks:
            await _all_applied(acks)
        for i in range(8):
            app = {"subdomain": f"app-{i}", "ip": f"100.67.243.{20 + i}", "port": 80, "public": False}
            await asyncio.to_thread(
                world.registry.edit_services, lambda services, n=f"app-{i}", a=app: services.update({n: a})
            )
            await asyncio.sleep(chance.uniform(0, 0.3))
            await _kill(world, chance.choice(PROGRAMS))
            await asyncio.sleep(chance.uniform(0, 1))

        async def done() -> bool:
            try:
                newest = await _converged(world)
            except Exception as e:
                return bool(isinstance(e, AssertionError))
            return newest is not None and "app-7" in newest.registry.services

        await until(done, "convergence", 60)
        for laptop in LAPTOPS:
            text = world.hosts_file(laptop).read_text()
            assert all(line in text.splitlines() for line in _USERS_LINES)
            assert all(f"app-{i}.mycloud.local" in text for i in range(8))
            assert text.count("# BEGIN routecast") == 1
        assert all(world.routes_file(vps).exists() for vps in VPSS)


async def _all_applied(acks: Acks) -> None:
    await acks.until_all_apply(NODES, lambda ack: ack.applied is not None, 30)
