import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from common.errors import ConfigError, NothingToShow
from common.settings import Settings
from subscriber.agent import check_settings
from subscriber.local import ask
from subscriber.process import sync_once
from subscriber.state import NodeState
from tests.features.conftest import world
from tests.registries import SIGNER
from tests.world import NodeUnderTest, World, until

__all__ = ["world"]


def _config(node: NodeUnderTest, world: World, *, level: str = "info", drift_s: float = 300) -> Path:
    path = node.folder / "routecast.toml"
    path.write_text(
        f'[nats]\nurl = "{world.server.url}"\n[log]\nlevel = "{level}"\n'
        f'[subscriber]\nnode = "{node.name}"\npublic_keys = ["{SIGNER.public_key}"]\ndrift_every_s = {drift_s}\n'
        f'state_dir = "{node.folder / "state"}"\n[hosts]\npath = "{node.hosts}"\n'
    )
    return path


class _Systemd:
    """What systemd would hear."""

    def __init__(self, folder: Path) -> None:
        self.heard: list[str] = []
        self.path = folder / "notify"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(str(self.path))

    def listen(self) -> None:
        self.heard.append(self.socket.recv(4096).decode())


@asynccontextmanager
async def _subscriber(config: Path, systemd: _Systemd) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `routecast subscriber run` as systemd would."""
    loop = asyncio.get_running_loop()
    loop.add_reader(systemd.socket, systemd.listen)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "cli", "--config", str(config), "subscriber", "run"),
        env={**os.environ, "NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "400000"},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        loop.remove_reader(systemd.socket)
        systemd.socket.close()


async def test_the_service_tells_systemd_how_it_stands(world: World) -> None:
    """READY without any NATS, the watchdog fed all the same, new settings on HUP, a clean end on TERM."""
    node = world.node("vinay-laptop")
    config = _config(node, world)
    await world.server.kill()
    systemd = _Systemd(world.folder)
    async with _subscriber(config, systemd) as process:
        await until(lambda: "READY=1" in systemd.heard, "READY")
        await until(lambda: systemd.heard.count("WATCHDOG=1") >= 3, "the watchdog")
        assert any("not connected to NATS" in line for line in systemd.heard)
        _config(node, world, drift_s=60)
        process.send_signal(signal.SIGHUP)
        await until(lambda: "RELOADING=1" in systemd.heard, "RELOADING")
        await until(lambda: systemd.heard.count("READY=1") == 2, "READY again")
        config.write_text("[subscriber]\nnode = 'A B'\n")
        process.send_signal(signal.SIGHUP)
        await until(lambda: systemd.heard.count("READY=1") == 3, "it goes on with the old settings")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    assert "STOPPING=1" in systemd.heard


async def test_a_service_that_runs_is_asked_instead(world: World) -> None:
    """Beside a running service nobody else takes the state directory; it answers for itself."""
    node = world.node("vinay-laptop")
    systemd = _Systemd(world.folder)
    async with world.publisher(), _subscriber(_config(node, world), systemd):
        await world.synced("vinay-laptop")
        with pytest.raises(ConfigError, match="another subscriber"):
            await sync_once(node.settings, dry_run=False)
        status = await ask(node.folder / "state" / "subscriber.sock", "status", 5)
        assert status is not None
        assert (status["node"], status["connected"], status["stale"]) == ("vinay-laptop", True, False)
        reply = await ask(node.folder / "state" / "subscriber.sock", "sync", 5)
        assert reply is not None
        assert reply["ack"]["state"] == "applied"


async def test_a_single_sync_plans_then_applies(world: World) -> None:
    """A dry run says what it would do and writes nothing; the real one does it, and answers on the bus."""
    node = world.node("vinay-laptop")
    with pytest.raises(NothingToShow):
        await sync_once(node.settings, dry_run=False)
    async with world.publisher():
        await world.published()
        report = await sync_once(node.settings, dry_run=True)
        assert report.plans == {"hosts": "5 created, 0 updated, 0 deleted"}
        assert not node.hosts.exists()
        done = await sync_once(node.settings, dry_run=False)
        assert done.ack is not None
        assert done.ack == await world.ack("vinay-laptop")
        assert len(node.names()) == 5
    await world.server.kill()
    node.hosts.write_bytes(b"")
    healed = await sync_once(node.settings, dry_run=False)
    assert healed.warning is not None
    assert "healed from the stored snapshot" in healed.warning
    assert len(node.names()) == 5


async def test_a_record_that_was_not_delivered_is_sent_after_a_restart(world: World) -> None:
    """What a node did while NATS was away is told when it is back, also by the next process."""
    node = world.node("vinay-laptop", subscriber={"drift_every_s": 0.1})
    async with world.publisher(), node.running():
        await world.synced("vinay-laptop")
    await world.server.kill()
    node.hosts.mkdir() if not node.hosts.exists() else node.hosts.unlink()
    node.hosts.mkdir(exist_ok=True)
    async with node.running():
        await until((node.folder / "state" / "unsent-ack.json").exists, "the record is kept")
    await world.server.start()
    before = len(await world.acks("vinay-laptop"))
    async with node.running():

        async def told() -> bool:
            return any(ack.state.value == "failed" for ack in (await world.acks("vinay-laptop"))[before:])

        await until(told, "the kept record")


def test_all_that_is_missing_is_said_at_once() -> None:
    """A subscriber without name and keys names both settings, and where they come from."""
    with pytest.raises(ConfigError) as caught:
        check_settings(Settings())
    assert "subscriber.node" in str(caught.value)
    assert "routecast publisher public-key" in str(caught.value)


async def test_one_state_directory_has_one_subscriber(tmp_path: Path) -> None:
    """The lock is free again as soon as its holder is gone."""
    state = NodeState(tmp_path)
    async with state.locked() as first, NodeState(tmp_path).locked() as second:
        assert (first, second) == (True, False)
    async with NodeState(tmp_path).locked() as again:
        assert again
