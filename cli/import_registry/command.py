"""`routecast import`."""

import asyncio
import shlex
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click
from rich.console import Group

from cli import exits
from cli.command import Command
from cli.edit.drawing import draw_outcome
from cli.edit.options import ENDS, Editing, edit_options
from cli.edit.report import EditReport, end, report_of, wait_for_nodes
from cli.import_registry.drawing import draw_import
from cli.import_registry.outside import Outside, outside
from cli.registry import READ_LIMIT_S
from cli.run import run
from cli.text import utc
from cli.who import who
from common.clock import now
from common.errors import EditRefused, SourceUnavailable
from publisher.registry.book import open_book
from publisher.registry.editor import Editor, Written
from publisher.registry.plan import EditPlan, plan_edit
from publisher.registry.takeover import Finding, find, take_over

if TYPE_CHECKING:
    from collections.abc import Mapping

    from common.settings import Settings


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What was found in a registry, what became of it, and what there is outside."""

    found: tuple[Finding, ...]
    edit: EditReport
    outside: tuple[Outside, ...]


@click.command(
    name="import",
    cls=Command,
    example="""
    routecast import --dry-run
    routecast import --yes
    routecast import -o json --dry-run | jq -r '.found[] | select(.mended == null) | .commands[0]'
    """,
    ends={
        **ENDS,
        exits.OK: "written, or there was nothing to do; what is left to you is listed, and `routecast lint` judges it",
        exits.NOT_SO: "nobody agreed, and nothing was written; or with --wait: an online node did not apply it in time",
    },
)
@edit_options
def import_registry(editing: Editing) -> None:
    """Take over the registry of the bash system, and say what else there is to do.

    Writes it in the current shape. No name and no public route changes by that, and unknown fields stay. What only you
    can decide stays too, and is listed with the commands for it. A second run has nothing to do.
    """
    settings = editing.line.registry_settings(editing.registry_dir, cluster=editing.cluster)
    plan, report = run(_look(settings))
    asked = False
    if plan.changed and not editing.dry_run:
        asked = not editing.yes and _agree(editing, report)
        written = run(_apply(settings, shlex.join(["routecast", *editing.ctx.meta.get("words", ())]), plan))
        report = replace(report, edit=_edit_report(written.plan, written.versions))
    edit, error = wait_for_nodes(settings, editing, report.edit)
    report = replace(report, edit=edit)
    outcome = draw_outcome(edit, dry_run=editing.dry_run)
    editing.output.show(report, lambda: Group(*outcome) if asked else draw_import(report, outcome))
    end(editing, edit, error)


async def _look(settings: "Settings") -> tuple[EditPlan, ImportReport]:
    """Return what would be written, and what there is to say of it, from one look at the registry.

    Raises:
        SourceUnavailable: it cannot be read now.

    """
    try:
        async with asyncio.timeout(READ_LIMIT_S), open_book(settings.publisher) as book:
            documents = await book.list()
    except TimeoutError as e:
        raise SourceUnavailable(f"the registry could not be read within {READ_LIMIT_S:g} s") from e
    plan = plan_edit(documents, take_over, utc(now()))
    return plan, ImportReport(find(documents).found, _edit_report(plan, {}), outside(documents))


async def _apply(settings: "Settings", command: str, plan: EditPlan) -> Written:
    async with open_book(settings.publisher) as book:
        return await Editor(book, who(), command).apply(take_over, plan)


def _agree(editing: Editing, report: ImportReport) -> bool:
    """Show what would be done, and return when somebody agrees.

    Raises:
        EditRefused: nobody is there to agree, or somebody does not.

    """
    editing.output.show(report, lambda: draw_import(report))
    if not editing.output.for_people or not sys.stdin.isatty():
        raise EditRefused("nothing was written; to do it, give --yes")
    if not click.confirm("Write it?", err=True):
        raise EditRefused("nothing was written")
    return True


def _edit_report(plan: EditPlan, versions: "Mapping[str, str]") -> EditReport:
    # All that is wrong afterwards is among the findings.
    return replace(report_of(plan, versions), warnings=())
