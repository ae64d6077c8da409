"""`routecast lint`."""

from pathlib import Path

import click

from cli import exits
from cli.command import CLUSTER_AWAY, Command
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.problems import draw_found
from cli.registry import read_registry, registry_options
from common.problems import Severity


@click.command(
    cls=Command,
    example="""
    routecast lint
    routecast lint --strict --registry-dir ./registry
    """,
    ends={
        exits.OK: "no errors; there may be warnings",
        exits.NOT_SO: "there are errors, or with --strict warnings",
        **CLUSTER_AWAY,
    },
)
@click.option("--strict", is_flag=True, help="Count warnings too.")
@registry_options
@output_option
@click.pass_obj
@click.pass_context
def lint(
    ctx: click.Context, line: CommandLine, *, strict: bool, registry_dir: Path | None, cluster: bool, output: Output
) -> None:
    """Check the registry at its source: all problems, each with the command that mends it.

    Edits through routecast that somebody overwrote are among them. Needs no NATS and no publisher: for a folder under
    version control, run it before you merge.
    """
    found = read_registry(line.registry_settings(registry_dir, cluster=cluster)).problems
    output.show(found, lambda: draw_found(found))
    if any(strict or problem.severity is Severity.ERROR for problem in found):
        ctx.exit(exits.NOT_SO)
