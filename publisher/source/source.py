"""The protocol of a source. The same tests run on every implementation."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from common.errors import SourceUnavailable
from common.models import Frozen
from common.snapshot import Order
from publisher.source.document import Document


class Conflict(SourceUnavailable):
    """Raise when somebody else wrote, made or deleted a document in between: read it again."""


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """Say how one document stands now.

    `document` is None when its source does not answer; `detail` says why, and the last known form counts.
    """

    name: str
    document: Document | None
    detail: str | None = None


class Mark(Frozen):
    """The highest revision that was ever published, and how many entries each part of it had (DESIGN 5)."""

    epoch: int
    version: int
    digest: str
    counts: dict[str, int]

    @property
    def order(self) -> Order:
        """The place among all snapshots."""
        return Order(self.epoch, self.version)


class PublisherState(Frozen):
    """What outlives the publisher and the bus: kept beside the registry, as ``{"installation": …, "mark": …}``."""

    installation: str
    mark: Mark


class Source(Protocol):
    """Where the registry's documents, and the publisher's own state, are kept."""

    async def list(self) -> dict[str, Document]:
        """Return all documents by name, read afresh; one that is missing or denied is in it as such.

        Raises:
            SourceUnavailable: the source does not answer.

        """
        ...

    def watch(self) -> AsyncIterator[SourceEvent]:
        """Yield an event for each document once it is listed, then one for each change, for ever.

        Lists again after every doubt (lost connection, 410) and every ``relist_every_s``; never raises for what may
        heal by itself.
        """
        ...

    async def read_state(self) -> PublisherState | None:
        """Return the kept state, None when there is none or it is broken.

        Raises:
            SourceUnavailable: the source does not answer.
            AccessDenied: it may not be read.

        """
        ...

    async def write_state(self, state: PublisherState) -> None:
        """Keep `state`, unless a higher mark is kept already: a mark is only ever raised.

        Raises:
            SourceUnavailable: the source does not answer.
            AccessDenied: it may not be written.

        """
        ...
