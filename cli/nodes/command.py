"""`routecast nodes`."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Never

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from cli import console, exits
from cli.command import NATS_AWAY, Command
from cli.line import CommandLine
from cli.nodes.read import read_facts
from cli.nodes.report import Report, make_report
from cli.nodes.table import draw
from cli.output import Output, output_option
from cli.run import first_of_ours, run
from cli.text import printable, utc
from common.bus import connected
from common.clock import now
from common.errors import BusUnavailable

if TYPE_CHECKING:
    from common.settings import Settings

REDRAW_S = 2.0


@click.command(
    cls=Command,
    example="""
    routecast nodes
    routecast nodes --watch
    routecast nodes --strict -o json | jq -r '.nodes[] | select(.state != "synced") | .node'
    """,
    ends={
        exits.OK: "every online node is synced",
        exits.NOT_SO: "an online node is not synced (with --strict: any node), or nothing was published yet",
        **NATS_AWAY,
    },
)
@click.option("-w", "--watch", is_flag=True, help="Show it again every 2 seconds, until Ctrl-C.")
@click.option("--strict", is_flag=True, help="Count nodes that are offline, or never answered, as not synced.")
@output_option
@click.pass_obj
@click.pass_context
def nodes(ctx: click.Context, line: CommandLine, *, watch: bool, strict: bool, output: Output) -> None:
    """Show how every node stands.

    The worst first: rejected, failed, duplicate, drifted, lagging, never, offline, synced. Above them the publisher
    and the newest snapshot. Whether a node is online is what the NATS server sees of its connection.
    """
    if watch:
        run(_watch(line.settings, output))
    report = run(_read_once(line.settings))
    output.show(report, lambda: draw(report, console.stdout().width))
    if not report.holds(strict=strict):
        ctx.exit(exits.NOT_SO)


async def _read_once(settings: "Settings") -> Report:
    async with connected(settings.nats, "cli") as bus:
        return make_report(await bus.until_closed(read_facts(bus)))


async def _watch(settings: "Settings", output: Output) -> Never:
    """Show report after report, until cancelled. That NATS is away is shown too, except at the start."""
    await _read_once(settings)
    if not (output.for_people and console.stdout().is_terminal):
        await _keep_reading(settings, lambda report: _append(report, output), console.note)
    with Live(console=console.stdout(), auto_refresh=False) as live:
        shown: RenderableType = Text()

        def redraw(report: Report) -> None:
            nonlocal shown
            shown = draw(report, live.console.width)
            live.update(Group(shown, Text(f"\n{utc(report.at)}  Ctrl-C ends", style="dim")), refresh=True)

        def warn(text: str) -> None:
            live.update(Group(shown, Text(printable(f"\n{text}"), style="red")), refresh=True)

        await _keep_reading(settings, redraw, warn)


def _append(report: Report, output: Output) -> None:
    output.append(report, lambda: Group(Text(f"== {utc(report.at)}"), draw(report, console.stdout().width), Text()))


async def _keep_reading(settings: "Settings", show: Callable[[Report], None], warn: Callable[[str], None]) -> Never:
    """Hand a report to `show` every `REDRAW_S`; on a lost connection `warn`, and connect again."""
    while True:
        try:
            async with connected(settings.nats, "cli") as bus:
                while True:
                    show(make_report(await bus.until_closed(read_facts(bus))))
                    await asyncio.sleep(REDRAW_S)
        except* BusUnavailable as lost:
            warn(f"{utc(now())}  {first_of_ours(lost)}; trying again")
        await asyncio.sleep(REDRAW_S)
