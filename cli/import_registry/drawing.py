"""What people see of taking over a registry: what was found, the plan, what is left to them. Pure."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.console import cell, pairs
from cli.edit.drawing import draw_plan

if TYPE_CHECKING:
    from cli.import_registry.command import ImportReport
    from cli.import_registry.outside import Outside
    from publisher.registry.takeover import Finding


def draw_import(report: "ImportReport", outcome: Sequence[RenderableType] = ()) -> RenderableType:
    """Return all of it, in the order in which people ask: what is mended, how, what is left, what else there is.

    `outcome` says what became of the plan; before somebody was asked there is none.
    """
    mended = [finding for finding in report.found if finding.mended is not None]
    left = [finding for finding in report.found if finding.mended is None]
    parts: list[RenderableType] = []
    if report.edit.changed:
        parts += _section("Mended by import", _by_kind(mended))
        parts += _section("The plan", [*draw_plan(report.edit), *outcome])
        if not report.edit.effects:
            parts.append(cell("  no name and no public route changes"))
    else:
        parts += [cell("nothing to do: all that can be read has the current shape")]
    parts += _section("Left to you", _by_kind(left))
    parts += _section("Outside the registry, once your nodes run routecast", [_outside(report.outside)])
    return Group(*parts[1:] if not parts[0] else parts)


def _section(title: str, content: Iterable[RenderableType]) -> list[RenderableType]:
    """Return a part with its heading and a line before it; nothing when there is nothing in it."""
    drawn = list(content)
    if not drawn:
        return []
    return [Text(), Text(title, style="bold"), *(Padding(each, (0, 0, 0, 2), expand=False) for each in drawn)]


def _by_kind(found: Sequence["Finding"]) -> list[RenderableType]:
    drawn: list[RenderableType] = []
    for kind, of_kind in groupby(found, key=lambda finding: finding.kind):
        drawn += [Text(kind.value, style="yellow"), Padding(_findings(of_kind), (0, 0, 0, 2), expand=False)]
    return drawn


def _findings(found: Iterable["Finding"]) -> Table:
    shown = pairs()
    for finding in found:
        said = finding.wrong if finding.mended is None else f"{finding.wrong}: {finding.mended}"
        shown.add_row(cell(finding.entry), cell(said))
        for i, command in enumerate(finding.commands):
            word = "mend: " if finding.mended is None else "instead, first: "
            shown.add_row(Text(), Text.assemble((word if i == 0 else "or: ", "dim"), cell(command)))
    return shown


def _outside(things: Iterable["Outside"]) -> RenderableType:
    drawn: list[RenderableType] = []
    for thing in things:
        drawn.append(Text.assemble(cell(thing.what), (f" ({thing.where})", "dim")))
        drawn += [Padding(cell(command), (0, 0, 0, 4), expand=False) for command in thing.commands]
    return Group(*drawn)
