"""A watch in the background, and waiting for what it tells."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import aclosing, asynccontextmanager

from publisher.source.document import DOCUMENTS, Document
from publisher.source.source import Source, SourceEvent

LIMIT_S = 10.0


class Watching:
    """Everything that a watch told so far."""

    def __init__(self) -> None:
        self.events: list[SourceEvent] = []
        self._more = asyncio.Condition()

    async def take(self, source: Source) -> None:
        """Collect for ever."""
        async with aclosing(source.watch()) as events:  # type: ignore[type-var]
            async for event in events:
                async with self._more:
                    self.events.append(event)
                    self._more.notify_all()

    async def until(self, holds: Callable[[], object], limit_s: float = LIMIT_S) -> None:
        """Wait until a condition on what was told holds."""
        try:
            async with asyncio.timeout(limit_s), self._more:
                await self._more.wait_for(holds)
        except TimeoutError as e:
            raise TimeoutError(f"not within {limit_s} s; the last events: {self.events[-6:]}") from e

    async def listed(self, names: Collection[str] = DOCUMENTS) -> None:
        """Wait for the first word on each document."""
        await self.until(lambda: set(names) <= {event.name for event in self.events})

    async def document(self, name: str, holds: Callable[[Document], object]) -> Document:
        """Wait until what was told of a document last holds, and return it."""

        def _last() -> Document | None:
            last = next((event for event in reversed(self.events) if event.name == name), None)
            return last.document if last is not None else None

        await self.until(lambda: (last := _last()) is not None and holds(last))
        last = _last()
        assert last is not None
        return last

    async def lost(self, name: str) -> str:
        """Wait until the source of a document does not answer, and return why."""
        last = self.events
        await self.until(lambda: any(e.name == name and e.document is None for e in last))
        return next(event.detail or "" for event in reversed(last) if event.name == name and event.document is None)

    def forget(self) -> None:
        """Start anew with what is told from here on."""
        self.events.clear()


@asynccontextmanager
async def watching(source: Source) -> AsyncIterator[Watching]:
    """Watch a source in the background; the watch ends with the block, and leaves nothing behind."""
    watch = Watching()
    task = asyncio.create_task(watch.take(source), name="watch")
    try:
        yield watch
    finally:
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError), f"the watch ended by itself: {results[0]!r}"
