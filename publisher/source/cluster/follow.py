"""Follow one ConfigMap for ever, and tell how the document in it stands."""

from collections.abc import AsyncGenerator, Callable

from publisher.source.cluster.calls import ConfigMaps
from publisher.source.cluster.document import denied_document, read_document
from publisher.source.cluster.loop import Loop
from publisher.source.cluster.requests import Found, WatchEvent
from publisher.source.cluster.timing import Timing
from publisher.source.document import Document
from publisher.source.source import SourceEvent

Tell = Callable[[SourceEvent], None]


class Follower:
    """Tells how one document stands, and every change of it."""

    kind = "document"

    def __init__(self, name: str, config_maps: ConfigMaps, timing: Timing, relist_every_s: float, tell: Tell) -> None:
        self.name = name
        self._config_maps = config_maps
        self._tell = tell
        self._told: Document | None = None
        self._loop = Loop(self, timing, relist_every_s)

    async def follow(self) -> None:
        """List and watch, again and again, until cancelled."""
        await self._loop.run()

    async def list(self) -> str:
        """Tell of what there is now; return the resource version that a watch goes on from.

        Raises:
            SourceUnavailable: the server does not answer.
            AccessDenied: listing it is not allowed.

        """
        found, resource_version = await self._config_maps.list_one(self.name)
        self._tell_of(found)
        return resource_version

    def watch(self, resource_version: str, limit_s: float) -> AsyncGenerator[WatchEvent, None]:
        """Yield the events of one watch.

        Raises:
            SourceUnavailable: it broke, or can no longer start there.
            AccessDenied: watching it is not allowed.

        """
        return self._config_maps.watch_one(self.name, resource_version, limit_s)

    def take(self, event: WatchEvent) -> None:
        """Tell of one change."""
        self._tell_of(None if event.kind == "DELETED" else event.found)

    def denied(self, why: str) -> None:
        """Tell that it may not be read."""
        self._tell_once(denied_document(self.name, why, self._config_maps.commands))

    def lost(self, why: str) -> None:
        """Tell that its server does not answer."""
        self._tell_once(None, why)

    def _tell_of(self, found: Found | None) -> None:
        self._tell_once(read_document(self.name, found, self._config_maps.commands))

    def _tell_once(self, document: Document | None, why: str | None = None) -> None:
        """Tell how the document stands, unless that was the last thing told; None: its source does not answer."""
        if document is None or document != self._told:
            self._told = document
            self._tell(SourceEvent(self.name, document, why))
