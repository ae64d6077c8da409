"""Follow one kind of object for ever: list, watch from there, list again after every doubt."""

import random
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import NoReturn, Protocol

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from common import log
from common.errors import AccessDenied, SourceUnavailable
from publisher.source.cluster.requests import WatchEvent
from publisher.source.cluster.timing import Timing

_log = log.get(__name__)


class Followed(Protocol):
    """What is listed and watched, and what is made of it."""

    kind: str
    name: str
    """Which one of its kind; together they stand in the log as ``document=service-registry``."""

    async def list(self) -> str:
        """Take what there is now; return the resource version that a watch goes on from.

        Raises:
            SourceUnavailable: the server does not answer.
            AccessDenied: listing it is not allowed.

        """
        ...

    def watch(self, resource_version: str, limit_s: float) -> AsyncGenerator[WatchEvent, None]:
        """Yield the events of one watch.

        Raises:
            SourceUnavailable: it broke, or can no longer start there.
            AccessDenied: watching it is not allowed.

        """
        ...

    def take(self, event: WatchEvent) -> None:
        """Take one change."""
        ...

    def denied(self, why: str) -> None:
        """Hear that it may not be listed."""
        ...

    def lost(self, why: str) -> None:
        """Hear that its server does not answer."""
        ...


class _WatchEnded(SourceUnavailable):
    """Raise when a watch ended before its time, though the server answers."""


class _WatchDenied(AccessDenied):
    """Raise when something may be listed, but not watched."""


class Loop:
    """Lists and watches, again and again; the pauses grow while something is wrong."""

    def __init__(self, followed: Followed, timing: Timing, relist_every_s: float) -> None:
        self._followed = followed
        self._timing = timing
        self._relist_every_s = relist_every_s
        self._backoff = wait_random_exponential(multiplier=0.1, max=timing.pause_max_s)
        self._about = {followed.kind: followed.name}

    async def run(self) -> NoReturn:
        """Follow until cancelled."""
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
        resource_version = await self._followed.list()
        try:
            while (left_s := listed_at + self._relist_every_s - time.monotonic()) > 0:
                resource_version = await self._watch(resource_version, left_s)
        except AccessDenied as e:
            raise _WatchDenied(str(e)) from e
        except SourceUnavailable as e:
            if time.monotonic() - listed_at < self._timing.pause_max_s:
                raise _WatchEnded(str(e)) from e
            _log.debug("watch ended", error=str(e), **self._about)  # it held: list at once, without a pause

    async def _watch(self, resource_version: str, limit_s: float) -> str:
        """Hand on the events of one watch; return the resource version to go on from."""
        async with aclosing(self._followed.watch(resource_version, limit_s)) as events:
            async for event in events:
                resource_version = event.resource_version
                if event.kind != "BOOKMARK":
                    self._followed.take(event)
        return resource_version

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, AccessDenied):
            return self._timing.denied_pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        return self._backoff(state)

    def _say(self, state: RetryCallState) -> None:
        """Hand on what a failed try means; log the first one, and then every tenth."""
        error = state.outcome.exception() if state.outcome is not None else None
        say = _log.warning if state.attempt_number % 10 == 1 else _log.debug
        if isinstance(error, _WatchEnded | _WatchDenied):
            say("watch ended", error=str(error), **self._about)
        elif isinstance(error, AccessDenied):
            say(f"{self._followed.kind} denied", error=str(error), **self._about)
            self._followed.denied(str(error))
        else:
            say("waiting for the API server", error=str(error), **self._about)
            self._followed.lost(str(error))
