"""One connection to NATS at a time, and nothing that outlives it.

The client's own reconnecting is off on purpose: a connection that is lost ends its session, `common.reconnect` opens a
new one. So no publish waits in a buffer to be sent after a newer one, no pull request is orphaned, and a server that
came back empty looks like any first start. Libraries' errors become ours here.

With TLS the client speaks first, and nothing but TLS: nats-py would else go on in plain text when the server, or who
stands before it, says that it has none. Credentials are read anew for each connection.
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import DEFAULT_INBOX_PREFIX, Client, RawCredentials

from common import log, subjects
from common.clock import now
from common.errors import AccessDenied, BusUnavailable
from common.masking import masked
from common.settings.nats import NatsSettings
from common.tls import away, tls_options
from common.transport import Login, choose, denial, is_denial, is_violation, refusal
from common.trust.credentials import read_credentials

T = TypeVar("T")

_log = log.get(__name__)

PING_INTERVAL_S = 5
"""A peer that answers no ping of this interval for `MAX_PINGS` times is gone: 15 s after a cable was cut."""
MAX_PINGS = 2

JETSTREAM = "$JS.API"
"""What requests to JetStream begin with, but for nodes with credentials."""
NODES_JETSTREAM = "CORE"
"""What they begin with in the nodes' account, which has none of its own and imports the few that a node needs."""

_CLOSE_S = 2.0  # to flush what was published
_KEPT = 32  # refusals


def nodes_jetstream(settings: NatsSettings) -> str:
    """Return what a node's requests to JetStream begin with: with credentials it is in the nodes' account."""
    return JETSTREAM if settings.credentials_file is None else NODES_JETSTREAM


class Bus:
    """A live connection. `closed` is set when it has ended, for whatever reason."""

    def __init__(self, settings: NatsSettings, jetstream_prefix: str = JETSTREAM) -> None:
        self.closed = asyncio.Event()
        self.denied: str | None = None
        """Why the server cut it, when it was to keep us out."""
        self.violations = 0
        self.say_refused: Callable[..., object] = _log.debug
        """Told of each request that the server refuses: who waits for it is told anyhow."""
        self._refused: deque[str] = deque(maxlen=_KEPT)
        self.login: Login | None = None
        self.nc = Client()
        self.timeout_s = settings.request_timeout_s
        self.jetstream_prefix = jetstream_prefix
        self.js = self.nc.jetstream(prefix=jetstream_prefix, timeout=settings.request_timeout_s)
        self._where = f"NATS at {masked(str(settings.url))}"

    @property
    def max_payload(self) -> int:
        """The server's limit for a message, headers included, in bytes."""
        return self.nc.max_payload

    def refusal(self, after: int = 0) -> str | None:
        """Return what the server refused first after so many `violations`, and whose credentials do not allow it."""
        new = min(self.violations - after, len(self._refused))
        return refusal(self._refused[-new], self.login) if new > 0 else None

    async def open(self, settings: NatsSettings, name: str) -> None:
        """Connect, or raise within the connect timeout.

        Raises:
            BusUnavailable: no server answers there; NotTrusted, when it does not prove to be the right one.
            AccessDenied: the server does not let us in.
            ConfigError: the credentials or the certificate authority cannot be used.

        """
        transport = choose(settings)
        options = {**await self._log_in(settings), **await tls_options(settings, transport)}
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
                    **options,
                )
            notice_cancellation()
        except asyncio.CancelledError:
            await self.close()
            raise
        except (OSError, nats.errors.Error, TimeoutError) as e:
            await self.close()
            notice_cancellation()
            cause = self.nc.last_error or e
            if is_denial(str(cause)):
                raise AccessDenied(f"{self._where} does not let us in: {self._why_denied(str(cause))}") from e
            raise await away(settings, transport, cause) from e

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
            AccessDenied: so it did, because the server does not let us in any longer.

        """
        task = asyncio.ensure_future(work)
        closed = asyncio.ensure_future(self.closed.wait())
        try:
            await asyncio.wait({task, closed}, return_when=asyncio.FIRST_COMPLETED)
            if task.done() and self.denied is None:
                return task.result()
            raise AccessDenied(self.denied) if self.denied else BusUnavailable("the connection to NATS was lost")
        finally:
            for each in (task, closed):
                each.cancel()
            await asyncio.gather(task, closed, return_exceptions=True)

    async def _log_in(self, settings: NatsSettings) -> dict[str, Any]:
        """Return with what the client says who we are; answers then come to an inbox that nobody else may hear."""
        file = settings.credentials_file
        if file is None:
            return {"inbox_prefix": DEFAULT_INBOX_PREFIX}
        credentials = await asyncio.to_thread(read_credentials, file)
        self.login = Login(str(file), credentials.name, credentials.expires)
        return {
            "user_credentials": RawCredentials(credentials.text.get_secret_value()),
            "inbox_prefix": subjects.inbox(credentials.name),
        }

    def _why_denied(self, said: str) -> str:
        return denial(said, self.login, node=self.jetstream_prefix == NODES_JETSTREAM, now=now())

    async def _on_error(self, error: Exception) -> None:
        self._note_denial()
        text = str(error)
        if is_violation(text):
            self._refused.append(text)
            self.violations += 1
            self.say_refused("nats refused", error=self.refusal(self.violations - 1))
        else:
            _log.debug("nats", error=text or type(error).__name__)

    async def _on_closed(self) -> None:
        self._note_denial()
        self.closed.set()

    def _note_denial(self) -> None:
        """Keep why we were cut, while the client knows it: the end of the stream that follows takes its place there."""
        said = str(self.nc.last_error or "")
        if self.denied is None and is_denial(said):
            self.denied = f"{self._where} no longer lets us in: {self._why_denied(said)}"


def notice_cancellation() -> None:
    """Raise the CancelledError that a call of the client may have swallowed.

    Up to Python 3.11 ``asyncio.wait_for``, which every request of nats-py waits in, drops a cancellation that comes
    together with the answer; a loop of ours would then go on for ever. Called after each such call.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


@contextmanager
def translated(what: str, bus: Bus | None = None) -> Iterator[None]:
    """Turn the client's errors about the connection into ours; `what` begins the message.

    JetStream's own answers (not found, wrong last sequence) pass through: their meaning is the caller's. A request that
    the server refuses gets no answer at all: of `bus` it is told which it refused meanwhile.

    Raises:
        BusUnavailable: no connection, no answer in time, or no JetStream on the server.

    """
    before = bus.violations if bus is not None else 0
    try:
        yield
        notice_cancellation()
    except nats.js.errors.ServiceUnavailableError as e:
        raise BusUnavailable(f"{what}: JetStream does not answer on this server; is it enabled?") from e
    except (nats.errors.TimeoutError, TimeoutError) as e:
        refused = bus.refusal(before) if bus is not None else None
        raise BusUnavailable(f"{what}: {refused or 'no answer in time'}") from e
    except nats.js.errors.Error:
        raise
    except (nats.errors.Error, OSError) as e:
        raise BusUnavailable(f"{what}: {str(e) or type(e).__name__}") from e


@asynccontextmanager
async def connected(settings: NatsSettings, name: str, *, jetstream_prefix: str = JETSTREAM) -> AsyncIterator[Bus]:
    """Yield a connection that is closed at the end.

    Raises:
        BusUnavailable: no server answers there; NotTrusted, when it does not prove to be the right one.
        AccessDenied: the server does not let us in.
        ConfigError: the credentials or the certificate authority cannot be used.

    """
    bus = Bus(settings, jetstream_prefix)
    await bus.open(settings, name)
    try:
        yield bus
    finally:
        await bus.close()
