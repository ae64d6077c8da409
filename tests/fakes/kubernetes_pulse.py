"""Wait for something to happen in the fake without polling: who changes something beats, who waits looks again."""

import asyncio
from collections.abc import Callable


class Pulse:
    """A wake-up call for all who wait, within one event loop.

    No beat is lost as long as nothing is awaited between looking and waiting.
    """

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def beat(self) -> None:
        """Wake everyone who waits now."""
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, limit_s: float | None) -> None:
        """Wait for the next beat, or for `limit_s` seconds, whichever comes first."""
        beat = self._next
        try:
            async with asyncio.timeout(limit_s):
                await beat.wait()
        except TimeoutError:
            return

    async def until(self, condition: Callable[[], object], limit_s: float) -> None:
        """Wait until a condition holds, looking again at each beat; raises TimeoutError after `limit_s` seconds."""
        async with asyncio.timeout(limit_s):
            while not condition():
                await self._next.wait()
