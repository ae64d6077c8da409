"""A book in which somebody else writes at the worst moment."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from publisher.registry.book import Book
from publisher.source.document import Document

Between = Callable[[], Coroutine[Any, Any, None]]


class Meddled:
    """A book on which something happens right before the writes of a document, the first time, the second, ..."""

    def __init__(self, book: Book, **happens: list[Between]) -> None:
        self._book = book
        self._happens = {name.replace("_", "-"): list(each) for name, each in happens.items()}

    async def list(self) -> dict[str, Document]:
        """Read."""
        return await self._book.list()

    async def write(self, name: str, data: Mapping[str, str | None], expected: str | None) -> str:
        """Have it happen, and write."""
        if self._happens.get(name):
            await self._happens[name].pop(0)()
        return await self._book.write(name, data, expected)

    async def read_record(self) -> str | None:
        """Read."""
        return await self._book.read_record()

    async def write_record(self, change: Callable[[str | None], str]) -> None:
        """Write."""
        await self._book.write_record(change)
