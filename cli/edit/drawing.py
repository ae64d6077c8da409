"""What people see of an edit: field by field, what follows from it, and what became of it. Pure."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from cli.console import cell, table
from cli.output import to_json
from cli.push.command import draw_answers
from cli.stream.changes import Change, Op
from cli.stream.diff import draw_changes
from cli.text import count, took

if TYPE_CHECKING:
    from cli.edit.report import EditReport
    from publisher.registry.difference import FieldChange

_MARKS = {Op.ADDED: ("+", "green"), Op.CHANGED: ("~", "yellow"), Op.REMOVED: ("-", "red")}


def draw_report(report: "EditReport", *, dry_run: bool) -> RenderableType:
    """Return the whole of it, in the order in which people ask: what, with which effect, done or not."""
    return Group(*draw_plan(report), *draw_outcome(report, dry_run=dry_run))


def draw_plan(report: "EditReport") -> list[RenderableType]:
    """Return what changes field by field, what follows from it, and what is to be said of it."""
    parts: list[RenderableType] = []
    for (kind, entry), fields in groupby(report.changes, key=lambda change: (change.kind, change.entry)):
        parts += _entry(f"{kind} {entry}" if kind != "cluster" else entry, list(fields))
    parts += draw_changes(report.effects)
    parts += [Text.assemble(("note: ", "dim"), cell(text)) for text in report.notes]
    parts += [
        Text.assemble(("warning: ", "yellow"), cell(f"{problem.entry or problem.document} {problem.message}"))
        for problem in report.warnings
    ]
    return parts


def draw_outcome(report: "EditReport", *, dry_run: bool) -> list[RenderableType]:
    """Return what became of it: written or not, and whether the nodes have it."""
    parts: list[RenderableType] = [_outcome(report, dry_run=dry_run)]
    if report.waited is not None:
        answered, awaited = len(report.waited.answered), len(report.waited.answered) + len(report.waited.missing)
        parts.append(
            cell(
                f"version {report.waited.version}: {answered} of {count(awaited, 'online node')} "
                f"applied it in {took(report.waited.took_s * 1000)}"
            )
        )
        parts += draw_answers(report.waited)
    if report.not_waited is not None:
        parts.append(cell(f"not waited for the nodes: {report.not_waited}", "red"))
    return parts


def summary(report: "EditReport") -> str:
    """Return in one line what an edit removes: entries, names and routes by name."""
    fates = {f"{change.kind} {change.entry}": change.fate for change in report.changes}
    removed = [entry for entry, fate in fates.items() if fate == "removed"]
    changed = [entry for entry, fate in fates.items() if fate != "removed"]
    parts = [f"removes {', '.join(removed)}"] if removed else []
    parts += [f"changes {', '.join(changed)}"] if changed else []
    for kind, noun in (("routes", "route"), ("names", "name")):
        gone = _gone(report.effects, kind)
        if gone:
            parts.append(f"removes {count(len(gone), noun)}: {', '.join(gone)}")
    return "; ".join(parts)


def _gone(effects: Sequence[Change], kind: str) -> list[str]:
    return [change.name for change in effects if change.kind == kind and change.op is Op.REMOVED]


def _outcome(report: "EditReport", *, dry_run: bool) -> Text:
    if not report.changed:
        return cell("unchanged")
    if dry_run:
        return cell("dry run: nothing was written", "dim")
    return cell(f"written to {', '.join(report.resource_versions)}")


def _entry(title: str, fields: "Sequence[FieldChange]") -> list[RenderableType]:
    op = Op(fields[0].fate)
    mark, style = _MARKS[op]
    heading = Text.assemble((f"{mark} ", style), cell(title))
    if op is Op.REMOVED:
        return [heading]
    shown = table("", "")
    shown.show_header = False
    for change in fields:
        before, after = _value(change.before), _value(change.after)
        if before == after:  # 80 and "80": they differ as what they are
            before, after = to_json(change.before).strip(), to_json(change.after).strip()
        shown.add_row(cell(change.field), cell(after if op is Op.ADDED else f"{before} -> {after}"))
    return [heading, Padding(shown, (0, 0, 0, 4), expand=False)]


def _value(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(map(_value, value)) or "none"
        case dict():
            return "an object" if value else "{}"
        case _:
            return str(value)
