"""`routecast leave`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Group, RenderableType

from cli import exits
from cli.command import Command
from cli.console import cell, note
from cli.join import set_up_log
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.run import run

if TYPE_CHECKING:
    from subscriber.joining.join import Step
    from subscriber.joining.leave import LeavePlan


@click.command(
    cls=Command,
    example="""
    sudo routecast leave
    routecast leave --root ./image --yes
    """,
    ends={
        exits.OK: "this machine is no node any more, or was none",
        exits.NOT_SO: "nobody said yes and nothing was changed, or what a target has written cannot be withdrawn",
        exits.USAGE: "usage or settings are wrong, or something cannot be put back",
    },
)
@click.option("-y", "--yes", is_flag=True, help="Do it without asking.")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Do it below a directory, as that of an image that was joined with --root.",
)
@output_option
@click.pass_obj
@click.pass_context
def leave(ctx: click.Context, line: CommandLine, *, yes: bool, root: Path | None, output: Output) -> None:
    """Take away from this machine what `routecast join` has brought.

    Stops the service; takes its names and routes out of the files that it has written to; removes unit, credentials and
    what the service has kept; and puts back whatever was there before. What you wrote into the settings since stays.

    Needs no network. The control plane keeps the node in its registry until `routecast node remove NAME` there.
    """
    from subscriber.joining.leave import leave as leave_machine  # noqa: PLC0415 - only here
    from subscriber.joining.leave import plan_leave  # noqa: PLC0415
    from subscriber.joining.places import Places  # noqa: PLC0415

    set_up_log(line)
    places = Places() if root is None else Places(root.resolve())
    plan = run(plan_leave(places))
    if plan is None:
        output.show({"node": None}, lambda: cell("this machine has not joined; there is nothing to take away"))
        return
    if not yes and not _confirmed(plan, output):
        note("nothing was changed; to do it without being asked: sudo routecast leave --yes")
        ctx.exit(exits.NOT_SO)

    def say(step: "Step") -> None:
        output.append(step, lambda: _draw(step))

    if yes:
        note(f"{plan.node} leaves")
    run(leave_machine(places, say))
    note(f"on the control plane, too, unless it is to join again: routecast node remove {plan.node}")


def _confirmed(plan: "LeavePlan", output: Output) -> bool:
    """Show the plan; ask, when there is somebody at a terminal to answer."""
    output.show(plan, lambda: _draw_plan(plan))
    if not output.for_people or not sys.stdin.isatty():
        return False
    click.echo(f"Is this machine to be {plan.node} no more? [y/N]: ", nl=False, err=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _draw_plan(plan: "LeavePlan") -> RenderableType:
    return Group(*(_draw(step) for step in plan.steps))


def _draw(step: "Step") -> RenderableType:
    return cell(f"{step.what:<10}{step.about}")
