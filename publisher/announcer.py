"""Tell the registry's problems where its documents are kept: as Events, when the source is a cluster.

Runs beside the rounds and never within one, whether or not NATS is there.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from common import log
from common.errors import AccessDenied, SourceUnavailable
from common.problems import Problem
from common.snapshot import Snapshot
from publisher.pipeline.parse import parse
from publisher.pipeline.store import Store
from publisher.source.source import Conflict, Source

_log = log.get(__name__)

_MEETINGS = 10
"""So often in a row another publisher may have been faster before it is worth a word."""


@runtime_checkable
class TellsProblems(Protocol):
    """A source that can show problems beside its documents; a folder cannot."""

    async def may_tell(self) -> bool:
        """Tell whether it is allowed to; if not, it has logged how to grant it."""
        ...

    async def tell(self, problems: Sequence[Problem]) -> bool:
        """Show these problems, and none besides; return whether anything had to be written for it.

        Raises:
            SourceUnavailable: the source does not answer.
            AccessDenied: it is not allowed.

        """
        ...


class Rounds(Protocol):
    """What the rounds saw last."""

    @property
    def newest(self) -> Snapshot | None:
        """The newest snapshot."""
        ...

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong in the documents."""
        ...

    @property
    def waiting_for(self) -> str | None:
        """What keeps them from their end; None when nothing does."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often problems are told, in s."""

    gap_s: float = 2.0
    """The shortest pause between two times: what flaps is not to flood the API server."""
    every_s: float = 900.0
    """How often they are told though nothing changed, so that the cluster does not forget them."""
    pause_max_s: float = 60.0
    """The longest pause after a failure."""
    denied_pause_s: float = 300.0
    """The pause after a refusal: only a person can mend it, and who does without the Events never will."""


class Announcer:
    """Has the source tell the problems when they differ, and now and then.

    `others` are problems that the rounds do not see; None while nobody has looked for them.
    """

    def __init__(
        self,
        source: Source | TellsProblems,
        rounds: Rounds,
        store: Store,
        others: Callable[[], tuple[Problem, ...] | None] = tuple,
        pace: Pace | None = None,
    ) -> None:
        self._board = source if isinstance(source, TellsProblems) else None
        self._rounds = rounds
        self._store = store
        self._others = others
        self._pace = pace or Pace()
        self._backoff = wait_random_exponential(multiplier=0.5, max=self._pace.pause_max_s)
        self._look = asyncio.Event()
        self._said: set[type[BaseException]] = set()
        """Why it fails just now, as far as it was logged."""

    def changed(self) -> None:
        """Have the problems compared with what was told last."""
        self._look.set()

    async def run(self) -> None:
        """Tell the problems until cancelled; with a source that cannot show them there is nothing to do."""
        if self._board is None:
            return
        if not await self._board.may_tell():
            self._said.add(AccessDenied)
        told: tuple[Problem, ...] | None = None
        due = time.monotonic()
        while True:
            self._look.clear()
            problems = self._problems()
            if problems is not None and (problems != told or time.monotonic() >= due):
                told = await self._tell(self._board, problems)
                due = time.monotonic() + self._pace.every_s * random.uniform(0.9, 1.1)  # noqa: S311 - jitter
                await asyncio.sleep(self._pace.gap_s)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if told is None else max(0, due - time.monotonic())):
                    await self._look.wait()

    async def _tell(self, board: TellsProblems, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
        """Tell the problems, with every try the newest ones, until it is done; return those that were told."""
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((SourceUnavailable, AccessDenied)), wait=self._pause, before_sleep=self._say
        ):
            with attempt:
                newest = self._problems()
                problems = problems if newest is None else newest
                written = await board.tell(problems)
        if written and self._said:
            _log.info("problems are told as Events from now on")
        self._said &= set() if written else {AccessDenied}  # nothing to write is no proof that it may be written
        return problems

    def _problems(self) -> tuple[Problem, ...] | None:
        """Return what is wrong in the registry now; None while nobody has looked.

        While something keeps the rounds from their end, as NATS that is away, what changed since is looked at here, if
        this process knows what was published last; else the same fault might read differently in the next round.
        """
        newest, problems, others = self._rounds.newest, self._rounds.problems, self._others()
        if others is None or (newest is None and not problems):
            return None
        if newest is not None and self._rounds.waiting_for is not None:
            problems = parse(self._store.documents, newest.registry).problems
        return (*problems, *others)

    def _pause(self, state: RetryCallState) -> float:
        if isinstance(_error(state), AccessDenied):
            return self._pace.denied_pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        return self._backoff(state)

    def _say(self, state: RetryCallState) -> None:
        """Log each kind of failure of a row once; that two publishers meet is none."""
        error = _error(state)
        met = isinstance(error, Conflict) and state.attempt_number < _MEETINGS
        say = _log.debug if met or type(error) in self._said else _log.warning
        say("problems are not told as Events, trying again", error=str(error))
        if error is not None and not met:
            self._said.add(type(error))


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None
