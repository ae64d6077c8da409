"""Where the editor writes: the same protocol over a cluster and over a folder. The same tests run on both."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from common.settings.publisher import PublisherSettings
from publisher.registry.folder import FolderBook
from publisher.source.document import Document
from publisher.source.open import kubernetes_client


class Book(Protocol):
    """The registry's documents, to be read and written; the records of what was edited, and of the nodes' keys."""

    async def list(self) -> dict[str, Document]:
        """Return all documents by name, read afresh.

        Raises:
            SourceUnavailable: they cannot be read now.

        """
        ...

    async def write(self, name: str, data: Mapping[str, str | None], expected: str | None) -> str:
        """Write keys of a document (None removes one) that is still at the resource version `expected`.

        All other keys, labels, annotations and comments stay. `expected` None: make it. Returns the new version.

        Raises:
            Conflict: it is at another version, or there is one already.
            SourceUnavailable: it cannot be written now.
            AccessDenied: it may not be written.
            EditRefused: the place cannot be written safely by a program.

        """
        ...

    async def read_record(self) -> str | None:
        """Return the text of the record of edits, None when there is none.

        Raises:
            SourceUnavailable: it cannot be read now.
            AccessDenied: it may not be read.

        """
        ...

    async def write_record(self, change: Callable[[str | None], str]) -> None:
        """Replace the record's text by what `change` makes of it; nobody else's change is lost.

        Raises:
            SourceUnavailable: it cannot be written now.
            AccessDenied: it may not be written.

        """
        ...

    async def read_trust(self) -> str | None:
        """Return the text of the record of the nodes' keys, None when there is none.

        Raises:
            SourceUnavailable: it cannot be read now.
            AccessDenied: it may not be read.

        """
        ...

    async def write_trust(self, change: Callable[[str | None], str]) -> None:
        """Replace the text of the record of the nodes' keys by what `change` makes of it, as `write_record` does.

        Raises:
            SourceUnavailable: it cannot be written now.
            AccessDenied: it may not be written.

        """
        ...

    async def may_write(self, name: str) -> bool:
        """Tell whether a document may be written, without doing it.

        Raises:
            SourceUnavailable: it cannot be found out now.
            AccessDenied: we are not known at all.

        """
        ...


@asynccontextmanager
async def open_book(settings: PublisherSettings) -> AsyncIterator[Book]:
    """Yield the folder in ``registry_dir``, or the cluster.

    Raises:
        ConfigError: the kubeconfig is not usable, or the Kubernetes client is not installed.

    """
    if settings.registry_dir is not None:
        yield FolderBook(settings.registry_dir, settings.namespace)
        return
    open_cluster_book = await asyncio.to_thread(_import_cluster)
    async with open_cluster_book(settings) as book:
        yield book


def _import_cluster() -> Callable[[PublisherSettings], AbstractAsyncContextManager[Book]]:
    with kubernetes_client():
        from publisher.registry.cluster import open_cluster_book  # noqa: PLC0415 - see there
    return open_cluster_book
