"""Notice edits made through routecast that a writer without a lock overwrote.

Compares the record of edits with the documents whenever those change. Writes nothing: the problem that it reports names
the command that repeats the edit.
"""

import asyncio
import contextlib
from collections.abc import Callable

from common import log
from common.errors import RoutecastError
from common.problems import Problem
from publisher.pipeline.store import Store
from publisher.registry.book import Book
from publisher.registry.reading import read_with_record
from publisher.registry.record import lost_edits

_log = log.get(__name__)

SETTLE_S = 0.3
"""How long changes may come together before a look: the nodes' snapshot comes first."""
LOOK_EVERY_S = 30.0
"""How often the record is read even when no document changed: an edit may come and go between two looks at those."""


class OverwrittenEdits:
    """The edits that are gone, as of the last look."""

    def __init__(self, book: Book, store: Store, on_difference: Callable[[], None]) -> None:
        self._book = book
        self._store = store
        self._on_difference = on_difference
        self._look = asyncio.Event()
        self.found: tuple[Problem, ...] | None = None
        """A problem for each edit that is gone; None before the first comparison."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found, as far as it is known."""
        return self.found or ()

    def changed(self) -> None:
        """Have the documents compared with the record."""
        self._look.set()

    async def run(self) -> None:
        """Compare after each change, and from time to time, until cancelled."""
        while True:
            await asyncio.sleep(SETTLE_S)
            self._look.clear()
            await self._compare()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._look.wait()

    async def _compare(self) -> None:
        try:
            documents, edits = await read_with_record(self._book)
        except RoutecastError as e:
            _log.debug("the record of edits cannot be read now", error=str(e))
            return
        if not self._store.listed:
            return
        found = lost_edits(documents, edits)
        if found != self.found:
            for problem in found:
                if problem not in self.problems:
                    _log.warning("an edit was overwritten", entry=problem.entry, repeat=problem.mend)
            self.found = found
            self._on_difference()
