"""Look at the nodes' acks for the metrics. What is seen here never decides what is published."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from common.ack import NodeAck, Revision
from common.bus import Bus
from common.clock import now
from common.snapshot import Snapshot
from common.streams import ConsumerState, consumer_states, read_acks
from common.subjects import durable
from common.sync_state import Latest, SyncState, sync_state
from publisher.pipeline.controller import Controller

LOOK_EVERY_S = 15
"""How often acks and consumers are read; the usual scrape interval."""


@dataclass(frozen=True, slots=True)
class NodeView:
    """How one node stood at the last look."""

    node: str
    state: SyncState
    lag_s: float
    """How long the newest snapshot has existed without this node having applied it; 0 when it has."""


class Fleet:
    """The nodes of the newest registry, as seen at the last look."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.views: tuple[NodeView, ...] = ()

    async def watch(self, bus: Bus) -> None:
        """Look every `LOOK_EVERY_S`, for as long as the connection lasts.

        Raises:
            BusUnavailable: the connection is gone.

        """
        while True:
            newest, seq = self._controller.newest, self._controller.newest_seq
            if newest is not None:
                names = [node.name for node in newest.registry.nodes]
                acks, consumers = await asyncio.gather(read_acks(bus, names), consumer_states(bus))
                self.views = view(newest, seq, acks, consumers, now())
            await asyncio.sleep(LOOK_EVERY_S)


def view(
    newest: Snapshot,
    seq: int,
    acks: dict[str, NodeAck | None],
    consumers: dict[str, ConsumerState],
    at: datetime,
) -> tuple[NodeView, ...]:
    """Return how each node stands. Pure."""
    latest = Latest(Revision.of(newest), seq)
    views = []
    for node in newest.registry.nodes:
        ack = acks.get(node.name)
        state = sync_state(latest, ack, consumers.get(durable(node.name)), at)
        runs = ack is not None and ack.applied == latest.revision
        lag = 0.0 if runs else max(0.0, (at - newest.created_at).total_seconds())
        views.append(NodeView(node.name, state, lag))
    return tuple(views)
