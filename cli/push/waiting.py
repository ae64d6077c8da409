"""Have something published, and wait until every online node has answered to it."""

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli import console
from cli.control import ask
from cli.newest import read_newest_untrusted
from cli.push.tally import Answer, Tally
from common import subjects
from common.ack import NodeAck
from common.bus import Bus, connected
from common.clock import now
from common.control import ControlReply
from common.errors import BusUnavailable
from common.streams import consumer_states, following_acks
from common.sync_state import is_online

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from common.settings import Settings


@dataclass(frozen=True, slots=True)
class PushReport:
    """How a publish ended, as far as it was waited for."""

    epoch: int | None
    version: int | None
    stream_seq: int | None
    took_s: float
    answered: tuple[Answer, ...]
    missing: tuple[str, ...]
    """Online nodes that did not answer in time."""
    away: tuple[str, ...]
    """Nodes that are not online; they take it when they are back."""
    holds: bool


async def ask_and_wait(settings: "Settings", op: str, timeout_s: float) -> PushReport:
    """Have the publisher do `op`, which publishes, and wait until every online node has answered to that.

    Raises:
        BusUnavailable: no publisher is running, NATS cannot be reached, or the connection was lost.
        RoutecastError: the publisher could not, and says why.

    """
    async with connected(settings.nats, "cli") as bus:
        return await bus.until_closed(_ask_and_wait(bus, op, timeout_s))


async def _ask_and_wait(bus: Bus, op: str, timeout_s: float) -> PushReport:
    online = await _online(bus)
    async with following_acks(bus, subjects.ACK_ALL, new_only=True) as acks:  # before asking: no answer is missed
        started = time.monotonic()
        reply = await ask(bus, op, timeout_s=timeout_s)
        registered = await _registered(bus)
        tally = Tally(registered & online, reply.stream_seq or 0)
        await wait_for_answers(tally, acks, timeout_s)
    return _report(reply, tally, registered, time.monotonic() - started)


async def _online(bus: Bus) -> frozenset[str]:
    """Return the durables of all nodes that are there now."""
    states, at = await consumer_states(bus), now()
    return frozenset(name.removeprefix(subjects.durable("")) for name, it in states.items() if is_online(it, at))


async def _registered(bus: Bus) -> frozenset[str]:
    newest = await read_newest_untrusted(bus)
    snapshot = newest.snapshot if newest is not None else None
    return frozenset(node.name for node in snapshot.registry.nodes) if snapshot is not None else frozenset()


async def wait_for_answers(tally: Tally, acks: "AsyncIterator[NodeAck]", timeout_s: float) -> None:
    """Count records until all awaited nodes have answered or the time is over.

    Raises:
        BusUnavailable: the records ended first.

    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    out = console.stderr()
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task("nodes answered", total=len(tally.awaited))
        try:
            async with asyncio.timeout(timeout_s):
                while not tally.complete:
                    tally.count(await anext(acks))
                    bar.update(task, completed=len(tally.answers))
        except TimeoutError:
            return
        except StopAsyncIteration:
            raise BusUnavailable("the connection to NATS was lost while nodes were waited for") from None


def _report(reply: ControlReply, tally: Tally, registered: frozenset[str], took_s: float) -> PushReport:
    return PushReport(
        epoch=reply.epoch,
        version=reply.version,
        stream_seq=reply.stream_seq,
        took_s=round(took_s, 3),
        answered=tally.answers,
        missing=tally.missing,
        away=tuple(sorted(registered - tally.awaited)),
        holds=tally.holds,
    )
