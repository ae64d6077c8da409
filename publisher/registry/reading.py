"""Read a registry together with the record of its edits."""

from common.clock import now
from common.errors import AccessDenied
from publisher.registry.book import Book
from publisher.registry.record import RecordedEdit, read_record
from publisher.source.document import Document


async def read_with_record(book: Book) -> tuple[dict[str, Document], tuple[RecordedEdit, ...]]:
    """Return the documents, and the edits that could be missed in them; without the right to read those, none.

    The record goes first: an edit that comes between the two readings must not look lost.

    Raises:
        SourceUnavailable: they cannot be read now.

    """
    try:
        edits = read_record(await book.read_record(), now())
    except AccessDenied:  # who may only read the four documents still sees them
        edits = ()
    return await book.list(), edits
