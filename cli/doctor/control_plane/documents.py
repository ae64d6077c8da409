"""Read the documents of a source and what is wrong in them, as `routecast lint` does."""

from cli.doctor.control_plane.source_facts import DocumentSeen, Read
from common.settings.publisher import PublisherSettings
from publisher.pipeline.parse import parse
from publisher.registry.book import open_book
from publisher.registry.reading import read_with_record
from publisher.registry.record import lost_edits


async def read_documents(settings: PublisherSettings) -> Read:
    """Return what the source holds.

    Raises:
        ConfigError: the kubeconfig is not usable, or the Kubernetes client is not installed.
        SourceUnavailable: the source does not answer.

    """
    async with open_book(settings) as book:
        documents, edits = await read_with_record(book)
    seen = [DocumentSeen(each.name, each.state, each.why, each.edit) for each in documents.values()]
    return Read(seen, (*parse(documents, None).problems, *lost_edits(documents, edits)))
