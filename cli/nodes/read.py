"""Read from the bus what the report on the nodes is made of: three reads at once, then all records at once."""

import asyncio

from cli.newest import read_newest_untrusted
from cli.nodes.report import Facts
from common.bus import Bus
from common.clock import now
from common.streams import consumer_states, read_acks, read_statuses


async def read_facts(bus: Bus) -> Facts:
    """Return what the streams and the server say now.

    Raises:
        BusUnavailable: NATS does not answer.

    """
    async with asyncio.TaskGroup() as reads:
        newest_read = reads.create_task(read_newest_untrusted(bus), name="newest snapshot")
        statuses = reads.create_task(read_statuses(bus), name="publishers")
        consumers = reads.create_task(consumer_states(bus), name="consumers")
    newest = newest_read.result()
    nodes = newest.snapshot.registry.nodes if newest is not None and newest.snapshot is not None else ()
    acks = await read_acks(bus, (node.name for node in nodes))
    return Facts(now(), newest, statuses.result(), consumers.result(), acks)
