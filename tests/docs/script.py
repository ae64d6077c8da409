"""Lines that are typed in the background, each awaited by a test of its own: one slow world serves all of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

from tests.docs.shell import Done

AT_ONCE = 3
"""Chains that are typed at the same time."""

Key = TypeVar("Key")
Stage = Sequence[Sequence[Key]]
"""Chains: each is typed line by line, all of them beside one another."""


class Script(Generic[Key]):
    """Stages, one after the other."""

    def __init__(self, stages: Iterable[Stage[Key]], type_line: Callable[[Key], Awaitable[Done]]) -> None:
        self._stages = [[list(chain) for chain in stage] for stage in stages]
        self._type = type_line
        loop = asyncio.get_running_loop()
        self._ends: dict[Key, asyncio.Future[Done]] = {
            key: loop.create_future() for stage in self._stages for chain in stage for key in chain
        }
        self._few = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def being_typed(self) -> AsyncIterator[None]:
        """Type while the body runs."""
        task = asyncio.create_task(self._run(), name="script")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            for end in self._ends.values():
                if not end.cancel():
                    end.exception()  # seen: the test that awaits it was not asked for

    async def end_of(self, key: Key) -> Done:
        """Wait until a line has ended.

        Raises:
            AssertionError: it did not end as it should.

        """
        return await asyncio.shield(self._ends[key])

    async def _run(self) -> None:
        for stage in self._stages:
            await asyncio.gather(*(self._type_chain(chain) for chain in stage))

    async def _type_chain(self, chain: Sequence[Key]) -> None:
        async with self._few:
            for key in chain:
                try:
                    self._ends[key].set_result(await self._type(key))
                except Exception as e:
                    self._ends[key].set_exception(e)
