"""Keep streams and durable consumers in being: nodes only bind (DESIGN 5)."""

from collections.abc import Iterable
from typing import Any

import nats.js.errors
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
)

from common import log, subjects
from common.bus import Bus, translated
from common.streams import consumer_names, stream_info

_log = log.get(__name__)

HISTORY_VERSIONS = 256
ACKS_PER_NODE = 64
STATUS_MAX_AGE_S = 600
ACK_WAIT_S = 60


def stream_configs(replicas: int) -> tuple[StreamConfig, ...]:
    """Return the streams as DESIGN 5 has them, each kept by `replicas` servers."""
    return (
        _stream(
            replicas,
            name=subjects.REGISTRY,
            description="routecast: the newest snapshot",
            subjects=[subjects.SNAPSHOT],
            max_msgs_per_subject=1,
        ),
        _stream(
            replicas,
            name=subjects.HISTORY,
            description="routecast: past versions",
            subjects=[subjects.HISTORY_ALL],
            max_msgs=HISTORY_VERSIONS,
            max_msgs_per_subject=1,
            compression=StoreCompression.S2,
        ),
        _stream(
            replicas,
            name=subjects.ACKS,
            description="routecast: what the nodes did",
            subjects=[subjects.ACK_ALL],
            max_msgs_per_subject=ACKS_PER_NODE,
        ),
        _stream(
            replicas,
            name=subjects.STATUS,
            description="routecast: what the publishers see",
            subjects=[subjects.STATUS_ALL],
            max_msgs_per_subject=1,
            max_age=STATUS_MAX_AGE_S,
        ),
    )


def _stream(replicas: int, **given: Any) -> StreamConfig:
    """Return a stream on file, without any limit that is not given: also without one that somebody else has set."""
    unlimited = {"max_msgs": -1, "max_bytes": -1, "max_msg_size": -1, "max_age": 0}
    return StreamConfig(
        **{**unlimited, **given},
        storage=StorageType.FILE,
        discard=DiscardPolicy.OLD,
        allow_direct=True,
        num_replicas=replicas,
    )


def consumer_config(node: str) -> ConsumerConfig:
    """Return a node's durable: the newest snapshot, one at a time, redelivered until acked (FACTS 1)."""
    return ConsumerConfig(
        name=subjects.durable(node),
        durable_name=subjects.durable(node),
        filter_subject=subjects.SNAPSHOT,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT_S,
        max_deliver=-1,
        max_ack_pending=1,
    )


class Keeper:
    """Makes what is missing, over one connection."""

    def __init__(self, bus: Bus, replicas: int) -> None:
        self._bus = bus
        self._replicas = replicas

    async def ensure_streams(self) -> None:
        """Make each stream that does not exist; one that does is brought to our settings.

        Raises:
            BusUnavailable: no answer.

        """
        for config in stream_configs(self._replicas):
            name = str(config.name)
            info = await stream_info(self._bus, name)
            with translated(f"making stream {name}", self._bus):
                try:
                    if info is None:
                        await self._bus.js.add_stream(config)
                        _log.info("stream made", stream=name)
                    elif wanted := _differences(info.config, config):
                        await self._bus.js.update_stream(info.config.evolve(**wanted))
                        _log.info("stream brought to our settings", stream=name, changed=",".join(wanted))
                except nats.js.errors.APIError as e:
                    _log.error("stream is not as it should be", stream=name, error=e.description)

    async def ensure_consumers(self, nodes: Iterable[str]) -> None:
        """Make the durable consumer of each node that has none.

        Raises:
            BusUnavailable: no answer.

        """
        existing = await consumer_names(self._bus)
        for node in nodes:
            if subjects.durable(node) not in existing:
                with translated(f"making the consumer of {node}", self._bus):
                    try:
                        await self._bus.js.add_consumer(subjects.REGISTRY, consumer_config(node))
                    except nats.js.errors.APIError as e:
                        _log.error("consumer not made", node=node, error=e.description)
                        continue
                _log.info("consumer made", node=node)

    async def delete_consumers(self, nodes: Iterable[str]) -> None:
        """Delete the durable consumers of nodes that were removed from the registry; one that is gone is fine.

        Raises:
            BusUnavailable: no answer.

        """
        for node in nodes:
            with translated(f"deleting the consumer of {node}", self._bus):
                try:
                    await self._bus.js.delete_consumer(subjects.REGISTRY, subjects.durable(node))
                except nats.js.errors.NotFoundError:
                    continue
            _log.info("consumer deleted", node=node)


_OURS = (
    "subjects",
    "max_msgs",
    "max_msgs_per_subject",
    "max_bytes",
    "max_msg_size",
    "max_age",
    "discard",
    "allow_direct",
    "num_replicas",
    "compression",
)


def _differences(current: StreamConfig, wanted: StreamConfig) -> dict[str, object]:
    """Return the settings of ours, of those that can be updated, in which a stream differs."""
    return {
        key: getattr(wanted, key)
        for key in _OURS
        if getattr(wanted, key) is not None and getattr(current, key) != getattr(wanted, key)
    }
