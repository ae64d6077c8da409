"""Read the last records of nodes from ``ACKS``, which keeps 64 of each."""

from collections import defaultdict

from common import subjects
from common.ack import NodeAck
from common.bus import Bus, translated
from common.streams import stream_info


async def read_last_acks(bus: Bus, subject: str, per_node: int) -> list[NodeAck]:
    """Return the last `per_node` records of each node that `subject` (wildcards allowed) matches, as they were stored.

    Raises:
        BusUnavailable: NATS does not answer.

    """
    info = await stream_info(bus, subjects.ACKS, subjects_filter=subject)
    if info is None or not info.state.subjects or per_node == 0:
        return []
    return _last(await _read_all(bus, subject), per_node)


async def _read_all(bus: Bus, subject: str) -> list[NodeAck]:
    """Return the records of a subject that is not empty. One more than was there cannot be missed, nor waited for."""
    found = []
    with translated("reading acks", bus):
        subscription = await bus.js.subscribe(subject, stream=subjects.ACKS, ordered_consumer=True)
        try:
            pending = 1
            while pending:
                message = await subscription.next_msg(timeout=bus.timeout_s)
                pending = message.metadata.num_pending
                ack = NodeAck.from_body(message.data)
                if ack is not None and message.subject == subjects.ack(ack.node):
                    found.append(ack)
        finally:
            await subscription.unsubscribe()
    return found


def _last(acks: list[NodeAck], per_node: int) -> list[NodeAck]:
    """Return the last `per_node` records of each node, in the order given."""
    seen: defaultdict[str, int] = defaultdict(int)
    kept = []
    for ack in reversed(acks):
        seen[ack.node] += 1
        if seen[ack.node] <= per_node:
            kept.append(ack)
    return kept[::-1]
