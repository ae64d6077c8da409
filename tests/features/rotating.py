"""Rotate the signing key of a world, by the command, in this process or as one that can be killed."""

import asyncio

from click.testing import Result

from cli.newest import key_of, open_untrusted
from common.snapshot import Snapshot
from common.streams import read_newest
from tests.cli.conftest import run_routecast
from tests.world import World


def env(world: World) -> dict[str, str]:
    """Return the environment in which the commands of the control plane find server and seeds."""
    return {"ROUTECAST_NATS_URL": world.server.url, "ROUTECAST_PUBLISHER_SIGNING_SEED_FILE": str(world.seed)}


async def rotate(world: World, *words: str) -> Result:
    """Run `routecast trust rotate` to its end."""
    return await asyncio.to_thread(run_routecast, "trust", "rotate", *words, env=env(world))


async def newest_of_any(world: World) -> tuple[Snapshot, str]:
    """Return the newest snapshot, whoever signed it, and the key that did."""
    async with world.bus() as bus:
        stored = await read_newest(bus)
    assert stored is not None
    return open_untrusted(stored.sealed), key_of(stored.sealed) or ""
