"""Follow one ConfigMap for ever: list, watch from there, list again after every doubt."""

import random
import time
from collections.abc import Callable
from contextlib import aclosing

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from common import log
from common.errors import AccessDenied, SourceUnavailable
from publisher.source.cluster.calls import ConfigMap, ConfigMaps
from publisher.source.cluster.document import denied_document, read_document
from publisher.source.cluster.timing import Timing
from publisher.source.document import Document
from publisher.source.source import SourceEvent

_log = log.get(__name__)

Tell = Callable[[SourceEvent], None]


class _WatchEnded(SourceUnavailable):
    """Raise when a watch ended before its time, though the server answers."""


class _WatchDenied(AccessDenied):
    """Raise when a ConfigMap may be listed, but not watched."""


class Follower:
    """Tells how one document stands, and every change of it."""

    def __init__(self, name: str, config_maps: ConfigMaps, timing: Timing, relist_every_s: float, tell: Tell) -> None:
        self._name = name
        self._config_maps = config_maps
        self._timing = timing
        self._relist_every_s = relist_every_s
        self._tell = tell
        self._told: Document | None = None
        self._backoff = wait_random_exponential(multiplier=0.1, max=timing.pause_max_s)

    async def follow(self) -> None:
        """List and watch, again and again, until cancelled; pauses grow while something is wrong."""
        while True:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type((SourceUnavailable, AccessDenied)),
                wait=self._pause,
                before_sleep=self._say,
            ):
                with attempt:
                    await self._list_and_watch()

    async def _list_and_watch(self) -> None:
        """List once, then watch until the next list is due.

        Raises:
            SourceUnavailable: the list or the watch broke.
            AccessDenied: it is not allowed.

        """
        listed_at = time.monotonic()
        found, resource_version = await self._config_maps.list_one(self._name)
        self._tell_of(found)
        try:
            while (left_s := listed_at + self._relist_every_s - time.monotonic()) > 0:
                resource_version = await self._watch(resource_version, left_s)
        except AccessDenied as e:
            raise _WatchDenied(str(e)) from e
        except SourceUnavailable as e:
            if time.monotonic() - listed_at < self._timing.pause_max_s:
                raise _WatchEnded(str(e)) from e
            _log.debug("watch ended", document=self._name, error=str(e))  # it held: list at once, without a pause

    async def _watch(self, resource_version: str, limit_s: float) -> str:
        """Tell the events of one watch; return the resource version to go on from."""
        async with aclosing(self._config_maps.watch_one(self._name, resource_version, limit_s)) as events:
            async for event in events:
                resource_version = event.resource_version
                if event.kind != "BOOKMARK":
                    self._tell_of(None if event.kind == "DELETED" else event.found)
        return resource_version

    def _tell_of(self, found: ConfigMap | None) -> None:
        self._tell_once(read_document(self._name, found, self._config_maps.commands))

    def _tell_once(self, document: Document | None, why: str | None = None) -> None:
        """Tell how the document stands, unless that was the last thing told; None: its source does not answer."""
        if document is None or document != self._told:
            self._told = document
            self._tell(SourceEvent(self._name, document, why))

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, AccessDenied):
            return self._timing.denied_pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        return self._backoff(state)

    def _say(self, state: RetryCallState) -> None:
        """Tell what a failed try means for the document; log the first one, and then every tenth."""
        error = state.outcome.exception() if state.outcome is not None else None
        say = _log.warning if state.attempt_number % 10 == 1 else _log.debug
        if isinstance(error, _WatchEnded | _WatchDenied):
            say("watch ended", document=self._name, error=str(error))
        elif isinstance(error, AccessDenied):
            say("document denied", document=self._name, error=str(error))
            self._tell_once(denied_document(self._name, str(error), self._config_maps.commands))
        else:
            say("waiting for the API server", document=self._name, error=str(error))
            self._tell_once(None, str(error))
