"""Follow the nodes' acks during the demo, and wait for what they should say."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from common import subjects
from common.ack import NodeAck, State
from common.bus import Bus
from common.errors import BusUnavailable
from common.settings.nats import NatsSettings
from common.snapshot import Order
from common.streams import following_acks, stream_info

_START_S = 20


@dataclass
class Acks:
    """All records since the demo began, and the newest of each node."""

    records: list[NodeAck] = field(default_factory=list)
    newest: dict[str, NodeAck] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def add(self, ack: NodeAck) -> None:
        """Take in a record."""
        async with self.changed:
            self.records.append(ack)
            self.newest[ack.node] = ack
            self.changed.notify_all()

    async def until_all_apply(
        self, nodes: Iterable[str], holds: Callable[[NodeAck], bool], limit_s: float
    ) -> dict[str, NodeAck]:
        """Wait until the newest record of each of `nodes` is `applied` and `holds`.

        Raises:
            TimeoutError: not within `limit_s`.

        """
        wanted = list(nodes)

        def all_do() -> bool:
            found = [self.newest.get(node) for node in wanted]
            return all(ack is not None and ack.state is State.APPLIED and holds(ack) for ack in found)

        async with asyncio.timeout(limit_s), self.changed:
            await self.changed.wait_for(all_do)
        return {node: self.newest[node] for node in wanted}

    def top(self) -> Order:
        """Return the highest order that any node applied."""
        return max((ack.applied.order for ack in self.newest.values() if ack.applied is not None), default=Order(0, 0))

    def runs_newest(self, ack: NodeAck) -> bool:
        """Tell whether a record is of the highest order that any node applied."""
        return ack.applied is not None and ack.applied.order == self.top()

    def mark(self) -> "Mark":
        """Return where things stand now."""
        return Mark(self, self.top(), len(self.records))


@dataclass(frozen=True)
class Mark:
    """A moment of the demo."""

    acks: Acks
    top: Order
    count: int

    def newer(self, ack: NodeAck) -> bool:
        """Tell whether a record is of a version that nobody had at the mark, and that is the highest known now."""
        return ack.applied is not None and ack.applied.order > self.top and self.acks.runs_newest(ack)

    def since(self, node: str) -> list[NodeAck]:
        """Return a node's records since the mark."""
        return [ack for ack in self.acks.records[self.count :] if ack.node == node]


@asynccontextmanager
async def watching(settings: NatsSettings) -> AsyncIterator[Acks]:
    """Follow the acks while the body runs; waits for server and stream to be there.

    Raises:
        BusUnavailable: they did not come.

    """
    acks = Acks()
    async for attempt in _patiently():
        with attempt:
            bus = Bus(settings)
            await bus.open(settings, "demo")
    try:
        async for attempt in _patiently():
            with attempt:
                if await stream_info(bus, subjects.ACKS) is None:
                    raise BusUnavailable("the publisher has not made its streams")
        async with following_acks(bus, subjects.ACK_ALL, new_only=False) as records:
            task = asyncio.create_task(_collect(records, acks), name="acks")
            try:
                yield acks
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
    finally:
        await bus.close()


def _patiently() -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception_type(BusUnavailable),
        wait=wait_fixed(0.1),
        stop=stop_after_delay(_START_S),
        reraise=True,
    )


async def _collect(records: AsyncIterator[NodeAck], acks: Acks) -> None:
    async for ack in records:
        await acks.add(ack)
