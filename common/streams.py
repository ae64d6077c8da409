"""Read what the streams hold: the newest snapshot, history, acks, publishers' status, consumers.

Reading only, for both ends and the command line. Writing is the publisher's (`publisher.pipeline.stream`) and, for its
own ack, the node's (`subscriber.report`).
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import nats.errors
import nats.js.errors
import orjson
from nats.aio.msg import Msg
from nats.js.api import ConsumerInfo, RawStreamMsg, StreamInfo
from pydantic import ValidationError

from common import subjects
from common.ack import NodeAck
from common.bus import Bus, translated
from common.errors import BusUnavailable
from common.snapshot import Order, Sealed
from common.status import PublisherStatus


@dataclass(frozen=True, slots=True)
class Stored:
    """A snapshot message as a stream holds it."""

    sealed: Sealed
    seq: int
    stored_at: datetime

    @property
    def message_id(self) -> str | None:
        """The id that its publisher gave it."""
        return self.sealed.headers.get("Nats-Msg-Id")


@dataclass(frozen=True, slots=True)
class ConsumerState:
    """How a node's durable consumer stands at the server."""

    name: str
    num_waiting: int
    num_pending: int
    num_ack_pending: int
    last_active: datetime | None
    """When a message was last delivered."""
    paused: bool


async def read_newest(bus: Bus) -> Stored | None:
    """Return the newest snapshot message, by direct get; None when there is none, or no stream."""
    return await _read(bus, subjects.REGISTRY, subjects.SNAPSHOT)


async def read_version(bus: Bus, order: Order) -> Stored | None:
    """Return one version from the history, None when it is not kept."""
    return await _read(bus, subjects.HISTORY, subjects.history(*order))


async def read_newest_history(bus: Bus) -> Stored | None:
    """Return the version that went into the history last, None when it is empty."""
    return await _read(bus, subjects.HISTORY, subjects.HISTORY_ALL, direct=False)  # a direct get takes no wildcard


async def history_orders(bus: Bus) -> list[Order]:
    """Return which versions the history keeps, ascending."""
    info = await stream_info(bus, subjects.HISTORY, subjects_filter=subjects.HISTORY_ALL)
    kept = info.state.subjects or {} if info is not None else {}
    return sorted(Order(*map(int, subject.split(".")[2:4])) for subject in kept)


async def read_ack(bus: Bus, node: str) -> NodeAck | None:
    """Return a node's newest ack record, None when it never sent one that can be read."""
    message = await _read_raw(bus, subjects.ACKS, subjects.ack(node))
    return NodeAck.from_body(message.data or b"") if message is not None else None


async def read_acks(bus: Bus, nodes: Iterable[str]) -> dict[str, NodeAck | None]:
    """Return the newest ack record of each of `nodes`."""
    names = list(nodes)
    return dict(zip(names, await asyncio.gather(*(read_ack(bus, name) for name in names)), strict=True))


async def read_statuses(bus: Bus) -> list[PublisherStatus]:
    """Return what the publishers said of themselves within the last minutes, the newest first."""
    info = await stream_info(bus, subjects.STATUS, subjects_filter=subjects.STATUS_ALL)
    kept = info.state.subjects or {} if info is not None else {}
    messages = await asyncio.gather(*(_read_raw(bus, subjects.STATUS, subject) for subject in kept))
    found = []
    for message in messages:
        try:
            found.append(PublisherStatus.model_validate_json((message.data if message is not None else None) or b""))
        except ValidationError:
            continue
    return sorted(found, key=lambda status: status.at, reverse=True)


async def consumer_states(bus: Bus) -> dict[str, ConsumerState]:
    """Return the durable consumers of ``REGISTRY`` by name."""
    states: dict[str, ConsumerState] = {}
    while True:
        with translated("listing consumers", bus):
            try:
                page = await bus.js.consumers_info(subjects.REGISTRY, offset=len(states))
            except nats.js.errors.NotFoundError:
                return {}
        states.update({info.name: _consumer_state(info) for info in page})
        if len(page) < _CONSUMER_PAGE:
            return states


_CONSUMER_PAGE = 256  # the server's limit for one answer


async def consumer_names(bus: Bus) -> frozenset[str]:
    """Return the names of the consumers of ``REGISTRY``: what costs the server less than their states.

    Raises:
        BusUnavailable: no answer.

    """
    names: set[str] = set()
    while True:
        with translated("listing consumers", bus):
            body = orjson.dumps({"offset": len(names)})
            subject = f"{bus.jetstream_prefix}.CONSUMER.NAMES.{subjects.REGISTRY}"
            answer = await bus.nc.request(subject, body, timeout=bus.timeout_s)
        page = orjson.loads(answer.data)
        found = page.get("consumers") or []
        names.update(found)
        if not found or len(names) >= page["total"]:
            return frozenset(names)


def _consumer_state(info: ConsumerInfo) -> ConsumerState:
    return ConsumerState(
        name=info.name,
        num_waiting=info.num_waiting or 0,
        num_pending=info.num_pending or 0,
        num_ack_pending=info.num_ack_pending or 0,
        last_active=info.delivered.last_active if info.delivered is not None else None,
        paused=bool(info.paused),
    )


async def stream_info(bus: Bus, name: str, *, subjects_filter: str | None = None) -> StreamInfo | None:
    """Return what the server says of a stream, None when it does not exist."""
    with translated(f"reading stream {name}", bus):
        try:
            return await bus.js.stream_info(name, subjects_filter=subjects_filter)
        except nats.js.errors.NotFoundError:
            return None


@asynccontextmanager
async def following_acks(bus: Bus, subject: str, *, new_only: bool) -> AsyncIterator[AsyncIterator[NodeAck]]:
    """Yield an endless iterator over ack records of a subject (wildcards allowed) as they are sent.

    With `new_only` it begins with the next record, else with the newest of each node. It listens before the body runs:
    a record that is sent later is not missed. It only listens: nothing is made on the server, so it needs no right to.
    It ends with the connection.

    Raises:
        BusUnavailable: no publisher has made the stream yet, or the connection is gone.

    """
    kept = await stream_info(bus, subjects.ACKS, subjects_filter=subject)
    if kept is None:
        raise BusUnavailable(
            "no publisher is running, nor ever was on this NATS server: its streams do not exist; "
            "start one with `routecast publisher run`"
        )
    with translated("following acks", bus):
        subscription = await bus.nc.subscribe(subject)
        await bus.nc.flush()
    try:
        yield _acks_of(bus, [] if new_only else sorted(kept.state.subjects or {}), subscription.messages)
    finally:
        with translated("following acks", bus):
            if not bus.nc.is_closed:
                await subscription.unsubscribe()


async def _acks_of(bus: Bus, first: list[str], messages: AsyncIterator[Msg]) -> AsyncIterator[NodeAck]:
    """Yield the newest record of each of the subjects `first`, then those of `messages`; one may come twice."""
    for subject in first:
        record = await _read_raw(bus, subjects.ACKS, subject)
        ack = NodeAck.from_body(record.data or b"") if record is not None else None
        if ack is not None and subject == subjects.ack(ack.node):
            yield ack
    async for message in messages:
        ack = NodeAck.from_body(message.data)
        if ack is not None and message.subject == subjects.ack(ack.node):
            yield ack


async def _read(bus: Bus, stream: str, subject: str, *, direct: bool = True) -> Stored | None:
    message = await _read_raw(bus, stream, subject, direct=direct)
    if message is None:
        return None
    return Stored(
        sealed=Sealed(message.data or b"", message.headers or {}),
        seq=message.seq or 0,
        stored_at=message.time or datetime.fromtimestamp(0, UTC),
    )


async def _read_raw(bus: Bus, stream: str, subject: str, *, direct: bool = True) -> RawStreamMsg | None:
    """Read the last message of a subject; no message and no stream look the same to a direct get."""
    with translated(f"reading {subject}", bus):
        try:
            return await bus.js.get_last_msg(stream, subject, direct=direct)
        except (nats.js.errors.NotFoundError, nats.errors.NoRespondersError):
            return None
