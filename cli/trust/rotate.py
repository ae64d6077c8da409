"""`routecast trust rotate`."""

from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType
from rich.text import Text

from cli import exits
from cli.command import NO_PUBLISHER, Command
from cli.console import cell, note, table
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.run import run
from cli.trust.rotation import Rotation, RotationReport
from cli.values import duration
from common.bus import connected
from publisher.signing_files import SeedFiles

if TYPE_CHECKING:
    from common.settings import Settings


@click.command(
    cls=Command,
    example="""
    sudo routecast trust rotate
    sudo routecast trust rotate --timeout 2h
    sudo routecast trust rotate --without old-laptop
    """,
    ends={
        exits.OK: "the new key signs, and every node believes it alone",
        exits.NOT_SO: "not done yet: a node has not answered, or the next step is yours; the same command goes on",
        **NO_PUBLISHER,
    },
)
@click.option(
    "--timeout", "timeout_s", type=duration, default="5m", show_default=True, help="How long to wait for the nodes."
)
@click.option(
    "--without", multiple=True, metavar="NODE", help="Leave a node behind: it must join again. Can be given repeatedly."
)
@output_option
@click.pass_obj
@click.pass_context
def rotate(
    ctx: click.Context, line: CommandLine, *, timeout_s: float, without: tuple[str, ...], output: Output
) -> None:
    """Replace the signing key, once every node believes the new one.

    Makes a seed beside the signing seed, has its public key announced, and signs with it when every registered node
    has accepted the announcement; then the old seed is removed. Interrupted anywhere, the same command goes on. Where
    the seeds are a Secret of the cluster, it prints the commands for each step instead.
    """
    settings = line.settings
    files = SeedFiles(settings.publisher.signing_seed_file)
    with files.locked():
        report = run(_rotate(settings, files, timeout_s, frozenset(without)))
    output.show(report, lambda: draw(report))
    if not report.done:
        ctx.exit(exits.NOT_SO)


async def _rotate(settings: "Settings", files: SeedFiles, timeout_s: float, without: frozenset[str]) -> RotationReport:
    async with connected(settings.nats, "cli") as bus:
        return await bus.until_closed(Rotation(files, bus, without, note).run(timeout_s))


def draw(report: RotationReport) -> RenderableType:
    """Return what was done, who is waited for, and what to type."""
    parts: list[RenderableType] = []
    if report.done:
        parts.append(cell(f"snapshots are signed with {report.key}, and every node believes that key alone", "green"))
    elif report.problem is not None:
        parts.append(cell(f"not done: {report.problem}", "yellow"))
    if report.waiting_for:
        waiting = table("NODE", "WAITED FOR")
        for each in report.waiting_for:
            waiting.add_row(cell(each.node), cell(each.why, "red"))
        parts += [Text(), waiting]
    if report.left_behind:
        parts.append(cell(f"left behind, must join again: {', '.join(report.left_behind)}", "dim"))
    if report.type_this:
        parts += [Text(), cell("Type this where kubectl reaches the cluster, then run `routecast trust rotate` again:")]
        parts += [cell(f"  {each}") for each in report.type_this]
        parts.append(cell("A pod sees a changed Secret within two minutes.", "dim"))
    elif not report.done:
        parts += [Text(), cell("Run the same command again: it goes on where it stands.")]
    return Group(*parts)
