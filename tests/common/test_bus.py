import asyncio
from pathlib import Path

import pytest

from common.bus import Bus, connected
from common.errors import AccessDenied, BusUnavailable
from common.reconnect import keep_connected
from common.settings.nats import NatsSettings
from tests.nats import NatsServer, free_port
from tests.world import until


def _settings(url: str) -> NatsSettings:
    return NatsSettings.model_validate(
        {"url": url, "reconnect_max_s": 0.2, "connect_timeout_s": 1, "request_timeout_s": 1}
    )


async def test_a_server_that_is_not_there_is_said_to_be_so_in_time() -> None:
    """One attempt ends within the connect timeout, with the address in the message."""
    port = free_port()
    async with asyncio.timeout(5):
        with pytest.raises(BusUnavailable, match=f"127.0.0.1:{port}"):
            async with connected(_settings(f"nats://127.0.0.1:{port}"), "test"):
                pass


async def test_a_host_that_never_answers_is_given_up_in_time() -> None:
    """A port that accepts and says nothing costs the connect timeout, not for ever."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", free_port())
    async with server, asyncio.timeout(6):
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(BusUnavailable):
            async with connected(_settings(f"nats://127.0.0.1:{port}"), "test"):
                pass


async def test_wrong_credentials_are_told_apart(tmp_path: Path) -> None:
    """A server that refuses us is not a server that is away."""
    async with NatsServer(tmp_path / "nats", "--user", "u", "--pass", "secret") as server:
        with pytest.raises(AccessDenied, match="does not let us in"):
            async with connected(_settings(server.url), "test"):
                pass


async def test_work_goes_on_over_connection_after_connection(tmp_path: Path) -> None:
    """Each lost connection ends the work on it; the next one begins it anew, until it returns by itself."""
    seen: list[Bus] = []

    async def work(bus: Bus) -> None:
        seen.append(bus)
        if len(seen) < 3:
            await asyncio.Event().wait()

    async with NatsServer(tmp_path / "nats") as server:
        task = asyncio.create_task(keep_connected(_settings(server.url), "test", work))
        for count in (1, 2):
            await until(lambda c=count: len(seen) == c, "connected")
            await server.kill()
            await until(seen[-1].closed.is_set, "lost")
            await server.start()
        async with asyncio.timeout(10):
            await task
    assert len(set(map(id, seen))) == 3


async def test_hurry_cuts_a_pause_short(tmp_path: Path) -> None:
    """A machine that woke up connects at once, whatever pause it was in."""
    hurry, connected_once = asyncio.Event(), asyncio.Event()

    async def work(_: Bus) -> None:
        connected_once.set()

    server = NatsServer(tmp_path / "nats")
    settings = _settings(server.url).model_copy(update={"reconnect_max_s": 300.0})
    task = asyncio.create_task(keep_connected(settings, "test", work, hurry))
    await asyncio.sleep(3)  # by now the pauses are long
    async with server:
        hurry.set()
        async with asyncio.timeout(5):
            await connected_once.wait()
        await task
