"""Read the last records of nodes from ``ACKS``, which keeps 64 of each. Reading only: no consumer is made."""

import asyncio

import nats.js.errors

from common import subjects
from common.ack import NodeAck
from common.bus import Bus, translated
from common.streams import stream_info

_Record = tuple[int, NodeAck]
"""Its stream sequence, and the record."""


async def read_last_acks(bus: Bus, subject: str, per_node: int) -> list[NodeAck]:
    """Return the last `per_node` records of each node that `subject` (wildcards allowed) matches, as they were stored.

    Raises:
        BusUnavailable: NATS does not answer.

    """
    info = await stream_info(bus, subjects.ACKS, subjects_filter=subject)
    if info is None or not info.state.subjects or per_node == 0:
        return []
    of_nodes = await asyncio.gather(*(_records(bus, each, per_node) for each in info.state.subjects))
    return [ack for _, ack in sorted((record for records in of_nodes for record in records), key=lambda each: each[0])]


async def _records(bus: Bus, subject: str, count: int) -> list[_Record]:
    """Return the last `count` records of one node; what is none of its is left out."""
    found: list[_Record] = []
    seq = 0
    with translated("reading acks", bus):
        while True:
            try:
                if count == 1:
                    message = await bus.js.get_msg(subjects.ACKS, subject=subject, direct=True)
                else:
                    message = await bus.js.get_msg(subjects.ACKS, seq + 1, subject=subject, direct=True, next=True)
            except nats.js.errors.NotFoundError:
                break
            seq = message.seq or seq + 1
            ack = NodeAck.from_body(message.data or b"")
            if ack is not None and subject == subjects.ack(ack.node):
                found.append((seq, ack))
            if count == 1:
                break
    return found[-count:]
