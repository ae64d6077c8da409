"""LoadBalancer Services followed in the background, and waiting for what is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

from publisher.source.cluster.services import Services
from publisher.source.cluster_service import ClusterService

LIMIT_S = 10.0

Set = tuple[ClusterService, ...]


class Following:
    """Every set of Services that was told so far."""

    def __init__(self) -> None:
        self.sets: list[Set] = []
        self._more = asyncio.Condition()

    async def take(self, services: Services) -> None:
        """Collect for ever."""
        async with aclosing(services.follow()) as told:  # type: ignore[type-var]
            async for current in told:
                async with self._more:
                    self.sets.append(current)
                    self._more.notify_all()

    async def until(self, holds: Callable[[Set], object]) -> Set:
        """Wait until the set that was told last holds, and return it."""
        try:
            async with asyncio.timeout(LIMIT_S), self._more:
                await self._more.wait_for(lambda: self.sets and holds(self.sets[-1]))
        except TimeoutError as e:
            raise TimeoutError(f"not within {LIMIT_S} s; the last sets: {self.sets[-3:]}") from e
        return self.sets[-1]

    async def names(self, *names: str) -> Set:
        """Wait until just these Services are there."""
        return await self.until(lambda current: [service.name for service in current] == list(names))


@asynccontextmanager
async def following(services: Services) -> AsyncIterator[Following]:
    """Follow in the background; it ends with the block, and leaves nothing behind."""
    follow = Following()
    task = asyncio.create_task(follow.take(services), name="follow")
    try:
        yield follow
    finally:
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(results[0], asyncio.CancelledError), f"following ended by itself: {results[0]!r}"
