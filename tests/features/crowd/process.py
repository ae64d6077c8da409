"""Processes that edit a registry at once: `python -m tests.features.crowd.process PLACE`, a folder or a kubeconfig.

Each makes the edits of one worker (`tests.features.crowd.edits`), one after the other. Prints how often one of them
found that somebody else was faster; ends with 1 when one of them failed, which says why.
"""

import asyncio
import multiprocessing
import sys
from collections.abc import Callable, Mapping
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import publisher.registry.cluster  # noqa: F401 - once, before the processes part: it takes 2 s
from common.settings.publisher import PublisherSettings
from publisher.registry.book import Book, open_book
from publisher.registry.editor import Editor
from publisher.source.document import Document
from publisher.source.source import Conflict
from tests.features.crowd.edits import WORKERS, edits_of


class _Counting:
    """A book that counts how often somebody else was faster."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.conflicts = 0

    async def list(self) -> dict[str, Document]:
        return await self._book.list()

    async def write(self, name: str, data: Mapping[str, str | None], expected: str | None) -> str:
        try:
            return await self._book.write(name, data, expected)
        except Conflict:
            self.conflicts += 1
            raise

    async def read_record(self) -> str | None:
        return await self._book.read_record()

    async def write_record(self, change: Callable[[str | None], str]) -> None:
        await self._book.write_record(change)


async def _edit(worker: int, settings: PublisherSettings) -> int:
    async with open_book(settings) as opened:
        book = _Counting(opened)
        for number, made in enumerate(edits_of(worker)):
            await Editor(book, f"worker {worker}", f"edit {worker} {number}").apply(made.edit)
        return book.conflicts


def _work(worker: int, settings: PublisherSettings, start: Barrier, conflicts: "SimpleQueue[int]") -> None:
    start.wait()
    conflicts.put(asyncio.run(_edit(worker, settings)))


def _main(place: Path) -> int:
    settings = PublisherSettings(registry_dir=place) if place.is_dir() else PublisherSettings(kubeconfig=place)
    processes = multiprocessing.get_context("fork")
    conflicts: SimpleQueue[int] = processes.SimpleQueue()
    given = (settings, processes.Barrier(WORKERS), conflicts)
    workers = [processes.Process(target=_work, args=(number, *given)) for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        return 1
    sys.stdout.write(f"{sum(conflicts.get() for _ in workers)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
