"""`routecast stream show`."""

from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType
from rich.text import Text

from cli import exits
from cli.command import NATS_AWAY, Command
from cli.console import cell, pairs
from cli.line import CommandLine
from cli.newest import key_of
from cli.output import Output, output_option
from cli.run import run
from cli.show.drawing import draw_registry
from cli.stream.head import head_of, head_rows
from cli.stream.versions import find
from cli.values import VersionName, version_name
from common.bus import connected
from common.clock import now
from common.snapshot import Snapshot
from common.streams import Stored

if TYPE_CHECKING:
    from common.settings import Settings


@click.command(
    cls=Command,
    example="""
    routecast stream show
    routecast stream show 41
    routecast stream show 41 -o json | jq .registry.services
    """,
    ends={
        exits.OK: "the version could be read",
        exits.NOT_SO: "the version is not kept, or cannot be read",
        **NATS_AWAY,
    },
)
@click.argument("version", type=version_name, required=False)
@output_option
@click.pass_obj
def show(line: CommandLine, *, version: VersionName | None, output: Output) -> None:
    """Show one version whole.

    By default the newest. As JSON or YAML it is the body that nodes get. The signature is checked against the key
    that the message names, not against keys of your own: `routecast nodes` says what nodes think of it.
    """
    stored, snapshot = run(_read(line.settings, version))
    output.show(snapshot, lambda: _draw(stored, snapshot))


async def _read(settings: "Settings", version: VersionName | None) -> tuple[Stored, Snapshot]:
    async with connected(settings.nats, "cli") as bus:
        return await find(bus, version)


def _draw(stored: Stored, snapshot: Snapshot) -> RenderableType:
    rows = pairs()
    head_rows(rows, head_of(snapshot), now())
    rows.add_row("signed with", cell(key_of(stored.sealed)))
    return Group(rows, Text(), *draw_registry(snapshot.registry))
