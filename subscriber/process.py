"""The subscriber as a process: lock, run until a signal, take new settings on SIGHUP; and a single sync without it."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import Any

from common import log
from common.ack import NodeAck
from common.bus import Bus, connected, nodes_jetstream
from common.clock import now
from common.errors import BusUnavailable, ConfigError, NothingToShow
from common.lifecycle import until_signal
from common.settings import Settings
from common.streams import read_newest
from common.version import VERSION
from subscriber.agent import Agent, check_settings
from subscriber.node import Delivery, Node
from subscriber.report import Reporter
from subscriber.state import NodeState
from subscriber.systemd import Notifier
from subscriber.targets import build_targets

_log = log.get(__name__)


async def run(load: Callable[[], Settings]) -> None:
    """Apply snapshots until SIGTERM or SIGINT; SIGHUP has `load` called again, and goes on with what it returns.

    Raises:
        ConfigError: the settings cannot run a subscriber, or another one holds the state directory.

    """
    settings = await asyncio.to_thread(load)
    state = NodeState(settings.subscriber.state_dir)
    notifier = Notifier(os.environ)
    async with state.locked() as free:
        if not free:
            raise ConfigError(f"another subscriber runs on {state.directory}; stop it, or set subscriber.state_dir")
        _log.info("subscriber starting", version=VERSION, node=settings.subscriber.node)
        service = _Service(load, settings, state, notifier)
        await until_signal(service.run(), on_hup=service.reload)
        notifier.stopping()
    _log.info("subscriber stopped")


class _Service:
    """Agents, one after the other: a new one for each change of the settings."""

    def __init__(self, load: Callable[[], Settings], settings: Settings, state: NodeState, notifier: Notifier) -> None:
        self._load = load
        self._settings = settings
        self._state = state
        self._notifier = notifier
        self._reload = asyncio.Event()

    def reload(self) -> None:
        """Have the settings read again."""
        self._reload.set()

    async def run(self) -> None:
        while True:
            agent = Agent(self._settings, build_targets(self._settings), self._state, self._notifier)
            running = asyncio.ensure_future(agent.run())
            try:
                await self._until_new_settings(running)
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running

    async def _until_new_settings(self, running: asyncio.Future[None]) -> None:
        """Return when there are settings that differ; settings that are not valid change nothing."""
        asked: asyncio.Future[Any] = asyncio.ensure_future(self._reload.wait())
        while True:
            try:
                await asyncio.wait([running, asked], return_when=asyncio.FIRST_COMPLETED)
            finally:
                asked.cancel()
            if running.done():
                return
            self._reload.clear()
            self._notifier.reloading()
            settings = await asyncio.to_thread(self._read_settings)
            if settings != self._settings:
                self._settings = settings
                _log.info("settings reloaded")
                return
            self._notifier.ready()
            asked = asyncio.ensure_future(self._reload.wait())

    def _read_settings(self) -> Settings:
        """Return the settings as they are now, the old ones when the new ones cannot be used."""
        try:
            settings = self._load()
            check_settings(settings)
        except ConfigError as e:
            _log.error("settings not reloaded, the old ones stay", error=str(e))
            return self._settings
        if settings.subscriber.state_dir != self._state.directory:
            _log.error("settings not reloaded: subscriber.state_dir cannot change while running, restart instead")
            return self._settings
        return settings


@dataclass(frozen=True, slots=True)
class SyncReport:
    """How a single sync ended: the record, or with a dry run the plan of each target."""

    ack: NodeAck | None
    plans: dict[str, str]
    warning: str | None = None


async def sync_once(settings: Settings, *, dry_run: bool) -> SyncReport:
    """Bring this node to the newest snapshot once, without a service; without NATS, to the stored one.

    Raises:
        ConfigError: the settings cannot run a subscriber, or one runs already.
        NothingToShow: there is no snapshot, neither in the stream nor stored.
        SnapshotRejected: with `dry_run`, the newest snapshot must not be used.

    """
    name = check_settings(settings)
    state = NodeState(settings.subscriber.state_dir)
    async with state.locked() as free:
        if not free and not dry_run:
            raise ConfigError(f"another subscriber holds {state.directory}")
        async with aclosing(Node(settings.subscriber, name, build_targets(settings), state)) as node:
            await node.open(recover=not dry_run)
            if dry_run:
                return await _plan_once(settings, node)
            return await _apply_once(settings, node, Reporter(name, state))


def _connected(settings: Settings, node: Node) -> AbstractAsyncContextManager[Bus]:
    return connected(settings.nats, node.name, jetstream_prefix=nodes_jetstream(settings.nats))


async def _plan_once(settings: Settings, node: Node) -> SyncReport:
    try:
        async with _connected(settings, node) as bus:
            stored = await read_newest(bus)
    except BusUnavailable as e:
        return SyncReport(None, await node.plan(None), f"{e}; planned from the stored snapshot")
    return SyncReport(None, await node.plan(stored.sealed if stored is not None else None))


async def _apply_once(settings: Settings, node: Node, reporter: Reporter) -> SyncReport:
    taken, warning = None, None
    try:
        async with _connected(settings, node) as bus:
            stored = await read_newest(bus)
            if stored is not None:
                taken = await node.take(stored.sealed, Delivery(stored.seq, now()))
                reporter.bus = bus
                await reporter.send(taken.acks)
    except BusUnavailable as e:
        warning = f"{e}; healed from the stored snapshot"
        taken = taken or await node.heal()
    if taken is None:
        raise NothingToShow(warning or "no snapshot was published yet")
    return SyncReport(taken.ack, {}, warning)
