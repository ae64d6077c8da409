"""A publisher and N nodes in this process, a real nats-server beside it, the reference registry in a folder."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import yaml

from cli.demo.programs import Program, find, free_port
from cli.demo.registry import Registry
from common.bus import Bus, connected
from common.files import write_atomic
from common.settings import Settings
from common.signing import read_seed
from publisher.process import Publisher
from publisher.source.open import open_source
from subscriber.agent import Agent
from subscriber.state import NodeState
from subscriber.systemd import Notifier
from subscriber.targets import build_targets

MAX_DELAY_S = 0.2
"""A change after a pause of this length goes out at once, as with the default of 1 s; the benchmark waits less."""

Entries = dict[str, Any]


class Fleet:
    """What is measured: a folder to edit, and the connection on which acks are followed."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.names = [f"node-{i:03}" for i in range(count)]
        self.registry = Registry(folder / "registry")
        self.port = free_port()
        self._seed = folder / "signing.seed"
        self._seed.write_bytes(base64.b64encode(os.urandom(32)))
        self._seed.chmod(0o600)
        self._write_nodes()

    def _write_nodes(self) -> None:
        path = self.registry.folder / "sync-controller-registry.yaml"
        manifest = yaml.safe_load(path.read_bytes())
        laptops = [{"ip": f"100.86.{i // 250}.{i % 250 + 1}", "name": name} for i, name in enumerate(self.names)]
        manifest["data"]["registry.json"] = orjson.dumps({"management_laptops": laptops}).decode()
        write_atomic(path, yaml.safe_dump(manifest).encode())

    def change(self, i: int) -> None:
        """Change one service's address: a new version in which one name differs."""
        ip = f"100.67.244.{i % 250 + 1}"
        self.registry.edit_services(lambda services: services["grafana"].update(ip=ip))

    def settings(self, **sections: Entries) -> Settings:
        """Return settings for this fleet's server, with `sections`."""
        return Settings.model_validate({"nats": {"url": f"nats://127.0.0.1:{self.port}"}, **sections})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Bus]:
        """Run server, publisher and nodes while the body runs; yield a connection to look with."""
        server = Program(
            "nats-server",
            [find("nats-server"), "-js", "-a", "127.0.0.1", "-p", str(self.port), "-sd", str(self.folder / "nats")],
            self.folder / "nats.log",
        )
        await server.start()
        try:
            async with AsyncExitStack() as stack:
                await self._run_publisher(stack)
                for name in self.names:
                    await stack.enter_async_context(_task(self._node(name)))
                yield await stack.enter_async_context(connected(self.settings().nats, "bench"))
        finally:
            await server.stop()

    async def _run_publisher(self, stack: AsyncExitStack) -> None:
        settings = self.settings(
            publisher={
                "registry_dir": self.registry.folder,
                "signing_seed_file": self._seed,
                "http_port": 0,
                "quiet_delay_s": MAX_DELAY_S / 4,
                "max_delay_s": MAX_DELAY_S,
            }
        )
        source = await stack.enter_async_context(open_source(settings.publisher))
        publisher = Publisher(settings, source, read_seed(self._seed))
        await stack.enter_async_context(_task(publisher.run()))
        await _until(lambda: publisher.report.status().waiting_for is None)

    async def _node(self, name: str) -> None:
        home = self.folder / name
        settings = self.settings(
            subscriber={
                "node": name,
                "public_keys": [read_seed(self._seed).public_key],
                "state_dir": home / "state",
            },
            hosts={"path": home / "hosts"},
        )
        state = NodeState(settings.subscriber.state_dir)
        async with state.locked():
            await Agent(settings, build_targets(settings), state, Notifier({})).run()


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


@asynccontextmanager
async def _task(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
