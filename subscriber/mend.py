"""Look for drift, and try again what failed, from the stored snapshot (DESIGN 6). Works without a connection."""

import asyncio
import contextlib

from common.ack import State
from common.settings.subscriber import SubscriberSettings
from subscriber.node import Node, Taken
from subscriber.report import Reporter


class Mender:
    """Heals the node's targets from time to time: seldom when all is well, sooner after a failure."""

    def __init__(self, node: Node, reporter: Reporter, settings: SubscriberSettings) -> None:
        self._node = node
        self._reporter = reporter
        self._settings = settings
        self._failures = 0
        self._noted = asyncio.Event()

    def note(self, taken: Taken) -> None:
        """Take in how a snapshot ended: the next look comes after the pause that fits."""
        self._failures = 1 if taken.ack.state is State.FAILED else 0
        self._noted.set()

    @property
    def pause_s(self) -> float:
        """How long until the next look, in s."""
        if self._failures == 0:
            return self._settings.drift_every_s
        delays = self._settings.retry_delays_s
        return delays[min(self._failures, len(delays)) - 1]

    async def run(self) -> None:
        """Look for ever; report what was not as it should be, and what is no longer so.

        Raises:
            BusUnavailable: the record was not confirmed; it is kept.

        """
        while True:
            self._noted.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.pause_s):
                    await self._noted.wait()
                    continue
            await self._look()

    async def _look(self) -> None:
        before = self._node.last_ack
        taken = await self._node.heal()
        if taken is None:
            return
        failed = taken.ack.state is State.FAILED
        self._failures = self._failures + 1 if failed else 0
        same = before is not None and (before.state, before.applied) == (taken.ack.state, taken.ack.applied)
        if failed or len(taken.acks) > 1 or not same:
            await self._reporter.send(taken.acks)
