"""`routecast doctor`."""

from typing import Any

import click

from cli import console, exits
from cli.command import Command
from cli.doctor.sides import Side
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.registry import registry_options
from cli.run import run


@click.command(
    cls=Command,
    example="""
    routecast doctor
    routecast doctor control-plane --strict
    sudo routecast doctor node --canary
    routecast doctor -o json | jq -r '.checks[] | select(.state == "fail") | .next'
    """,
    ends={
        exits.OK: "nothing failed; with --strict nothing warned either",
        exits.NOT_SO: "a check failed, or with --strict warned; that NATS or the cluster is away is such a check",
    },
)
@click.argument(
    "side",
    type=click.Choice([side.value for side in Side]),
    callback=lambda _ctx, _param, word: None if word is None else Side(word),
    required=False,
)
@click.option("--strict", is_flag=True, help="Count warnings as failures.")
@click.option(
    "--canary",
    is_flag=True,
    help="On a node with Traefik: put a file of no use into its directory, see that Traefik takes it over, and remove "
    "it. Traefik reads all its files again, twice.",
)
@registry_options
@output_option
@click.pass_obj
@click.pass_context
def doctor(ctx: click.Context, line: CommandLine, /, *, strict: bool, output: Output, **asked: Any) -> None:
    """Check what can be wrong, here and in the fleet, each with the next command.

    NATS first, then what this machine is: a node when subscriber.node is set, the control plane when a registry source
    is set or answers. control-plane or node checks that side alone. What depends on something that failed is skipped.

    Nothing is changed. On a node most of it needs root.
    """
    from cli.doctor.drawing import draw  # noqa: PLC0415 - help needs none of it
    from cli.doctor.examine import Asked, examine  # noqa: PLC0415

    chosen = Asked(**asked)
    settings = line.registry_settings(chosen.registry_dir, cluster=chosen.cluster)
    report = run(examine(settings, chosen))
    output.show(report, lambda: draw(report, console.stdout().width))
    if not report.holds(strict=strict):
        ctx.exit(exits.NOT_SO)
