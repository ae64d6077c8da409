"""`routecast problems`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType
from rich.text import Text

from cli import exits
from cli.command import Command
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.registry import read_registry, registry_options
from cli.run import run
from cli.show.drawing import draw_problems, tally
from common.problems import Problem, Severity

if TYPE_CHECKING:
    from common.settings import Settings


@click.command(
    cls=Command,
    example="""
    routecast problems
    routecast problems --registry-dir ./registry
    routecast problems -o json | jq -r '.[] | select(.severity == "error") | .mend'
    """,
    ends={
        exits.OK: "no errors; there may be warnings",
        exits.NOT_SO: "there are errors: something in the registry is not used as written",
        exits.UNREACHABLE: "no publisher is running, or NATS or the cluster cannot be reached",
    },
)
@registry_options
@output_option
@click.pass_obj
@click.pass_context
def problems(
    ctx: click.Context, line: CommandLine, *, registry_dir: Path | None, cluster: bool, output: Output
) -> None:
    """List what is wrong in the registry, and how to mend it.

    By default what the running publisher reports. With --registry-dir or --cluster the source itself is read, as a
    publisher would that never published before.
    """
    if cluster or registry_dir is not None or line.registry_dir is not None:
        found = read_registry(line.registry_settings(registry_dir, cluster=cluster)).problems
    else:
        found = run(_reported(line.settings))
    output.show(found, lambda: draw_found(found))
    if any(problem.severity is Severity.ERROR for problem in found):
        ctx.exit(exits.NOT_SO)


async def _reported(settings: "Settings") -> tuple[Problem, ...]:
    """Return what the publisher that was heard last reports.

    Raises:
        BusUnavailable: no publisher is running.

    """
    from cli.nodes.report import ALIVE_FOR  # noqa: PLC0415 - reading a source needs no bus
    from common.bus import connected  # noqa: PLC0415
    from common.clock import now  # noqa: PLC0415
    from common.errors import BusUnavailable  # noqa: PLC0415
    from common.streams import read_statuses  # noqa: PLC0415

    async with connected(settings.nats, "cli") as bus:
        statuses = await read_statuses(bus)
    if not statuses or now() - statuses[0].at >= ALIVE_FOR:
        raise BusUnavailable(
            "no publisher is running that could report; start one with `routecast publisher run`, "
            "or read the source itself with --registry-dir DIR or --cluster"
        )
    return statuses[0].problems


def draw_found(found: tuple[Problem, ...]) -> RenderableType:
    """Return the problems and how many there are."""
    return Group(*draw_problems(found), Text(tally(found)))
