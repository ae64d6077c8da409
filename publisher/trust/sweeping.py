"""Delete what nodes that are kept out left on the bus: their durables, and their acks."""

import asyncio
import contextlib

import orjson

from common import log, subjects
from common.bus import Bus, translated
from common.streams import stream_info
from publisher.pipeline.keeper import Keeper
from publisher.trust.revocation import EVERY_S, Revocation

_log = log.get(__name__)


async def sweep_for_ever(bus: Bus, keeper: Keeper, revocation: Revocation) -> None:
    """Sweep whenever somebody new is kept out, and from time to time, for as long as the connection lasts.

    Not before the server keeps them out: they would write again.

    Raises:
        BusUnavailable: the connection is gone.

    """
    while True:
        revocation.told.clear()
        if revocation.gone:
            await _sweep(bus, keeper, revocation.gone)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY_S):
                await revocation.told.wait()


async def _sweep(bus: Bus, keeper: Keeper, gone: frozenset[str]) -> None:
    info = await stream_info(bus, subjects.ACKS, subjects_filter=subjects.ACK_ALL)
    kept = info.state.subjects or {} if info is not None else {}
    for node in sorted(gone):
        if subjects.ack(node) in kept:
            body = orjson.dumps({"filter": subjects.ack(node)})
            with translated(f"deleting the acks of {node}", bus):
                answer = await bus.nc.request(f"$JS.API.STREAM.PURGE.{subjects.ACKS}", body, timeout=bus.timeout_s)
            _log.info("acks deleted", node=node, count=orjson.loads(answer.data).get("purged", 0))
    await keeper.delete_consumers(gone)
