"""`routecast show`."""

from pathlib import Path

import click
from rich.console import Group, RenderableType
from rich.text import Text

from cli import exits
from cli.command import CLUSTER_AWAY, Command
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.registry import Reading, read_registry, registry_options
from cli.show.drawing import draw_problems, draw_registry
from cli.show.placing import place_all


@click.command(
    cls=Command,
    example="""
    routecast show
    routecast show --registry-dir ./registry
    routecast show -o json | jq -r '.problems[] | .mend'
    """,
    ends={
        exits.OK: "the registry was read, with problems or without",
        exits.NOT_SO: "the services cannot be read, so nothing would be published",
        **CLUSTER_AWAY,
    },
)
@registry_options
@output_option
@click.pass_obj
@click.pass_context
def show(ctx: click.Context, line: CommandLine, *, registry_dir: Path | None, cluster: bool, output: Output) -> None:
    """Show the registry: domains, VPSs, routing, services, nodes, problems.

    Read from its source, which may be ahead of what was published (`routecast stream show`). PLACED ON is the VPS that
    a host name should point to while all are healthy; every VPS of an entry serves all its host names.
    """
    reading = read_registry(line.registry_settings(registry_dir, cluster=cluster))
    value = {
        "registry": reading.registry,
        "placement": place_all(reading.registry),
        "problems": reading.problems,
    }
    output.show(value, lambda: _draw(reading))
    if "services" in reading.unreadable:
        ctx.exit(exits.NOT_SO)


def _draw(reading: Reading) -> RenderableType:
    problems = draw_problems(reading.problems)
    heading = Text("Problems", style="bold")
    return Group(*draw_registry(reading.registry), Text(), heading, *(problems or [Text("  none", style="dim")]))
