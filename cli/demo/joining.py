"""The demo's machines become nodes: each gets a token on the control plane, and joins with it, as people do."""

import asyncio
import os

import orjson

from cli.demo.world import LAPTOPS, World
from common.errors import BusUnavailable
from common.models import Role

_LIMIT_S = 30.0


async def join(world: World, node: str) -> None:
    """Have a machine join below its own folder, with a token that is made for it.

    Raises:
        BusUnavailable: it did not; the message has what the command said.

    """
    role = Role.LAPTOP if node in LAPTOPS else Role.VPS
    address = await asyncio.to_thread(world.registry.address_of, node)
    added = await _run(world, "--config", str(world.config), "node", "add", role.value, node, address, "-o", "json")
    token = orjson.loads(added)["join"]["token"]
    await _run(world, "join", "--root", str(world.folder / node), "-", given=token)


async def _run(world: World, *words: str, given: str = "") -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(world.command, *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={key: value for key, value in os.environ.items() if not key.startswith("ROUTECAST_")},
    )
    try:
        async with asyncio.timeout(_LIMIT_S):
            printed, said = await process.communicate(given.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        what = " ".join(words[:4] if given else words[2:6])
        raise BusUnavailable(f"routecast {what} … did not work: {said.decode().strip()}")
    return printed
