"""The current documents, by name: fed by the source's watch, read by the rounds. No I/O."""

from collections.abc import Collection, Mapping

from common.status import DocumentStatus, SourceState
from publisher.source.document import DOCUMENTS, Document
from publisher.source.source import SourceEvent


class Store:
    """How each document stands now, and whether its source still answers."""

    def __init__(self, names: Collection[str] = DOCUMENTS) -> None:
        self._names = tuple(names)
        self._documents: dict[str, Document] = {}
        self._silent: dict[str, str] = {}
        self._heard: dict[str, int] = {}
        self.heard = 0
        """How many events there were: handed to `replace`, it tells which ones came after a list was asked for."""

    @property
    def documents(self) -> Mapping[str, Document]:
        """The last known form of each document that was heard of."""
        return dict(self._documents)

    @property
    def listed(self) -> bool:
        """Whether every document was heard of: before that nothing must be built from them."""
        return all(name in self._documents for name in self._names)

    def apply(self, event: SourceEvent) -> bool:
        """Take an event; tell whether it matters to what is published.

        A document whose source does not answer keeps its last known form.
        """
        if event.name not in self._names:
            return False
        if event.document is None:
            self._silent[event.name] = event.detail or "the source does not answer"
            return False
        self.heard += 1
        self._heard[event.name] = self.heard
        return self._put(event.document)

    def replace(self, documents: Mapping[str, Document], since: int | None = None) -> bool:
        """Take a fresh list; tell whether it matters.

        `since` is `heard` from before the list was asked for: of a document that was heard of after that, the list may
        hold an older form than the event did, and the event counts.
        """
        matters = False
        for name in self._names:
            if name in documents and (since is None or self._heard.get(name, 0) <= since):
                matters |= self._put(documents[name])
        return matters

    def statuses(self) -> dict[str, DocumentStatus]:
        """Return how each document stands, for the publisher's status."""
        return {name: self._status(name) for name in self._names}

    def _put(self, document: Document) -> bool:
        self._silent.pop(document.name, None)
        before = self._documents.get(document.name)
        self._documents[document.name] = document
        return before is None or _content(before) != _content(document)

    def _status(self, name: str) -> DocumentStatus:
        document, silent = self._documents.get(name), self._silent.get(name)
        if document is None:
            return DocumentStatus(state=SourceState.WAITING, detail=silent)
        if silent is not None:
            return DocumentStatus(state=SourceState.LOST, resource_version=document.resource_version, detail=silent)
        return DocumentStatus(state=document.state, resource_version=document.resource_version, detail=document.why)


def _content(document: Document) -> tuple[object, ...]:
    """Return what decides: not who changed it, when, and which number the source gave it."""
    return (document.data, document.why, document.notes, document.edit)
