"""`routecast push`."""

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from cli import console, exits
from cli.command import NO_PUBLISHER, Command
from cli.console import cell, table
from cli.control import ask
from cli.line import CommandLine
from cli.newest import read_newest_untrusted
from cli.output import Output, output_option
from cli.push.tally import Answer, Tally
from cli.run import run
from cli.text import count, took
from cli.values import duration
from common import subjects
from common.ack import NodeAck, State
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
    """How a push ended."""

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


@click.command(
    cls=Command,
    example="""
    routecast push
    routecast push --timeout 2m
    routecast push -o json | jq -r '.missing[]'
    """,
    ends={
        exits.OK: "every online node applied it",
        exits.NOT_SO: "an online node did not answer in time, or could not apply it",
        **NO_PUBLISHER,
    },
)
@click.option(
    "--timeout",
    "timeout_s",
    type=duration,
    default="30s",
    show_default=True,
    help="How long to wait for the publisher, and then for the nodes.",
)
@output_option
@click.pass_obj
@click.pass_context
def push(ctx: click.Context, line: CommandLine, *, timeout_s: float, output: Output) -> None:
    """Publish the registry again and wait for every online node to answer.

    Nodes that are up to date write nothing and say so. Those that are not online take it when they are back.
    """
    report = run(_push(line.settings, timeout_s))
    output.show(report, lambda: draw(report))
    if not report.holds:
        ctx.exit(exits.NOT_SO)


async def _push(settings: "Settings", timeout_s: float) -> PushReport:
    async with connected(settings.nats, "cli") as bus:
        return await bus.until_closed(_push_on(bus, timeout_s))


async def _push_on(bus: Bus, timeout_s: float) -> PushReport:
    online = await _online(bus)
    async with following_acks(bus, subjects.ACK_ALL, new_only=True) as acks:  # before asking: no answer is missed
        started = time.monotonic()
        reply = await ask(bus, "push", timeout_s=timeout_s)
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


def draw(report: PushReport) -> RenderableType:
    """Return the outcome in a line, then whoever did not apply it."""
    online = len(report.answered) + len(report.missing)
    parts: list[RenderableType] = [
        cell(
            f"version {report.version} published again (sequence {report.stream_seq}): "
            f"{len(report.answered)} of {count(online, 'online node')} answered in {took(report.took_s * 1000)}"
        )
    ]
    bad = table("NODE", "STATE", "ERROR")
    for answer in report.answered:
        if answer.state is not State.APPLIED:
            bad.add_row(cell(answer.node), cell(answer.state, "red"), cell(answer.error))
    for node in report.missing:
        bad.add_row(cell(node), cell("no answer", "red"), cell(f"see `routecast acks {node}`"))
    if bad.row_count:
        parts += [Text(), bad]
    if report.away:
        parts.append(cell(f"not online, will take it when back: {', '.join(report.away)}", "dim"))
    return Group(*parts)
