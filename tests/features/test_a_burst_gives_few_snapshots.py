import asyncio
import random
import time

import pytest

from tests.world import World, until


def _even() -> list[float]:
    return [0.05] * 100


def _uneven() -> list[float]:
    """Return pauses of bursts and gaps that sum up to 5 s."""
    chance = random.Random(7)
    weights = [chance.choice([0.01, 0.01, 0.3, 1.0, 3.0]) for _ in range(100)]
    return [5 * weight / sum(weights) for weight in weights]


@pytest.mark.parametrize("pauses", [_even(), _uneven()], ids=["even", "uneven"])
async def test_a_hundred_edits_in_five_seconds_give_at_most_twelve_snapshots(world: World, pauses: list[float]) -> None:
    """A burst settles: few snapshots, the last one complete, and the first change does not wait for the burst."""
    async with world.publisher():
        before = await world.published()
        started = time.monotonic()
        for i, pause in enumerate(pauses):
            app = {"subdomain": f"app-{i}", "ip": "100.67.243.20", "port": 80}
            await asyncio.to_thread(
                world.registry.edit_services, lambda services, n=f"app-{i}", a=app: services.update({n: a})
            )
            await asyncio.sleep(pause)

        async def complete() -> bool:
            newest = await world.newest()
            return newest is not None and "app-99" in newest.registry.services

        took_s = time.monotonic() - started  # 5 s, more on a busy machine
        await until(complete, "the last edit", 3)
        after = await world.newest()
    assert after is not None
    assert len(after.registry.services) == 104
    assert 2 <= after.version - before.version <= max(12, 2 + took_s / 0.5)
