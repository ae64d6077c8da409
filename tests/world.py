"""A whole routecast for feature tests: a real nats-server, a registry folder, publishers and nodes in this process.

Processes that are to be killed are started by `tests.processes` instead.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from common import subjects
from common.ack import NodeAck, Revision, State
from common.bus import Bus, connected
from common.models import Role
from common.settings import Settings
from common.snapshot import Order, Snapshot, open_sealed
from common.streams import read_ack, read_newest
from publisher.process import Publisher, cluster_services
from publisher.registry.book import open_book
from publisher.source.open import open_source
from subscriber.agent import Agent
from subscriber.state import NodeState
from subscriber.systemd import Notifier
from subscriber.targets import build_targets
from tests.nats import NatsServer
from tests.registries import KEYS, SIGNER
from tests.registry_folder import RegistryFolder

NOTHING = Order(0, 0)
LIMIT_S = 15.0
SEED = base64.b64encode(bytes(range(32))).decode()
LAPTOPS = ("vinay-laptop", "work-laptop")
VPSS = ("contabo-vps", "digitalocean-vps")
NODES = (*LAPTOPS, *VPSS)


async def until(probe: Callable[[], Any], what: str, limit_s: float = LIMIT_S) -> Any:
    """Wait until `probe` (a function or coroutine function) returns something true, and return it.

    Raises:
        AssertionError: it did not within `limit_s`.

    """
    try:
        async with asyncio.timeout(limit_s):
            while True:
                found = probe()
                if asyncio.iscoroutine(found):
                    found = await found
                if found:
                    return found
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {limit_s} s: {what}") from None


class NodeUnderTest:
    """A node's folder and how to run its subscriber in this process."""

    def __init__(self, world: "World", name: str, role: Role, settings: Mapping[str, Mapping[str, Any]]) -> None:
        self.name = name
        self.folder = world.folder / name
        self.hosts = self.folder / "hosts"
        self.routes = self.folder / "dynamic" / "routecast.yml"
        (self.folder / "dynamic").mkdir(parents=True, exist_ok=True)
        self.settings = Settings.model_validate(
            {
                "nats": {"url": world.server.url, "reconnect_max_s": 0.5},
                "subscriber": {
                    "node": name,
                    "role": role,
                    "public_keys": [SIGNER.public_key],
                    "state_dir": self.folder / "state",
                    **settings.get("subscriber", {}),
                },
                "hosts": {"path": self.hosts},
                "traefik": {
                    "directory": self.folder / "dynamic",
                    "staging_dir": self.folder / "staging",
                    "api_url": None,
                    **settings.get("traefik", {}),
                },
            }
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Agent]:
        """Run its subscriber while the body runs."""
        state = NodeState(self.settings.subscriber.state_dir)
        async with state.locked() as free:
            assert free
            agent = Agent(self.settings, build_targets(self.settings), state, Notifier({}))
            async with _task(agent.run()):
                yield agent

    def names(self) -> dict[str, str]:
        """Return name -> address in its hosts file."""
        lines = self.hosts.read_text().splitlines() if self.hosts.exists() else []
        pairs = [line.split("\t") for line in lines if "\t" in line and not line.startswith("#")]
        return {name: address for address, name in pairs}

    def served(self) -> set[str]:
        """Return the host names in its routes file."""
        if not self.routes.exists():
            return set()
        routers = orjson.loads(self.routes.read_bytes())["http"]["routers"]
        return {router["rule"].removeprefix("Host(`").removesuffix("`)") for router in routers.values()}


class World:
    """A nats-server, a registry folder, and a connection to look with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = NatsServer(folder / "nats")
        self.registry = RegistryFolder(folder / "registry")
        self.seed = folder / "signing.seed"
        self.seed.write_text(SEED)
        self.seed.chmod(0o600)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.server)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def settings(self, **publisher: Any) -> Settings:
        """Return the settings of a publisher on the registry folder."""
        return Settings.model_validate(
            {
                "nats": {"url": self.server.url, "reconnect_max_s": 0.5},
                "publisher": {
                    "registry_dir": self.registry.folder,
                    "signing_seed_file": self.seed,
                    "http_port": 0,
                    **publisher,
                },
            }
        )

    @asynccontextmanager
    async def publisher(self, **settings: Any) -> AsyncIterator[Publisher]:
        """Run a publisher while the body runs."""
        chosen = self.settings(**settings)
        async with (
            open_source(chosen.publisher) as source,
            open_book(chosen.publisher) as book,
            cluster_services(chosen) as services,
        ):
            publisher = Publisher(chosen, source, SIGNER, book, services)
            async with _task(publisher.run()):
                yield publisher

    def node(self, name: str, role: Role | None = None, **settings: Mapping[str, Any]) -> NodeUnderTest:
        """Return a node; by name one of the reference's, else one with `role`."""
        return NodeUnderTest(self, name, role or (Role.VPS if name in VPSS else Role.LAPTOP), settings)

    @asynccontextmanager
    async def nodes(self, *names: str) -> AsyncIterator[dict[str, NodeUnderTest]]:
        """Run the subscribers of some nodes while the body runs, by default of all four."""
        nodes = {name: self.node(name) for name in names or NODES}
        async with AsyncExitStack() as stack:
            for node in nodes.values():
                await stack.enter_async_context(node.running())
            yield nodes

    @asynccontextmanager
    async def bus(self) -> AsyncIterator[Bus]:
        """Yield a connection."""
        async with connected(self.settings().nats, "test") as bus:
            yield bus

    async def newest(self) -> Snapshot | None:
        """Return the newest snapshot in the stream."""
        async with self.bus() as bus:
            stored = await read_newest(bus)
        return open_sealed(stored.sealed, KEYS)[0] if stored is not None else None

    async def last_seq(self) -> int:
        """Return the sequence of the newest message on the stream of snapshots."""
        async with self.bus() as bus:
            return int((await bus.js.stream_info(subjects.REGISTRY)).state.last_seq)

    async def order(self) -> Order:
        """Return the order of the newest snapshot."""
        newest = await self.newest()
        assert newest is not None
        return newest.order

    async def published(self, above: Order = NOTHING) -> Snapshot:
        """Wait for a snapshot above an order, and return it."""

        async def look() -> Snapshot | None:
            newest = await self.newest()
            return newest if newest is not None and newest.order > above else None

        found: Snapshot = await until(look, f"a snapshot above {above}")
        return found

    async def ack(self, node: str) -> NodeAck | None:
        """Return the newest ack record of a node."""
        async with self.bus() as bus:
            return await read_ack(bus, node)

    async def acks(self, node: str) -> list[NodeAck]:
        """Return all stored records of a node, the oldest first."""
        async with self.bus() as bus:
            info = await bus.js.stream_info(subjects.ACKS)
            found = []
            for seq in range(info.state.first_seq, info.state.last_seq + 1):
                message = await bus.js.get_msg(subjects.ACKS, seq)
                if message.subject == subjects.ack(node):
                    record = NodeAck.from_body(message.data or b"")
                    assert record is not None
                    found.append(record)
        return found

    async def synced(self, *nodes: str, limit_s: float = LIMIT_S) -> Snapshot:
        """Wait until each node's newest record says that it applied the newest snapshot; return that snapshot."""

        async def look() -> Snapshot | None:
            newest = await self.newest()
            if newest is None:
                return None
            records = [await self.ack(node) for node in nodes or NODES]
            runs = [record is not None and record.applied == Revision.of(newest) for record in records]
            well = [record is not None and record.state is State.APPLIED for record in records]
            return newest if all(runs) and all(well) else None

        found: Snapshot = await until(look, f"{nodes or NODES} synced", limit_s)
        return found


@asynccontextmanager
async def _task(work: Any) -> AsyncIterator[None]:
    """Run `work` while the body runs; what it raises fails the test."""
    task = asyncio.ensure_future(work)
    try:
        yield
        assert not task.done(), f"ended by itself: {task.exception()!r}"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
