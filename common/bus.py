"""One connection to NATS at a time, and nothing that outlives it.

The client's own reconnecting is off on purpose: a connection that is lost ends its session, `keep_connected` opens a
new one. So no publish waits in a buffer to be sent after a newer one, no pull request is orphaned, and a server that
came back empty looks like any first start. Libraries' errors become ours here.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from common import log
from common.errors import AccessDenied, BusUnavailable
from common.masking import masked_url
from common.settings.nats import NatsSettings

T = TypeVar("T")

_log = log.get(__name__)

PING_INTERVAL_S = 5
"""A peer that answers no ping of this interval for `MAX_PINGS` times is gone: 15 s after a cable was cut."""
MAX_PINGS = 2

_CLOSE_S = 2.0  # to flush what was published


class Bus:
    """A live connection. `closed` is set when it has ended, for whatever reason."""

    def __init__(self, settings: NatsSettings) -> None:
        self.closed = asyncio.Event()
        self.violation: str | None = None
        self.nc = Client()
        self.timeout_s = settings.request_timeout_s
        self.js = self.nc.jetstream(timeout=settings.request_timeout_s)

    @property
    def max_payload(self) -> int:
        """The server's limit for a message, headers included, in bytes."""
        return self.nc.max_payload

    async def open(self, settings: NatsSettings, name: str) -> None:
        """Connect, or raise within the connect timeout.

        Raises:
            BusUnavailable: no server answers there.
            AccessDenied: the server does not let us in.

        """
        try:
            async with asyncio.timeout(settings.connect_timeout_s + 1):
                await self.nc.connect(
                    str(settings.url),
                    name=f"routecast-{name}@{socket.gethostname()}",
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=settings.connect_timeout_s,  # type: ignore[arg-type] # typed int, used as float
                    ping_interval=PING_INTERVAL_S,
                    max_outstanding_pings=MAX_PINGS,
                    error_cb=self._on_error,
                    closed_cb=self._on_closed,
                )
            notice_cancellation()
        except asyncio.CancelledError:
            await self.close()
            raise
        except (OSError, nats.errors.Error, TimeoutError) as e:
            await self.close()
            notice_cancellation()
            where = f"NATS at {masked_url(str(settings.url))}"
            cause = self.nc.last_error or e
            if "auth" in str(cause).lower():  # authorization violation, authentication expired, ...: no type of its own
                raise AccessDenied(f"{where} does not let us in: {cause}") from e
            raise BusUnavailable(f"{where} does not answer ({str(cause) or type(cause).__name__})") from e

    async def close(self) -> None:
        """Close the connection; what was published is flushed first, unless the peer is gone. Safe to repeat."""
        self.closed.set()
        if not self.nc.is_closed:
            with contextlib.suppress(TimeoutError, OSError, nats.errors.Error):
                async with asyncio.timeout(_CLOSE_S):
                    await self.nc.close()

    async def until_closed(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work`, and cancel it as soon as the connection ends.

        Raises:
            BusUnavailable: the connection ended first.

        """
        task = asyncio.ensure_future(work)
        closed = asyncio.ensure_future(self.closed.wait())
        try:
            await asyncio.wait({task, closed}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise BusUnavailable("the connection to NATS was lost")
        finally:
            for each in (task, closed):
                each.cancel()
            await asyncio.gather(task, closed, return_exceptions=True)

    async def _on_error(self, error: Exception) -> None:
        text = str(error)
        if "permissions violation" in text.lower():
            self.violation = text
            _log.error("nats refused", error=text)
        else:
            _log.debug("nats", error=text or type(error).__name__)

    async def _on_closed(self) -> None:
        self.closed.set()


def notice_cancellation() -> None:
    """Raise the CancelledError that a call of the client may have swallowed.

    Up to Python 3.11 ``asyncio.wait_for``, which every request of nats-py waits in, drops a cancellation that comes
    together with the answer; a loop of ours would then go on for ever. Called after each such call.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn the client's errors about the connection into ours; `what` begins the message.

    JetStream's own answers (not found, wrong last sequence) pass through: their meaning is the caller's.

    Raises:
        BusUnavailable: no connection, no answer in time, or no JetStream on the server.

    """
    try:
        yield
        notice_cancellation()
    except nats.js.errors.ServiceUnavailableError as e:
        raise BusUnavailable(f"{what}: JetStream does not answer on this server; is it enabled?") from e
    except (nats.errors.TimeoutError, TimeoutError) as e:
        raise BusUnavailable(f"{what}: no answer in time") from e
    except nats.js.errors.Error:
        raise
    except (nats.errors.Error, OSError) as e:
        raise BusUnavailable(f"{what}: {str(e) or type(e).__name__}") from e


@asynccontextmanager
async def connected(settings: NatsSettings, name: str) -> AsyncIterator[Bus]:
    """Yield a connection that is closed at the end.

    Raises:
        BusUnavailable: no server answers there.
        AccessDenied: the server does not let us in.

    """
    bus = Bus(settings)
    await bus.open(settings, name)
    try:
        yield bus
    finally:
        await bus.close()


async def keep_connected(
    settings: NatsSettings,
    name: str,
    work: Callable[[Bus], Coroutine[Any, Any, None]],
    hurry: asyncio.Event | None = None,
) -> None:
    """Run `work` on a connection, again and again on a new one whenever it is lost, until cancelled or `work` returns.

    Pauses between attempts grow up to ``reconnect_max_s`` and are jittered; they begin anew after each success, and
    `hurry` cuts one short.
    """
    hurry = hurry or asyncio.Event()
    while True:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((BusUnavailable, AccessDenied)),
            wait=wait_random_exponential(multiplier=0.2, max=settings.reconnect_max_s),
            before_sleep=_say_what_we_wait_for,
            sleep=lambda pause: _sleep(pause, hurry),
        ):
            with attempt:
                bus = Bus(settings)
                await bus.open(settings, name)
        _log.info("connected to nats", url=masked_url(str(settings.url)), server=str(bus.nc.connected_server_version))
        ended = False
        try:
            await bus.until_closed(work(bus))
            ended = True
        except* BusUnavailable as lost:
            _log.warning("connection to nats ended", error=str(_first(lost)))
        finally:
            await bus.close()
        if ended:
            return
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


def _say_what_we_wait_for(state: RetryCallState) -> None:
    """Log the first failed attempt, then every tenth: nobody reads a line a second."""
    if state.attempt_number % 10 == 1 and state.outcome is not None:
        _log.warning("waiting for nats", attempt=state.attempt_number, error=str(state.outcome.exception()))
