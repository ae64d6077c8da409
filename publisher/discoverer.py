"""Keep the registry at what the cluster's LoadBalancer Services say, continuously."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Protocol

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from common import log
from common.errors import AccessDenied, EditRefused, SourceUnavailable
from publisher.registry.discovery import follow_services
from publisher.registry.editor import Editor
from publisher.source.cluster_service import ClusterService

_log = log.get(__name__)

LOOK_EVERY_S = 60.0
"""How often the registry is compared with the Services even when neither is known to have changed."""
_PAUSE_MAX_S = 5.0
_DENIED_PAUSE_S = 30.0
"""The pause after a refusal: only a person can mend it."""


class FollowsServices(Protocol):
    """What tells of the cluster's LoadBalancer Services."""

    def follow(self) -> AsyncIterator[tuple[ClusterService, ...]]:
        """Yield all of them once they are listed, and again after each change, for ever."""
        ...


class Discoverer:
    """Edits the registry as Services come, change and go. What a person set is never changed (`discover`)."""

    def __init__(self, services: FollowsServices, editor: Editor) -> None:
        self._services = services
        self._editor = editor
        self._newest: tuple[ClusterService, ...] | None = None
        self._look = asyncio.Event()
        self._backoff = wait_random_exponential(multiplier=0.1, max=_PAUSE_MAX_S)
        self._said: frozenset[str] = frozenset()

    def changed(self) -> None:
        """Have the registry compared with the Services."""
        self._look.set()

    async def run(self) -> None:
        """Follow the Services until cancelled; what cannot be written is logged, and tried again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(), name="follow services")
            tasks.create_task(self._bring_for_ever(), name="bring services")

    async def _follow(self) -> None:
        async for services in self._services.follow():
            self._newest = services
            self._look.set()

    async def _bring_for_ever(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._look.wait()
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type((SourceUnavailable, AccessDenied)),
                wait=self._pause,
                before_sleep=_say,
            ):
                with attempt:
                    self._look.clear()
                    await self._bring()

    async def _bring(self) -> None:
        """Write what the newest known Services propose: a try that failed is never repeated with older ones."""
        if self._newest is None:
            return
        try:
            written = await self._editor.apply(follow_services(self._newest))
        except EditRefused as e:
            self._say_new({str(e)})
            return
        self._say_new(set(written.plan.notes))
        if written.versions:
            entries = sorted({change.entry for change in written.plan.changes})
            _log.info("registry follows the cluster", entries=",".join(entries))

    def _say_new(self, notes: set[str]) -> None:
        """Log what was not said at the last look."""
        for note in sorted(notes - self._said):
            _log.warning("discovered", note=note)
        self._said = frozenset(notes)

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        if isinstance(error, AccessDenied):
            return _DENIED_PAUSE_S * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        return self._backoff(state)


def _say(state: RetryCallState) -> None:
    """Log the first failed try, then every tenth."""
    if state.attempt_number % 10 == 1 and state.outcome is not None:
        _log.warning("what was discovered is not written yet", error=str(state.outcome.exception()))
