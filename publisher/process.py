"""The publisher as a process: start, run until a signal, stop in order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from prometheus_client import CollectorRegistry

from common import log
from common.bus import Bus
from common.errors import BusUnavailable
from common.lifecycle import until_signal
from common.reconnect import keep_connected
from common.settings import Settings
from common.settings.publisher import PublisherSettings
from common.signing import Signer, read_seed
from common.version import VERSION
from publisher.announcer import Announcer
from publisher.control import answer_control
from publisher.discoverer import Discoverer, FollowsServices
from publisher.fleet import Fleet
from publisher.http import serving
from publisher.metrics import RoundMetrics, StateCollector
from publisher.overwritten import OverwrittenEdits
from publisher.pipeline.controller import Controller
from publisher.pipeline.keeper import Keeper
from publisher.pipeline.reconciler import reconcile_for_ever
from publisher.pipeline.schedule import Schedule
from publisher.pipeline.settle import Settle
from publisher.pipeline.store import Store
from publisher.pipeline.stream import SnapshotStream
from publisher.registry.book import Book, open_book
from publisher.registry.editor import Editor
from publisher.report import StatusReport
from publisher.signing_files import WatchedSeeds
from publisher.source.open import kubernetes_client, open_source
from publisher.source.source import Source
from publisher.trust.control_plane import ControlPlane, open_control_plane, with_own_credentials

_log = log.get(__name__)

_BY = "the publisher"
_DISCOVERS = "routecast service discover"
"""What the record of edits says of what was discovered."""


async def run(settings: Settings) -> None:
    """Publish until SIGTERM or SIGINT; waits for NATS and for the source for as long as it takes.

    Raises:
        ConfigError: settings or the signing seed are not usable.

    """
    settings = await asyncio.to_thread(with_own_credentials, settings)
    signer = await asyncio.to_thread(read_seed, settings.publisher.signing_seed_file)
    _log.info("publisher starting", version=VERSION, public_key=signer.public_key)
    async with (
        open_source(settings.publisher) as source,
        open_book(settings.publisher) as book,
        cluster_services(settings) as services,
    ):
        trust = await open_control_plane(settings, book, _BY)
        publisher = Publisher(settings, source, signer, book, services, trust)
        async with serving(settings.publisher, publisher.report, publisher.metrics):
            await until_signal(publisher.run())
    _log.info("publisher stopped")


@asynccontextmanager
async def cluster_services(settings: Settings) -> AsyncIterator[FollowsServices | None]:
    """Yield the Services of the cluster when they are to be discovered, else None."""
    if not settings.publisher.discover:
        yield None
        return
    open_services = await asyncio.to_thread(_import_services)
    async with open_services(settings.publisher) as services:
        yield services


def _import_services() -> Callable[[PublisherSettings], AbstractAsyncContextManager[FollowsServices]]:
    with kubernetes_client():
        from publisher.source.cluster.services import open_services  # noqa: PLC0415 - see there
    return open_services


class Publisher:
    """The parts of a publisher, wired together; with `services` it discovers them too, with `trust` nodes can join."""

    def __init__(
        self,
        settings: Settings,
        source: Source,
        signer: Signer,
        book: Book,
        services: FollowsServices | None = None,
        trust: ControlPlane | None = None,
    ) -> None:
        self._settings = settings
        self._source = source
        self._signing = WatchedSeeds(settings.publisher.signing_seed_file, signer)
        self._trust = trust
        self.metrics = CollectorRegistry()
        self._store = Store()
        counts = RoundMetrics(self.metrics)
        self._controller = Controller(source, self._store, self._signing, settings.publisher, counts)
        self._overwritten = OverwrittenEdits(book, self._store, on_difference=self._seen)
        self.report = StatusReport(self._controller, self._store, self._overwritten)
        self._fleet = Fleet(self._controller)
        self.metrics.register(StateCollector(self.report, self._fleet))
        settle = Settle(settings.publisher.quiet_delay_s, settings.publisher.max_delay_s)
        self._discoverer = None if services is None else Discoverer(services, Editor(book, _BY, _DISCOVERS))
        self._announcer = Announcer(source, self._controller, self._store, lambda: self._overwritten.found)
        self._schedule = Schedule(self._controller, settle, on_round=self._seen)

    async def run(self) -> None:
        """Watch the source and publish, over one connection after the other, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_source(), name="source")
            tasks.create_task(self._announcer.run(), name="announcer")
            tasks.create_task(self._overwritten.run(), name="overwritten edits")
            if self._discoverer is not None:
                tasks.create_task(self._discoverer.run(), name="discoverer")
            if self._trust is not None:
                tasks.create_task(self._trust.run(), name="trust")
            tasks.create_task(keep_connected(self._settings.nats, "publisher", self._on_connection), name="bus")

    async def _watch_source(self) -> None:
        async for event in self._source.watch():
            if self._store.apply(event):
                self._schedule.changed()
                self._overwritten.changed()
                if self._discoverer is not None:
                    self._discoverer.changed()
                if self._trust is not None:
                    self._trust.revocation.changed()
            self._seen()

    def _seen(self) -> None:
        """Have what is told of the registry compared with what was seen just now."""
        self.report.changed()
        self._announcer.changed()

    async def _on_connection(self, bus: Bus) -> None:
        keeper = Keeper(bus, self._settings.publisher.replicas)
        await keeper.ensure_streams()
        self._controller.connect(SnapshotStream(bus, self._signing), keeper)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._schedule.run(), name="rounds")
                tasks.create_task(self._keep_in_being(keeper), name="keeper")
                tasks.create_task(self._reconcile(), name="reconciler")
                tasks.create_task(answer_control(bus, self._schedule), name="control")
                tasks.create_task(self.report.send_for_ever(bus), name="status")
                tasks.create_task(self._fleet.watch(bus), name="fleet")
                if self._trust is not None:
                    tasks.create_task(self._trust.on_connection(bus, keeper), name="trust")
        finally:
            self._controller.disconnect()
            if not bus.closed.is_set():  # it is we who end, not the connection
                with contextlib.suppress(BusUnavailable):
                    await asyncio.shield(asyncio.ensure_future(self.report.withdraw(bus)))

    async def _reconcile(self) -> None:
        await reconcile_for_ever(self._controller, self._schedule, self._settings.publisher.reconcile_every_s)

    async def _keep_in_being(self, keeper: Keeper) -> None:
        """Re-make what somebody deleted, and publish again into an empty or foreign stream (DESIGN 5)."""
        while True:
            await asyncio.sleep(self._settings.publisher.keep_every_s)
            await keeper.ensure_streams()
            newest = self._controller.newest
            if newest is not None:
                await keeper.ensure_consumers(node.name for node in newest.registry.nodes)
            if await self._controller.look():
                self._schedule.changed()
