"""`routecast stream diff`."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType
from rich.text import Text

from cli import exits
from cli.command import NATS_AWAY, Command
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.run import run
from cli.stream.changes import Change, Op, changes
from cli.stream.versions import find, find_previous
from cli.text import printable, short_digest
from cli.values import VersionName, version_name
from common.ack import Revision
from common.bus import connected
from common.snapshot import Snapshot

if TYPE_CHECKING:
    from common.settings import Settings

_STYLES = {Op.ADDED: "green", Op.CHANGED: "yellow", Op.REMOVED: "red"}


@dataclass(frozen=True, slots=True)
class Diff:
    """What changed from one version to another."""

    before: Revision
    after: Revision
    changes: tuple[Change, ...]


@click.command(
    cls=Command,
    example="""
    routecast stream diff
    routecast stream diff 41
    routecast stream diff 41 57 -o json
    """,
    ends={
        exits.OK: "both versions could be read, whether they differ or not",
        exits.NOT_SO: "a version is not kept, or cannot be read",
        **NATS_AWAY,
    },
)
@click.argument("before", metavar="[A]", type=version_name, required=False)
@click.argument("after", metavar="[B]", type=version_name, required=False)
@output_option
@click.pass_obj
def diff(line: CommandLine, *, before: VersionName | None, after: VersionName | None, output: Output) -> None:
    """Show what changed from one version to another.

    Without A and B from the version before the newest to the newest, with A alone from A to the newest. In the words
    of the registry: services, names, routes, nodes; + added, ~ changed, - removed.
    """
    old, new = run(_read(line.settings, before, after))
    found = Diff(Revision.of(old), Revision.of(new), changes(old.registry, new.registry))
    output.show(found, lambda: draw(found))


async def _read(
    settings: "Settings", before: VersionName | None, after: VersionName | None
) -> tuple[Snapshot, Snapshot]:
    async with connected(settings.nats, "cli") as bus:
        _, new = await find(bus, after)
        _, old = await find_previous(bus, new.order) if before is None else await find(bus, before)
    return old, new


def draw(found: Diff) -> RenderableType:
    """Return the changes under headings, a line each."""
    sides = (f"{side.version} ({short_digest(side.digest)})" for side in (found.before, found.after))
    title = f"version {' -> '.join(sides)}"
    if not found.changes:
        return Text(f"{title}: no difference")
    return Group(Text(title), *draw_changes(found.changes))


def draw_changes(found: Sequence[Change]) -> list[Text]:
    """Return the lines of some changes, those of a kind under its heading."""
    lines = []
    for kind, of_kind in groupby(found, key=lambda change: change.kind):
        lines.append(Text(kind, style="bold"))
        lines += [Text(f"  {printable(str(change))}", style=_STYLES[change.op]) for change in of_kind]
    return lines
