"""`routecast subscriber sync`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click
from rich.console import RenderableType

from cli import exits
from cli.acks import table
from cli.command import Command
from cli.console import cell, note, pairs
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.run import run
from cli.values import duration
from common.ack import NodeAck, State
from common.errors import NothingToShow, RoutecastError

if TYPE_CHECKING:
    from common.settings import Settings


@dataclass(frozen=True, slots=True)
class Synced:
    """How a sync ended: the node's record, or with a dry run what each target would change."""

    by_service: bool
    """The running service did it."""
    ack: NodeAck | None = None
    plans: Mapping[str, str] = field(default_factory=dict)
    warning: str | None = None


@click.command(
    cls=Command,
    example="""
    routecast subscriber sync
    routecast subscriber sync --dry-run
    """,
    ends={
        exits.OK: "every target is at the newest snapshot, or the plan is printed",
        exits.NOT_SO: "a target failed, the snapshot was rejected, or there is none",
        exits.UNREACHABLE: "NATS does not let this node in, or the running service did not answer in time",
    },
)
@click.option("--dry-run", is_flag=True, help="Print what each target would change, and change nothing.")
@click.option(
    "--timeout",
    "timeout_s",
    type=duration,
    default="60s",
    show_default=True,
    help="How long to wait for the running service.",
)
@output_option
@click.pass_obj
@click.pass_context
def sync(ctx: click.Context, line: CommandLine, *, dry_run: bool, timeout_s: float, output: Output) -> None:
    """Bring this node to the newest snapshot, once, now.

    Asks the service when one runs here, else does it itself. Without NATS the targets are healed from the snapshot that
    this node keeps.
    """
    done = run(_plan(line.settings) if dry_run else _sync(line.settings, timeout_s))
    if done.warning is not None:
        note(f"warning: {done.warning}")
    output.show(done, lambda: _draw(done))
    if done.ack is not None and done.ack.state is not State.APPLIED:
        ctx.exit(exits.NOT_SO)


async def _plan(settings: "Settings") -> Synced:
    from subscriber.process import sync_once  # noqa: PLC0415 - only here

    report = await sync_once(settings, dry_run=True)
    if not report.plans:
        raise NothingToShow(report.warning or "no snapshot was published yet")
    return Synced(by_service=False, plans=report.plans, warning=report.warning)


async def _sync(settings: "Settings", timeout_s: float) -> Synced:
    from subscriber.local import ask  # noqa: PLC0415 - only here
    from subscriber.process import sync_once  # noqa: PLC0415
    from subscriber.state import NodeState  # noqa: PLC0415

    reply = await ask(NodeState(settings.subscriber.state_dir).socket, "sync", timeout_s)
    if reply is None:
        report = await sync_once(settings, dry_run=False)
        return Synced(by_service=False, ack=report.ack, warning=report.warning)
    if reply.get("ack") is None:
        raise RoutecastError(f"the running subscriber could not sync: {reply.get('error')}")
    return Synced(by_service=True, ack=NodeAck.model_validate(reply["ack"]), warning=reply.get("error"))


def _draw(done: Synced) -> RenderableType:
    if done.ack is not None:
        return table.line(done.ack)
    rows = pairs()
    for target, plan in sorted(done.plans.items()):
        rows.add_row(cell(target), cell(plan))
    return rows
