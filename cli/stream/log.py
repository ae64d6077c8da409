"""`routecast stream log`."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click
from rich.table import Table

from cli import exits
from cli.command import NATS_AWAY, Command
from cli.console import cell, table
from cli.line import CommandLine
from cli.newest import nothing_published, open_untrusted
from cli.output import Output, output_option
from cli.run import run
from cli.stream.changes import Op, changes, headlines
from cli.stream.head import changed_by
from cli.text import short_digest, when
from common.bus import Bus, connected
from common.clock import now
from common.errors import SnapshotRejected
from common.snapshot import Order, Reason, Snapshot
from common.streams import history_orders, read_version

if TYPE_CHECKING:
    from common.settings import Settings


_SHOWN = 3  # changes a line


@dataclass(frozen=True, slots=True)
class LogRow:
    """One version that is kept; `fault` when it cannot be read. Counts are None when the version before is not kept."""

    epoch: int
    version: int
    created_at: datetime | None = None
    reason: Reason | None = None
    digest: str | None = None
    changed_by: tuple[str, ...] = ()
    added: int | None = None
    changed: int | None = None
    removed: int | None = None
    what: tuple[str, ...] = ()
    """Each change in a few words, the most telling first."""
    fault: str | None = None


@click.command(
    cls=Command,
    example="""
    routecast stream log
    routecast stream log -n 3 -o json
    """,
    ends={exits.OK: "there is a version to show", exits.NOT_SO: "nothing was published yet", **NATS_AWAY},
)
@click.option("-n", "--last", type=click.IntRange(1, 256), default=20, show_default=True, help="How many versions.")
@output_option
@click.pass_obj
def log(line: CommandLine, *, last: int, output: Output) -> None:
    """List the versions that are kept, the newest first, and what each changed.

    The last 256 are kept; publishing again makes no version. CHANGED IN names the documents and who wrote them last,
    as the cluster knows it (the field manager), in a folder the file.
    """
    rows = run(_read(line.settings, last))
    if not rows:
        raise nothing_published()
    output.show(rows, lambda: _draw(rows))


async def _read(settings: "Settings", last: int) -> list[LogRow]:
    async with connected(settings.nats, "cli") as bus:
        orders = (await history_orders(bus))[-last - 1 :]
        async with asyncio.TaskGroup() as reads:
            tasks = [reads.create_task(_read_one(bus, order), name=str(order)) for order in orders]
    rows = make_log(orders, [task.result() for task in tasks])
    return rows[:last]


async def _read_one(bus: Bus, order: Order) -> Snapshot | str:
    """Return a version, or why it cannot be read."""
    stored = await read_version(bus, order)
    if stored is None:
        return "no longer kept"
    try:
        return open_untrusted(stored.sealed)
    except SnapshotRejected as e:
        return str(e)


def make_log(orders: Sequence[Order], versions: Sequence[Snapshot | str]) -> list[LogRow]:
    """Return the rows of some versions in ascending order, the newest first: what could be read, else why not."""
    befores: list[Snapshot | str | None] = [None, *versions]
    rows = [_row(order, before, it) for order, before, it in zip(orders, befores, versions, strict=False)]
    return rows[::-1]


def _row(order: Order, before: Snapshot | str | None, it: Snapshot | str) -> LogRow:
    if isinstance(it, str):
        return LogRow(order.epoch, order.version, fault=it)
    previous = before if isinstance(before, Snapshot) else None
    found = changes(previous.registry, it.registry) if previous is not None else ()
    counts = Counter(change.op for change in found) if previous is not None else None
    return LogRow(
        epoch=order.epoch,
        version=order.version,
        created_at=it.created_at,
        reason=it.reason,
        digest=it.digest,
        changed_by=tuple(changed_by(previous, it)) if previous is not None else (),
        added=counts[Op.ADDED] if counts is not None else None,
        changed=counts[Op.CHANGED] if counts is not None else None,
        removed=counts[Op.REMOVED] if counts is not None else None,
        what=headlines(found),
    )


def _some(what: Sequence[str]) -> str:
    """Return the first of some changes, and how many more there are."""
    more = len(what) - _SHOWN
    return ", ".join(what[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _draw(rows: Sequence[LogRow]) -> Table:
    at = now()
    several = len({row.epoch for row in rows}) > 1
    shown = table("VERSION", "CREATED", "REASON", "DIGEST", "WHAT CHANGED", "CHANGED IN")
    for row in rows:
        version = f"{row.epoch}/{row.version}" if several else row.version
        if row.fault is not None:
            shown.add_row(cell(version), cell(None), cell(None), cell(None), cell(None), cell(row.fault, "red"))
            continue
        shown.add_row(
            cell(version),
            cell(when(row.created_at, at)),
            cell(row.reason),
            cell(short_digest(row.digest or "")),
            cell(_some(row.what)),
            cell(", ".join(row.changed_by)),
        )
    return shown
