"""A laptop that the doctor looks at: settings, a hosts file, a state directory, a subscriber where one is wanted."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson

from common.models import Role
from common.settings import load
from common.snapshot import Snapshot
from subscriber.agent import Agent
from subscriber.state import NodeState
from subscriber.systemd import Notifier
from subscriber.targets import build_targets
from tests.cli.conftest import run_routecast
from tests.registries import REFERENCE, SIGNER
from tests.world import until

NODE = "work-laptop"
HOME = "127.0.0.1"
"""An address that this machine has."""

Checks = Mapping[str, Mapping[str, Any]]


def at_home(name: str = NODE) -> Any:
    """Return the reference registry with a node at an address of this machine."""
    nodes = [node.model_copy(update={"address": HOME}) if node.name == name else node for node in REFERENCE.nodes]
    return REFERENCE.model_copy(update={"nodes": tuple(nodes)})


class Laptop:
    """A laptop: settings, a hosts file, a state directory."""

    def __init__(self, folder: Path, url: str) -> None:
        self.hosts = folder / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n")
        self.state = NodeState(folder / "state")
        self.config = folder / "routecast.toml"
        self.url = url
        self.write()

    def write(self, *lines: str, keys: str | None = None, node: str = NODE, role: Role = Role.LAPTOP) -> None:
        """Write the settings; `lines` go to the end."""
        self.config.write_text(
            f'[nats]\nurl = "{self.url}"\nconnect_timeout_s = 1\n'
            f'[subscriber]\nnode = "{node}"\nrole = "{role}"\nstate_dir = "{self.state.directory}"\n'
            f'public_keys = ["{keys or SIGNER.public_key}"]\n'
            f'[hosts]\npath = "{self.hosts}"\n' + "\n".join(lines)
        )

    def keep(self, kept: Snapshot) -> None:
        """Have the node remember a snapshot, as if it had accepted it."""
        self.state.directory.mkdir(exist_ok=True)
        file = self.state.directory / "accepted.json"
        file.write_bytes(kept.to_body())
        file.chmod(0o600)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Agent]:
        """Run its subscriber while the body runs."""
        settings = await asyncio.to_thread(load, self.config)
        async with self.state.locked() as free:
            assert free
            agent = Agent(settings, build_targets(settings), self.state, Notifier({}))
            task = asyncio.ensure_future(agent.run())
            try:
                yield agent
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def checks(self, *words: str) -> Checks:
        """Run `routecast doctor node` on it and return its checks by name."""
        line = ("--config", str(self.config), "doctor", "node", "-o", "json", *words)
        result = await asyncio.to_thread(run_routecast, *line)
        assert not result.stderr
        return {check["check"]: check for check in orjson.loads(result.stdout)["checks"]}

    async def bad(self, *words: str) -> dict[str, str]:
        """Return the checks that are not ok, with their states."""
        return {name: check["state"] for name, check in (await self.checks(*words)).items() if check["state"] != "ok"}

    async def settled(self, **beside: str) -> None:
        """Wait until all is ok but what the test's own hosts file leaves open, and what stands in `beside`."""

        async def look() -> bool:
            return await self.bad() == {"names": "skip", **beside}

        await until(look, "nothing is left to mend")
