"""Take the newest snapshot off the node's durable. The only place that acks, naks and terms messages."""

from collections.abc import Awaitable, Callable
from functools import partial

import nats.errors
import nats.js.errors
from nats.aio.msg import Msg
from nats.js.client import JetStreamContext
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from common import log, subjects
from common.bus import Bus, notice_cancellation, translated
from common.clock import now
from common.errors import BusUnavailable
from common.settings.subscriber import SubscriberSettings
from common.snapshot import Sealed
from subscriber.node import Delivery, Disposition, Taken
from subscriber.report import Reporter

_log = log.get(__name__)

FETCH_S = 30
"""How long one pull request waits at the server; what the server calls waiting is what `nodes` calls online."""
HEARTBEAT_S = 5


class DurableMissing(BusUnavailable):
    """Raise when the node's durable consumer does not exist (yet): the publisher makes it."""


Take = Callable[[Sealed, Delivery], Awaitable[Taken]]
"""What answers a snapshot."""


async def consume(
    bus: Bus, take: Take, on_missing: Callable[[], Awaitable[object]], reporter: Reporter, settings: SubscriberSettings
) -> None:
    """Have each snapshot taken as it comes, and answer for it, for as long as the connection lasts.

    Without a durable `on_missing` is awaited from time to time: a node that was taken off the registry must still learn
    that what it exposes is no longer wanted.

    Raises:
        BusUnavailable: the connection is gone.

    """
    with translated("binding the durable", bus):
        pull = await bus.js.pull_subscribe_bind(consumer=subjects.durable(reporter.node), stream=subjects.REGISTRY)
    while True:
        try:
            message = await _fetch(pull)
        except DurableMissing:
            message = await _fetch_when_made(pull, reporter.node, on_missing)
        if message is None:
            continue
        delivery = Delivery(message.metadata.sequence.stream, now(), message.metadata.num_delivered)
        taken = await take(Sealed(message.data, message.headers or {}), delivery)
        settle = partial(_settle, message, taken.disposition, delivery.attempt, settings)
        await reporter.send(taken.acks, settle)


async def _fetch(pull: JetStreamContext.PullSubscription) -> Msg | None:
    """Return the next message, None when none came in time.

    Raises:
        DurableMissing: there is nothing to fetch from.
        BusUnavailable: the connection is gone.

    """
    try:
        messages = await pull.fetch(1, timeout=FETCH_S, heartbeat=HEARTBEAT_S)
        notice_cancellation()
    except nats.js.errors.ServiceUnavailableError as e:
        raise DurableMissing("the node's durable consumer does not exist") from e
    except nats.errors.ConnectionClosedError as e:
        raise BusUnavailable("the connection to NATS was lost") from e
    except nats.errors.TimeoutError:
        return None
    except nats.errors.Error as e:
        raise BusUnavailable(f"fetching: {e}") from e
    return messages[0]


async def _fetch_when_made(
    pull: JetStreamContext.PullSubscription, name: str, on_missing: Callable[[], Awaitable[object]]
) -> Msg | None:
    """Fetch again, with growing pauses, until there is a durable."""

    async def missing(state: RetryCallState) -> None:
        if state.attempt_number % 10 == 1:
            _log.warning("waiting for the publisher to make this node's durable: is it registered?", node=name)
        await on_missing()

    async for attempt in AsyncRetrying(
        retry=retry_if_exception_type(DurableMissing),
        wait=wait_random_exponential(multiplier=0.2, max=10),
        before_sleep=missing,
    ):
        with attempt:
            message = await _fetch(pull)
    return message


async def _settle(message: Msg, disposition: Disposition, attempt: int, settings: SubscriberSettings) -> None:
    """Confirm `message`: one table, one place."""
    match disposition:
        case Disposition.ACK:
            await _ack(message)
        case Disposition.RETRY:
            await message.nak(delay=settings.nak_delays_s[attempt - 1])
        case Disposition.TERM:
            await message.term()


async def _ack(message: Msg) -> None:
    """Ack and wait for the server's word; without it the message comes again and is found to be applied."""
    try:
        await message.ack_sync()
    except nats.errors.TimeoutError:
        _log.debug("ack not confirmed; the message may come again")
