"""From an edit to what is written: plan, show, ask, write, wait."""

import shlex
import sys
from typing import TYPE_CHECKING

import click

from cli.console import note
from cli.edit.drawing import draw_report, summary
from cli.edit.options import Editing
from cli.edit.report import EditReport, end, report_of, wait_for_nodes
from cli.extras import publisher_extra
from cli.run import run
from cli.who import who
from common.errors import EditRefused

if TYPE_CHECKING:
    from common.settings import Settings
    from publisher.registry.editor import Written
    from publisher.registry.plan import Edit, EditPlan


def perform(editing: Editing, edit: "Edit", *, confirm: bool = False) -> None:
    """Make `edit` as the options say, and print what became of it.

    With `confirm` what removes something is done when somebody agrees. An edit that only joins what is written twice
    needs nobody's word.

    Raises:
        EditRefused: the edit is not valid, or nobody agreed; nothing was written.
        SourceUnavailable: the registry cannot be reached.

    """
    settings = editing.line.registry_settings(editing.registry_dir, cluster=editing.cluster)
    report = carry_out(editing, settings, edit, confirm=confirm)
    report, error = wait_for_nodes(settings, editing, report)
    editing.output.show(report, lambda: draw_report(report, dry_run=editing.dry_run))
    end(editing, report, error)


def carry_out(editing: Editing, settings: "Settings", edit: "Edit", *, confirm: bool = False) -> EditReport:
    """Make `edit` in the registry of `settings`, and return what became of it; nothing is printed, nobody waited for.

    Raises:
        EditRefused: the edit is not valid, or nobody agreed; nothing was written.
        SourceUnavailable: the registry cannot be reached.

    """
    command = shlex.join(["routecast", *editing.ctx.meta.get("words", ())])
    plan = run(_plan(settings, edit, command))
    if editing.dry_run or not plan.changed:
        return report_of(plan, {})
    removes = confirm and any(change.fate == "removed" for change in plan.changes)
    if removes and not editing.yes:
        _agree(plan)
    written = run(_apply(settings, edit, command, plan if removes else None))
    return report_of(written.plan, written.versions)


async def _plan(settings: "Settings", edit: "Edit", command: str) -> "EditPlan":
    with publisher_extra():
        from publisher.registry.book import open_book  # noqa: PLC0415 - only an edit needs the publisher's side
        from publisher.registry.editor import Editor  # noqa: PLC0415
    async with open_book(settings.publisher) as book:
        return await Editor(book, who(), command).plan(edit)


async def _apply(settings: "Settings", edit: "Edit", command: str, approved: "EditPlan | None") -> "Written":
    from publisher.registry.book import open_book  # noqa: PLC0415 - see above
    from publisher.registry.editor import Editor  # noqa: PLC0415

    async with open_book(settings.publisher) as book:
        return await Editor(book, who(), command).apply(edit, approved)


def _agree(plan: "EditPlan") -> None:
    """Show what is removed and ask.

    Raises:
        EditRefused: nobody is there to agree, or somebody does not.

    """
    said = summary(report_of(plan, {}))
    if not sys.stdin.isatty():
        raise EditRefused(f"this {said}", "nothing was written; to do it, give --yes")
    note(f"This {said}.")
    if not click.confirm("Do it?", err=True):
        raise EditRefused("nothing was written")
