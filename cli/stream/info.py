"""`routecast stream info`."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli import exits
from cli.command import NATS_AWAY, Command
from cli.console import cell, pairs, table
from cli.line import CommandLine
from cli.newest import Newest, key_of, read_newest_untrusted
from cli.output import Output, output_option
from cli.run import run
from cli.stream.head import Head, head_of, head_rows
from cli.text import size, utc
from common import subjects
from common.bus import Bus, connected
from common.clock import now
from common.streams import Stored, stream_info

if TYPE_CHECKING:
    from common.settings import Settings

STREAMS = (subjects.REGISTRY, subjects.HISTORY, subjects.ACKS, subjects.STATUS)


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One stream; all None when it does not exist."""

    stream: str
    messages: int | None = None
    bytes: int | None = None
    first_seq: int | None = None
    last_seq: int | None = None
    consumers: int | None = None
    replicas: int | None = None


@dataclass(frozen=True, slots=True)
class MessageRow:
    """The newest message in ``REGISTRY``; `snapshot` is what it carries, None when `fault` says why not."""

    stream_seq: int
    stored_at: datetime
    message_id: str | None
    key: str | None
    bytes: int
    fault: str | None
    snapshot: Head | None


@dataclass(frozen=True, slots=True)
class Info:
    """All of it."""

    at: datetime
    newest: MessageRow | None
    streams: tuple[StreamRow, ...]


@click.command(
    cls=Command,
    example="routecast stream info",
    ends={exits.OK: "all streams exist", exits.NOT_SO: "a stream is missing; the publisher makes it", **NATS_AWAY},
)
@output_option
@click.pass_obj
@click.pass_context
def info(ctx: click.Context, line: CommandLine, *, output: Output) -> None:
    """Show the streams on the server and the newest snapshot."""
    found = run(_read(line.settings))
    output.show(found, lambda: _draw(found))
    if any(row.messages is None for row in found.streams):
        ctx.exit(exits.NOT_SO)


async def _read(settings: "Settings") -> Info:
    async with connected(settings.nats, "cli") as bus:
        async with asyncio.TaskGroup() as reads:
            newest = reads.create_task(read_newest_untrusted(bus), name="newest snapshot")
            rows = [reads.create_task(_read_stream(bus, name), name=name) for name in STREAMS]
        return Info(now(), _message_row(newest.result()), tuple(row.result() for row in rows))


async def _read_stream(bus: Bus, name: str) -> StreamRow:
    found = await stream_info(bus, name)
    if found is None:
        return StreamRow(name)
    return StreamRow(
        stream=name,
        messages=found.state.messages,
        bytes=found.state.bytes,
        first_seq=found.state.first_seq,
        last_seq=found.state.last_seq,
        consumers=found.state.consumer_count,
        replicas=found.config.num_replicas,
    )


def _message_row(newest: Newest | None) -> MessageRow | None:
    if newest is None:
        return None
    stored: Stored = newest.stored
    readable = newest.snapshot if newest.fault is None else None
    return MessageRow(
        stream_seq=stored.seq,
        stored_at=stored.stored_at,
        message_id=stored.message_id,
        key=key_of(stored.sealed),
        bytes=len(stored.sealed.body),
        fault=newest.fault,
        snapshot=head_of(readable) if readable is not None else None,
    )


def _draw(found: Info) -> RenderableType:
    return Group(_draw_newest(found), Text(), _draw_streams(found))


def _draw_newest(found: Info) -> RenderableType:
    newest = found.newest
    if newest is None:
        return Text("nothing was published yet", style="red")
    rows = pairs()
    if newest.snapshot is not None:
        head_rows(rows, newest.snapshot, found.at)
    if newest.fault is not None:
        rows.add_row("fault", cell(newest.fault, "red"))
    rows.add_row("signed with", cell(newest.key))
    rows.add_row("message", cell(f"sequence {newest.stream_seq}, {size(newest.bytes)}, id {newest.message_id}"))
    rows.add_row("stored", cell(utc(newest.stored_at)))
    return rows


def _draw_streams(found: Info) -> Table:
    numbers = ("MESSAGES", "SIZE", "FIRST", "LAST", "CONSUMERS", "REPLICAS")
    shown = table("STREAM", *numbers, right=numbers)
    for row in found.streams:
        if row.messages is None or row.bytes is None:
            shown.add_row(cell(row.stream), cell("missing", "red"))
            continue
        values = (row.messages, size(row.bytes), row.first_seq, row.last_seq, row.consumers, row.replicas)
        shown.add_row(cell(row.stream), *map(cell, values))
    return shown
