import asyncio
import itertools
import signal
import sys
from pathlib import Path

import pytest

from cli import exits
from common.ack import State
from common.signing import read_seed
from tests.features.rotating import env, newest_of_any, rotate
from tests.world import NODES, World

_DIES = """
import os, signal, sys
folder, left = sys.argv[1], int(sys.argv[2])
def look(event, args):
    global left
    changes = event in ("os.rename", "os.link", "os.remove", "os.chmod") or event == "open" and args[2] & os.O_CREAT
    if changes and (isinstance(args[0], int) or str(args[0]).startswith(folder)):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(look)
from cli.main import main
main(["trust", "rotate"], prog_name="routecast")
"""
"""A rotation that is killed just before its n-th change of a file."""


async def _killed_before_change(world: World, number: int) -> int:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _DIES, str(world.folder), str(number)),
        cwd=Path(__file__).parents[2],
        env=env(world),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


@pytest.mark.timeout(300)
async def test_a_rotation_killed_before_any_of_its_steps_goes_on(world: World) -> None:
    """Killed with SIGKILL before each change that it makes on disk, the next run ends it; no node ever refuses."""
    async with world.publisher(), world.nodes():
        await world.synced()
        for number in itertools.count():
            before = await asyncio.to_thread(read_seed, world.seed)
            code = await _killed_before_change(world, number)
            if code == exits.OK:
                break
            assert code == -signal.SIGKILL
            kept = await asyncio.to_thread(read_seed, world.seed)  # at no moment is there no seed
            result = await rotate(world)
            assert result.exit_code == exits.OK, result.stdout + result.stderr
            assert sorted(each.name for each in world.folder.iterdir() if "seed" in each.name) == ["signing.seed"]
            snapshot, key = await newest_of_any(world)
            after = await asyncio.to_thread(read_seed, world.seed)
            assert after.public_key != before.public_key
            assert (snapshot.keys, key) == ((after.public_key,), after.public_key)
            assert kept.public_key in {before.public_key, after.public_key}
        assert number > 8
        states = {ack.state for node in NODES for ack in await world.acks(node)}
        assert states == {State.APPLIED}
