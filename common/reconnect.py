"""Keep a connection to NATS: a new one whenever one is lost, and what is said meanwhile."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Coroutine
from typing import Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from common import log
from common.bus import JETSTREAM, Bus
from common.errors import AccessDenied, BusUnavailable, ConfigError
from common.masking import masked
from common.settings.nats import NatsSettings

_log = log.get(__name__)


async def keep_connected(
    settings: NatsSettings,
    name: str,
    work: Callable[[Bus], Coroutine[Any, Any, None]],
    hurry: asyncio.Event | None = None,
    *,
    jetstream_prefix: str = JETSTREAM,
    on_trouble: Callable[[str | None], None] = lambda _: None,
) -> None:
    """Run `work` on a connection, again and again on a new one whenever it is lost, until cancelled or `work` returns.

    Pauses between attempts grow up to ``reconnect_max_s`` and are jittered; they begin anew after each success, and
    `hurry` cuts one short. Who is not let in any longer tries on as well: its credentials may be made good.
    `on_trouble` is told why there is no connection, and None when there is one.
    """
    hurry = hurry or asyncio.Event()
    while True:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((BusUnavailable, AccessDenied, ConfigError)),
            wait=wait_random_exponential(multiplier=0.2, max=settings.reconnect_max_s),
            before_sleep=_Waiting(on_trouble).say,
            sleep=lambda pause: _sleep(pause, hurry),
        ):
            with attempt:
                bus = Bus(settings, jetstream_prefix)
                bus.say_refused = _log.error
                await bus.open(settings, name)
        _log.info("connected to nats", url=masked(str(settings.url)), server=str(bus.nc.connected_server_version))
        on_trouble(None)
        ended = False
        try:
            await bus.until_closed(work(bus))
            ended = True
        except* BusUnavailable as lost:
            on_trouble(str(_first(lost)))
            _log.warning("connection to nats ended", error=str(_first(lost)))
        except* AccessDenied:
            if bus.denied is None:  # the work's own, about something else
                raise
            on_trouble(bus.denied)
            _log.error("nats no longer lets us in", error=bus.denied)
        finally:
            await bus.close()
        if ended:
            return
        if bus.denied is not None:
            await _sleep(settings.reconnect_max_s * random.uniform(0.5, 1), hurry)  # noqa: S311 - jitter, no secret
        await asyncio.sleep(0.05)  # a server that accepts and drops at once must not make us spin


async def _sleep(pause: float, hurry: asyncio.Event) -> None:
    hurry.clear()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(pause):
            await hurry.wait()


def _first(group: BaseExceptionGroup[BusUnavailable]) -> BaseException:
    """Return the first error of a group, however deep it lies."""
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


class _Waiting:
    """What is said while there is no connection: every new reason at once."""

    def __init__(self, on_trouble: Callable[[str | None], None]) -> None:
        self._on_trouble = on_trouble
        self._said: str | None = None

    def say(self, state: RetryCallState) -> None:
        """Log a reason that is new; one that lasts every tenth time, unless only a person can mend it."""
        error = state.outcome.exception() if state.outcome is not None else None
        if error is None:
            return
        why = str(error)
        self._on_trouble(why)
        if why != self._said or (isinstance(error, BusUnavailable) and state.attempt_number % 10 == 1):
            _log.warning("waiting for nats", attempt=state.attempt_number, error=why)
        self._said = why
