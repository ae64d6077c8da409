"""`routecast subscriber adopt`."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType
from rich.text import Text

from cli import console, exits
from cli.command import Command
from cli.console import cell, note
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.run import run
from cli.subscriber.leftovers import effects, what
from cli.text import count

if TYPE_CHECKING:
    from subscriber.adopt import AdoptionPlan, Removal, Removed


@dataclass(frozen=True, slots=True)
class Adoption:
    """What was found, and what was removed of it."""

    plan: "AdoptionPlan"
    removed: "tuple[Removed, ...]" = ()


@click.command(
    cls=Command,
    example="""
    sudo routecast subscriber adopt --dry-run
    sudo routecast subscriber adopt
    sudo routecast subscriber adopt --yes -o json | jq -r '.removed[].backup'
    """,
    ends={
        exits.OK: "there is nothing to adopt, all of it was removed, or the plan is printed (dry run)",
        exits.NOT_SO: "something stays: there is a reason against its removal, nobody said yes, or it failed",
    },
)
@click.option("--dry-run", is_flag=True, help="Print what would be removed, and change nothing.")
@click.option("--yes", is_flag=True, help="Remove it without asking.")
@click.option("--force", is_flag=True, help="Remove also what nothing of routecast's stands in for yet.")
@output_option
@click.pass_obj
@click.pass_context
def adopt(ctx: click.Context, line: CommandLine, *, dry_run: bool, yes: bool, force: bool, output: Output) -> None:
    """Remove what the system that routecast replaces left on this node.

    Its block in the hosts file and its file of routes, each once routecast's own stand in its place. Every other line
    stays as it is. A copy of each file goes to backups/ in the state directory, the newest five of each are kept.

    Cron lines are shown with the command that stops them: first stop them, or they write all of it again.
    """
    from subscriber.adopt import adopt as remove  # noqa: PLC0415 - only here
    from subscriber.adopt import plan_adoption  # noqa: PLC0415

    plan = run(plan_adoption(line.settings))
    chosen = plan.chosen(force=force)
    if dry_run or not chosen:
        output.show(Adoption(plan), lambda: draw_plan(plan, chosen))
        if not dry_run and (plan.removals or cannot_tell(plan)):
            ctx.exit(exits.NOT_SO)
        return
    if not yes and not _confirmed(plan, chosen, output):
        note("nothing was removed; to remove it without being asked: routecast subscriber adopt --yes")
        ctx.exit(exits.NOT_SO)
    if output.for_people and yes:
        console.put(draw_plan(plan, chosen), Text())
    removed = run(remove(line.settings, chosen, plan.zone))
    output.show(Adoption(plan, removed), lambda: draw_removed(removed))
    if len(removed) < len(plan.removals) or any(each.error is not None for each in removed):
        ctx.exit(exits.NOT_SO)


def _confirmed(plan: "AdoptionPlan", chosen: "tuple[Removal, ...]", output: Output) -> bool:
    """Show the plan; ask, when there is somebody at a terminal to answer."""
    output.show(Adoption(plan), lambda: draw_plan(plan, chosen))
    if not output.for_people or not sys.stdin.isatty():
        return False
    click.echo(f"Remove {count(len(chosen), 'leftover')}? [y/N]: ", nl=False, err=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def cannot_tell(plan: "AdoptionPlan") -> bool:
    """Tell whether there are lines that only a snapshot's zone can tell from the owner's."""
    return plan.zone is None and bool(plan.unsure)


def draw_plan(plan: "AdoptionPlan", chosen: "tuple[Removal, ...]") -> RenderableType:
    """Return what would be removed, line by line; what stays, and why; what there is to know beside it."""
    parts: list[RenderableType] = []
    for removal in plan.removals:
        goes = removal in chosen
        parts.append(cell(f"{'remove' if goes else 'keep'}  {what(removal.leftover)}", "" if goes else "yellow"))
        parts += [cell(f"  {line.number}: {line.text.expandtabs()}", "dim") for line in removal.leftover.lines]
        parts += [cell(f"  {said}", "yellow") for said in effects(removal.leftover)]
        if removal.against is not None:
            parts.append(
                cell(f"  {removal.against}" if not goes else f"  forced, although: {removal.against}", "yellow")
            )
    if not plan.removals:
        parts.append(cell("nothing to adopt"))
    return Group(*parts, *(cell(said, "yellow") for said in _notes(plan)))


def _notes(plan: "AdoptionPlan") -> Iterator[str]:
    for leftover in plan.cron:
        yield what(leftover)
        for line in leftover.lines:
            yield f"  {line.number}: {line.text.expandtabs()}"
        yield f"  stop it, as root: {leftover.command}"
    for line in plan.unsure:
        why = (
            "no snapshot was accepted here yet, so the zone is not known; run: routecast subscriber sync"
            if plan.zone is None
            else f"it is no ADDRESS NAME line of {plan.zone}; if it is not yours, remove it yourself"
        )
        yield f"keep  line {line.number} of the hosts file stays: {line.text.expandtabs()}"
        yield f"  {why}"
    for said in plan.unread:
        yield f"not searched: {said}"


def draw_removed(removed: "tuple[Removed, ...]") -> RenderableType:
    """Return how each removal ended, and where the copies are."""
    parts = []
    for each in removed:
        if each.error is not None:
            parts.append(cell(f"failed  {each.error}", "red"))
        elif each.backup is None:
            parts.append(cell(f"{each.leftover.path}: somebody else removed it meanwhile"))
        else:
            parts.append(cell(f"removed from {each.leftover.path}; as it was: {each.backup}"))
    return Group(*parts)
