"""What the commands that list one kind of entry share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from cli import exits
from cli.command import CLUSTER_AWAY, Command
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.registry import read_registry, registry_options
from common.models import Registry

ENDS = {exits.OK: "listed", **CLUSTER_AWAY}


def list_command(
    noun: str, help_text: str, value: Callable[[Registry], Any], draw: Callable[[Registry], Table]
) -> click.Command:
    """Return the command ``routecast NOUN list``: `value` of the registry for machines, `draw` for people."""

    @click.command(
        "list",
        cls=Command,
        help=help_text,
        example=f"routecast {noun} list\nroutecast {noun} list --registry-dir ./registry -o json",
        ends=ENDS,
    )
    @registry_options
    @output_option
    @click.pass_obj
    def listing(line: CommandLine, *, registry_dir: Path | None, cluster: bool, output: Output) -> None:
        registry = read_registry(line.registry_settings(registry_dir, cluster=cluster)).registry
        output.show(value(registry), lambda: draw(registry))

    return listing
