import asyncio
from pathlib import Path

import pytest

from common.errors import BusUnavailable
from subscriber.local import answering, ask


async def _status() -> dict[str, object]:
    return {"state": "applied"}


@pytest.mark.parametrize("depth", [0, 8])
async def test_a_running_subscriber_answers(tmp_path: Path, depth: int) -> None:
    """A question gets its answer, however long the path of the state directory is."""
    folder = tmp_path.joinpath(*["a-long-name-of-a-folder"] * depth)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "subscriber.sock"
    async with answering(path, {"status": _status}):
        assert path.stat().st_mode & 0o777 == 0o600
        assert await ask(path, "status", 5) == {"state": "applied"}
        assert await ask(path, "sync", 5) == {"error": "not a request that this subscriber knows"}
    assert await ask(path, "status", 5) is None


async def test_a_socket_left_behind_by_a_crash_is_nobody(tmp_path: Path) -> None:
    """After kill -9 the socket file stands; asking finds nobody, and the next start takes its place."""
    path = tmp_path / "subscriber.sock"
    server = await asyncio.start_unix_server(lambda _r, _w: None, path)
    server.close()
    await server.wait_closed()
    assert await ask(path, "status", 5) is None
    async with answering(path, {"status": _status}):
        assert await ask(path, "status", 5) == {"state": "applied"}


async def test_a_subscriber_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    """Every wait has an end."""
    never = asyncio.Event()

    async def hang() -> dict[str, object]:
        await never.wait()
        return {}

    async with answering(tmp_path / "s", {"sync": hang}):
        with pytest.raises(BusUnavailable, match="did not answer"):
            await ask(tmp_path / "s", "sync", 0.2)
        never.set()
