"""A subscriber's tasks, wired together: consume, mend, notice sleep, answer locally, tell systemd."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from common import log
from common.bus import Bus, nodes_jetstream
from common.clock import now
from common.errors import BusUnavailable, ConfigError
from common.masking import masked_url
from common.reconnect import keep_connected
from common.settings import Settings
from common.snapshot import Sealed
from common.streams import read_newest
from subscriber.consumer import consume
from subscriber.local import Answer, Op, answering
from subscriber.mend import Mender
from subscriber.node import Delivery, Node, Taken
from subscriber.removal import Remover
from subscriber.report import Reporter
from subscriber.state import NodeState
from subscriber.survey import warn
from subscriber.systemd import Notifier
from subscriber.targets.blocking import in_thread
from subscriber.targets.target import Target
from subscriber.wake import watch_for_wake

_log = log.get(__name__)

STALE_AFTER_PERIODS = 2.5
"""A node that heard nothing for this many republish periods calls itself stale; its files stay."""


def check_settings(settings: Settings) -> str:
    """Return the node's name when `settings` can run a subscriber.

    Raises:
        ConfigError: name or public keys are missing: all of it at once.

    """
    missing = []
    if settings.subscriber.node is None:
        missing.append("subscriber.node: the name that this node is registered under")
    if not settings.subscriber.public_keys:
        missing.append("subscriber.public_keys: what `routecast publisher public-key` prints on the control plane")
    if missing or settings.subscriber.node is None:
        raise ConfigError("\n  ".join(["settings that a subscriber needs are missing:", *missing]))
    return settings.subscriber.node


class Agent:
    """One run of a subscriber with one set of settings."""

    def __init__(self, settings: Settings, targets: Sequence[Target], state: NodeState, notifier: Notifier) -> None:
        self._settings = settings
        self._name = check_settings(settings)
        self._state = state
        self._notifier = notifier
        self._node = Node(settings.subscriber, self._name, targets, state)
        self._reporter = Reporter(self._name, state)
        self._mender = Mender(self._node, self._reporter, settings.subscriber)
        self._hurry = asyncio.Event()
        self._has_snapshot = asyncio.Event()
        self._handled_seq: int | None = None
        self._stale = False
        self._trouble: str | None = None

    async def run(self) -> None:
        """Heal from what is stored, say READY, then follow the bus until cancelled."""
        await self._reporter.open()
        await in_thread(Remover(self._state.directory).recover, self._settings.hosts.path)
        await self._node.open()
        healed = await self._node.heal()
        if healed is not None:
            self._mender.note(healed)
            await self._reporter.keep(healed.acks)
        self._notifier.ready()
        answers: dict[Op, Answer] = {"status": self._answer_status, "sync": self._answer_sync}
        async with aclosing(self._node), answering(self._state.socket, answers), asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stay_connected(), name="bus")
            tasks.create_task(self._mender.run(), name="mender")
            tasks.create_task(watch_for_wake(self._on_wake), name="wake")
            tasks.create_task(self._warn_of_leftovers(), name="leftovers")
            tasks.create_task(self._notifier.beat(self._show_status), name="systemd")

    async def _warn_of_leftovers(self) -> None:
        """Say once what the replaced system left here; whose names those are is told by a snapshot's zone."""
        await self._has_snapshot.wait()
        if self._node.accepted is not None:
            await in_thread(warn, self._settings, self._node.accepted.registry)

    async def _stay_connected(self) -> None:
        await keep_connected(
            self._settings.nats,
            self._name,
            self._on_connection,
            self._hurry,
            jetstream_prefix=nodes_jetstream(self._settings.nats),
            on_trouble=self._note_trouble,
        )

    def _note_trouble(self, why: str | None) -> None:
        self._trouble = why

    async def _on_connection(self, bus: Bus) -> None:
        self._reporter.bus = bus
        try:
            await self._reporter.send(())
            await self._take_newest(bus, only_new=True)
            on_missing = partial(self._take_newest, bus, only_new=True)
            await consume(bus, self._take, on_missing, self._reporter, self._settings.subscriber)
        finally:
            self._reporter.bus = None

    async def _take(self, sealed: Sealed, delivery: Delivery) -> Taken:
        """Have a snapshot taken to its end, also when the connection it came on is lost meanwhile."""
        work = asyncio.ensure_future(self._node.take(sealed, delivery))
        try:
            taken = await asyncio.shield(work)
        except asyncio.CancelledError:
            taken = await work
            await self._reporter.keep(taken.acks)
            raise
        finally:
            if work.done() and not work.cancelled() and work.exception() is None:
                self._handled_seq = delivery.stream_seq
                self._mender.note(work.result())
                self._show_status()
        return taken

    async def _take_newest(self, bus: Bus, *, only_new: bool) -> Taken | None:
        """Take the newest snapshot by direct get; with `only_new` not the one that this process took last.

        The durable may have acked it before this node forgot it, or have sent it into a connection that was dead: then
        it would come again only after ``ack_wait``.
        """
        stored = await read_newest(bus)
        if stored is None or (only_new and stored.seq == self._handled_seq):
            return None
        taken = await self._take(stored.sealed, Delivery(stored.seq, now()))
        await self._reporter.send(taken.acks)
        return taken

    def _on_wake(self) -> None:
        """Drop the connection that sleep has made doubtful, and connect anew at once."""
        self._hurry.set()
        if self._reporter.bus is not None:
            self._reporter.bus.closed.set()

    async def _answer_status(self) -> Mapping[str, Any]:
        accepted, ack, bus = self._node.accepted, self._node.last_ack, self._reporter.bus
        return {
            "node": self._name,
            "role": self._settings.subscriber.role.value,
            "connected": bus is not None,
            "trouble": self._trouble if bus is None else bus.refusal(),
            "nats": masked_url(str(self._settings.nats.url)),
            "stale": self._stale,
            "heard_at": self._node.heard_at,
            "accepted": {"epoch": accepted.epoch, "version": accepted.version} if accepted is not None else None,
            "last_ack": ack.model_dump(mode="json", by_alias=True) if ack is not None else None,
        }

    async def _answer_sync(self) -> Mapping[str, Any]:
        bus = self._reporter.bus
        try:
            if bus is None:
                taken, error = await self._node.heal(), "not connected to NATS: healed from the stored snapshot"
            else:
                taken, error = await self._take_newest(bus, only_new=False), None
        except BusUnavailable as e:
            return {"error": str(e)}
        if taken is None:
            return {"error": error or "there is no snapshot yet"}
        return {"ack": taken.ack.model_dump(mode="json", by_alias=True), "error": error}

    def _show_status(self) -> None:
        accepted, ack = self._node.accepted, self._node.last_ack
        stale = False
        if accepted is not None:
            self._has_snapshot.set()
            silent_s = (now() - self._node.heard_at).total_seconds()
            stale = silent_s > STALE_AFTER_PERIODS * accepted.republish_every_s
            if stale and not self._stale:
                _log.warning("stale: no snapshot heard for long; the files stay", silent_s=round(silent_s))
        self._stale = stale
        parts = [
            ack.state.value if ack is not None else "waiting for the first snapshot",
            f"snapshot {accepted.order}" if accepted is not None else "",
            "connected" if self._reporter.bus is not None else "not connected to NATS",
            "stale" if stale else "",
        ]
        self._notifier.status(", ".join(part for part in parts if part))
