"""Write into the streams what a publisher and nodes would: for commands that only read them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

import nats.errors
import orjson

from common import subjects
from common.ack import Agent, NodeAck, Revision, State, TargetAck
from common.bus import Bus
from common.clock import now
from common.models import Registry
from common.snapshot import Sealed, Snapshot, seal
from common.status import PublisherStatus
from publisher.pipeline.keeper import consumer_config, stream_configs
from tests.registries import REFERENCE, SIGNER, snapshot


async def make_streams(bus: Bus) -> None:
    """Make the streams as DESIGN 5 has them."""
    for config in stream_configs(1):
        await bus.js.add_stream(config)


async def publish(bus: Bus, published: Snapshot, *, history: bool = True) -> int:
    """Store a snapshot as the newest one, by default in the history too; return its stream sequence."""
    sealed = seal(published, SIGNER)
    if history:
        await bus.js.publish(subjects.history(*published.order), sealed.body, headers=dict(sealed.headers))
    return await publish_raw(bus, sealed)


async def publish_raw(bus: Bus, sealed: Sealed) -> int:
    """Store any message as the newest one."""
    return (await bus.js.publish(subjects.SNAPSHOT, sealed.body, headers=dict(sealed.headers))).seq


async def publish_registry(bus: Bus, registry: Registry = REFERENCE, *, version: int = 57, **fields: Any) -> Snapshot:
    """Publish a registry that is a second old; return its snapshot."""
    made = snapshot(registry, version=version).model_copy(update={"published_at": now(), "created_at": now(), **fields})
    await publish(bus, made)
    return made


async def make_consumers(bus: Bus, *nodes: str) -> None:
    """Make the durables of some nodes."""
    for node in nodes:
        await bus.js.add_consumer(subjects.REGISTRY, consumer_config(node))


def ack_of(node: str, ran: Snapshot, seq: int | None = None, **fields: Any) -> NodeAck:
    """Return the record of a node that applied a snapshot, unless `fields` say otherwise."""
    wanted = next(each for each in ran.registry.nodes if each.name == node)
    made = NodeAck(
        node=node,
        role=wanted.role,
        instance="1",
        attempted=Revision.of(ran),
        state=State.APPLIED,
        applied=Revision.of(ran),
        stream_seq=seq,
        finished_at=now(),
        targets={"hosts": TargetAck(state=State.APPLIED, applied=Revision.of(ran), took_ms=12.3, checked="file")},
        agent=Agent(version="0.1.0", host=node),
    )
    return made.model_copy(update=fields)


async def answer(bus: Bus, ack: NodeAck) -> None:
    """Store a node's record."""
    await bus.js.publish(subjects.ack(ack.node), ack.to_body())


async def report(bus: Bus, instance: str = "cp1-1", at: datetime | None = None, **fields: Any) -> PublisherStatus:
    """Store a publisher's status."""
    at = at or now()
    made = PublisherStatus(
        instance=instance, host="cp1", agent_version="0.1.0", started_at=at, at=at, epoch=1, version=57
    ).model_copy(update=fields)
    await bus.js.publish(subjects.status(instance), orjson.dumps(made.model_dump(mode="json", by_alias=True)))
    return made


@asynccontextmanager
async def online(bus: Bus, *nodes: str) -> AsyncIterator[None]:
    """Have some nodes wait for messages while the body runs, as their subscribers would; naming one twice clones it.

    The messages that were there before are taken first.
    """
    async with AsyncExitStack() as stack:
        for node in nodes:
            await stack.enter_async_context(_waiting(bus, node))
        yield


@asynccontextmanager
async def _waiting(bus: Bus, node: str) -> AsyncIterator[None]:
    durable = subjects.durable(node)
    subscription = await bus.js.pull_subscribe_bind(durable=durable, stream=subjects.REGISTRY)
    before = (await bus.js.consumer_info(subjects.REGISTRY, durable)).num_waiting or 0

    async def wait() -> None:
        while True:
            try:
                for message in await subscription.fetch(1, timeout=30):
                    await message.ack()
            except nats.errors.TimeoutError:
                continue

    task = asyncio.create_task(wait(), name=f"{node} waits")
    try:
        async with asyncio.timeout(10):
            while True:
                info = await bus.js.consumer_info(subjects.REGISTRY, durable)
                if (info.num_waiting or 0) > before and not info.num_pending and not info.num_ack_pending:
                    break
                await asyncio.sleep(0.01)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
