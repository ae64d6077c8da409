"""`routecast acks`."""

from typing import TYPE_CHECKING, Never

import click

from cli import exits
from cli.acks import table
from cli.acks.read import read_last_acks
from cli.command import Command
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.run import run
from cli.values import node_name
from common import subjects
from common.ack import NodeAck
from common.bus import Bus, connected
from common.errors import BusUnavailable, NothingToShow
from common.streams import following_acks

if TYPE_CHECKING:
    from common.settings import Settings

KEPT = 64
"""Records of a node that the stream keeps."""


@click.command(
    cls=Command,
    example="""
    routecast acks
    routecast acks vinay-laptop -n 20
    routecast acks --follow -o json | jq -r 'select(.state == "failed") | .error.message'
    """,
    ends={
        exits.OK: "there is something to show",
        exits.NOT_SO: "no such node ever answered",
        exits.UNREACHABLE: "NATS cannot be reached, or the connection was lost while following",
    },
)
@click.argument("node", type=node_name, required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with new records as they come, until Ctrl-C.")
@click.option(
    "-n",
    "--last",
    type=click.IntRange(0, KEPT),
    help="How many records of each node to begin with. By default 1, of a single NODE 10.",
)
@output_option
@click.pass_obj
def acks(line: CommandLine, *, node: str | None, follow: bool, last: int | None, output: Output) -> None:
    """Show what nodes did with the snapshots they got.

    Each record is a node's own answer: the version it tried, how that ended, what it runs now, and what each of its
    targets changed (created +, updated ~, deleted -). The last 64 of each node are kept.
    """
    subject = subjects.ACK_ALL if node is None else subjects.ack(node)
    if last is None:
        last = 1 if node is None else 10
    if follow:
        run(_follow(line.settings, subject, last, output))
    found = run(_read(line.settings, subject, last))
    if not found:
        raise NothingToShow("no node ever answered" if node is None else f"node {node!r} never answered")
    output.show(found, lambda: table.draw(found))


async def _read(settings: "Settings", subject: str, last: int) -> list[NodeAck]:
    async with connected(settings.nats, "cli") as bus:
        return await bus.until_closed(read_last_acks(bus, subject, last))


async def _follow(settings: "Settings", subject: str, last: int, output: Output) -> Never:
    async with connected(settings.nats, "cli") as bus:
        await bus.until_closed(_print_as_they_come(bus, subject, last, output))
    raise BusUnavailable("the connection to NATS was lost")


async def _print_as_they_come(bus: Bus, subject: str, last: int, output: Output) -> None:
    async with following_acks(bus, subject, new_only=True) as new:
        before = await read_last_acks(bus, subject, last)  # only now: no record falls between the two
        for ack in before:
            _print(ack, output)
        async for ack in new:
            if ack not in before:
                _print(ack, output)


def _print(ack: NodeAck, output: Output) -> None:
    output.append(ack, lambda: table.line(ack))
