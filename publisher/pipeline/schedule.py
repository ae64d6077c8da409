"""When a round is due: changes settle first, requests go at once, failures back off.

Asks the controller for rounds and makes none itself.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from common import log
from common.errors import BusUnavailable, NotReady, PermanentError, RoutecastError
from common.snapshot import Reason
from publisher.pipeline.controller import Controller, Round
from publisher.pipeline.settle import Settle

_log = log.get(__name__)

_RETRY_FIRST_S = 0.5
_RETRY_MAX_S = 5.0

_STRENGTH = {Reason.CHANGE: 0, Reason.RECONCILE: 1, Reason.PUSH: 2, Reason.ROLLBACK: 3}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody waits for."""

    reason: Reason
    unless_within_s: float
    answer: asyncio.Future[Round]

    @property
    def strength(self) -> tuple[int, float]:
        """How much it asks for: who asks for more decides for those who share the round."""
        return _STRENGTH[self.reason], -self.unless_within_s


class Schedule:
    """Collects what asks for a round, and runs one round at a time."""

    def __init__(self, controller: Controller, settle: Settle, on_round: Callable[[], None]) -> None:
        self._controller = controller
        self._settle = settle
        self._on_round = on_round
        self._asked: list[_Asked] = []
        self._wake = asyncio.Event()
        self._retry_at: float | None = None
        self._failures = 0
        self._last_error: str | None = None

    def changed(self) -> None:
        """Note that the source changed: a round is due when the change has settled."""
        self._settle.changed(time.monotonic())
        self._wake.set()

    async def ask(self, reason: Reason, unless_within_s: float = 0) -> Round:
        """Have a round run at once, and return how it ended; several who ask at a time share one.

        `unless_within_s` is that of `Controller.run_once`.

        Raises:
            RoutecastError: what the round raised.

        """
        answer: asyncio.Future[Round] = asyncio.get_running_loop().create_future()
        self._asked.append(_Asked(reason, unless_within_s, answer))
        self._wake.set()
        return await answer

    async def run(self) -> None:
        """Run rounds as they fall due, for as long as the connection lasts; the first one at once."""
        self._retry_at = time.monotonic()
        try:
            while True:
                await self._until_due()
                await self._run_round()
        finally:
            for each in self._asked:
                each.answer.cancel()
            self._asked.clear()

    async def _until_due(self) -> None:
        while not self._asked:
            self._wake.clear()
            times = [at for at in (self._settle.due(), self._retry_at) if at is not None]
            pause = max(0.0, min(times) - time.monotonic()) if times else None
            if pause == 0:
                return
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                return

    async def _run_round(self) -> None:
        asked, self._asked = self._asked, []
        most = max(asked, key=lambda each: each.strength, default=None)
        self._retry_at = None
        self._settle.published(time.monotonic())  # what changes from here on asks for the next round
        try:
            if most is None:
                done = await self._controller.run_once(Reason.CHANGE)
            else:
                done = await self._controller.run_once(most.reason, most.unless_within_s)
        except RoutecastError as e:
            self._failed(e)
            for each in asked:
                if not each.answer.done():
                    each.answer.set_exception(e)
            if isinstance(e, BusUnavailable):
                raise
        else:
            self._failures, self._last_error = 0, None
            for each in asked:
                if not each.answer.done():
                    each.answer.set_result(done)
        finally:
            self._on_round()

    def _failed(self, error: RoutecastError) -> None:
        """Plan the next try; say why, once for as long as the reason stays the same."""
        self._failures += 1
        self._retry_at = time.monotonic() + min(_RETRY_MAX_S, _RETRY_FIRST_S * 2 ** min(self._failures - 1, 8))
        if str(error) != self._last_error:
            self._last_error = str(error)
            say = _log.error if isinstance(error, PermanentError) else _log.warning
            say("waiting to publish" if isinstance(error, NotReady) else "round failed", error=str(error))
