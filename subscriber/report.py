"""Send ack records. One that is not confirmed is kept, the newest only, and sent again, also after a restart."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import nats.js.errors

from common import log, subjects
from common.ack import NodeAck
from common.bus import Bus, translated
from common.errors import BusUnavailable
from subscriber.state import NodeState

_log = log.get(__name__)


class Reporter:
    """The way of a node's records to its subject, while there is a connection."""

    def __init__(self, node: str, state: NodeState) -> None:
        self.node = node
        self._subject = subjects.ack(node)
        self._state = state
        self._unsent: NodeAck | None = None
        self.bus: Bus | None = None

    async def open(self) -> None:
        """Read the record that a run before this one could not deliver."""
        self._unsent = await asyncio.to_thread(self._state.read_unsent)

    async def send(self, acks: Sequence[NodeAck], and_then: Callable[[], Awaitable[None]] | None = None) -> None:
        """Send `acks`, the kept one first, then do `and_then`; wait for all confirmations together.

        `and_then` confirms the message that the records answer: on the same connection it cannot overtake them. Without
        a connection the last record is kept.

        Raises:
            BusUnavailable: not confirmed; the last record is kept.

        """
        bus = self.bus
        if bus is None:
            await self.keep(acks)
            return
        records = [*([self._unsent] if self._unsent is not None else []), *acks]
        try:
            await self._deliver(bus, records, and_then)
        except BusUnavailable:
            await self.keep(records)
            raise
        except asyncio.CancelledError:
            await asyncio.shield(self.keep(records))
            raise
        if self._unsent is not None:
            self._unsent = None
            await asyncio.to_thread(self._state.drop_unsent)

    async def _deliver(
        self, bus: Bus, records: Sequence[NodeAck], and_then: Callable[[], Awaitable[None]] | None
    ) -> None:
        with translated("an ack record was not confirmed", bus):
            try:
                confirmed = [
                    await bus.js.publish_async(self._subject, record.to_body(), stream=subjects.ACKS)
                    for record in records
                ]
                if and_then is not None:
                    await and_then()
                async with asyncio.timeout(bus.timeout_s):
                    await asyncio.gather(*confirmed)
            except nats.js.errors.Error as e:
                raise BusUnavailable(f"an ack record was not stored: {e}") from e

    async def keep(self, acks: Sequence[NodeAck]) -> None:
        """Keep the last of `acks` until there is a connection."""
        if not acks:
            return
        self._unsent = acks[-1]
        try:
            await asyncio.to_thread(self._state.keep_unsent, acks[-1])
        except OSError as e:
            _log.error("an ack record could not be kept", error=e.strerror)
