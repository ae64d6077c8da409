"""`routecast subscriber status`."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
from rich.console import Group, RenderableType

from cli import exits
from cli.acks import table
from cli.command import Command
from cli.console import cell, pairs
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.run import run
from cli.subscriber.leftovers import effects, what
from cli.text import when
from common.ack import NodeAck, State
from common.clock import now
from common.errors import RoutecastError

if TYPE_CHECKING:
    from common.settings import Settings
    from subscriber.leftovers import Leftover
    from subscriber.state import NodeState

REFUSED_SHOWN = 20
"""How many refused entries are shown; `-o json` has all that the record has."""
TIMEOUT_S = 5.0
"""How long the running service may take to answer, in s."""


@click.command(
    cls=Command,
    example="""
    routecast subscriber status
    sudo routecast subscriber status -o json | jq .accepted
    """,
    ends={
        exits.OK: "the service runs, and its last attempt was applied",
        exits.NOT_SO: "no service runs here, it is stale, or its last attempt was not applied",
        exits.UNREACHABLE: "the running subscriber did not answer in time",
    },
)
@output_option
@click.pass_obj
@click.pass_context
def status(ctx: click.Context, line: CommandLine, *, output: Output) -> None:
    """Show what this node runs, as it knows itself.

    From the running service, else from what the state directory keeps. And what the system that routecast replaces left
    here: see `routecast subscriber adopt`.
    """
    found = _read(line.settings)
    ack = NodeAck.model_validate(found["last_ack"]) if found.get("last_ack") is not None else None
    output.show(found, lambda: _draw(found, ack))
    if not found["running"] or found.get("stale") or ack is None or ack.state is not State.APPLIED:
        ctx.exit(exits.NOT_SO)


def _read(settings: "Settings") -> dict[str, Any]:
    """Return what the running service says, else what the state directory keeps."""
    from subscriber.local import ask  # noqa: PLC0415 - only here
    from subscriber.state import NodeState  # noqa: PLC0415
    from subscriber.survey import look  # noqa: PLC0415

    state = NodeState(settings.subscriber.state_dir)
    reply = run(ask(state.socket, "status", TIMEOUT_S))
    if reply is not None and "error" in reply:
        raise RoutecastError(f"the running subscriber could not say: {reply['error']}")
    accepted = state.read_accepted()
    found = {"running": False, **_kept(state, settings)} if reply is None else {"running": True, **reply}
    return {**found, "leftovers": look(settings, accepted.registry if accepted is not None else None).leftovers}


def _kept(state: "NodeState", settings: "Settings") -> dict[str, Any]:
    accepted, applied, unsent = state.read_accepted(), state.read_applied(), state.read_unsent()
    return {
        "node": settings.subscriber.node,
        "role": settings.subscriber.role,
        "accepted": {"epoch": accepted.epoch, "version": accepted.version} if accepted is not None else None,
        "applied": applied.targets if applied is not None else {},
        "unsent": unsent,
        "state_dir": str(state.directory),
    }


def _draw(found: dict[str, Any], ack: NodeAck | None) -> RenderableType:
    rows = pairs()
    rows.add_row("node", cell(f"{found['node']}, {found['role']}"))
    if found["running"]:
        rows.add_row("service", cell("runs"))
        nats = f"connected to {found['nats']}" if found["connected"] else f"not connected to {found['nats']}"
        rows.add_row("NATS", cell(nats, "" if found["connected"] else "yellow"))
        if found.get("trouble") is not None:
            rows.add_row("", cell(found["trouble"], "red"))
        heard = when(datetime.fromisoformat(found["heard_at"]), now())
        rows.add_row("heard", cell(f"{heard}{', stale' if found['stale'] else ''}", "yellow" if found["stale"] else ""))
    else:
        rows.add_row("service", cell("does not run here; what follows is what it left", "yellow"))
    accepted = found["accepted"]
    if accepted is None:
        rows.add_row("accepted", cell("no snapshot yet", "yellow"))
    else:
        rows.add_row("accepted", cell(f"version {accepted['version']} of epoch {accepted['epoch']}"))
    for target, revision in sorted(found.get("applied", {}).items()):
        rows.add_row(cell(target), cell(f"version {revision.version}" if revision is not None else "not known"))
    if found.get("unsent") is not None:
        rows.add_row("unsent", table.line(found["unsent"]))
    if ack is not None:
        rows.add_row("last attempt", table.line(ack))
        if ack.refused:
            rows.add_row("refused", _draw_refused(ack))
    for leftover in found["leftovers"]:
        rows.add_row("left over", _draw_leftover(leftover))
    return rows


def _draw_refused(ack: NodeAck) -> RenderableType:
    """Return what the node's own policy left out, and how it takes a zone."""
    lines = [f"{each.entry}: {each.reason}" for each in ack.refused[:REFUSED_SHOWN]]
    if more := ack.refused_count - len(lines):
        lines.append(f"and {more} more")
    lines.append("to take a zone: sudo routecast subscriber allow ZONE; see [policy] in the settings")
    return Group(*(cell(line, "yellow") for line in lines))


def _draw_leftover(leftover: "Leftover") -> RenderableType:
    lines = [what(leftover), *effects(leftover), f"as root: {leftover.command}"]
    return Group(*(cell(line, "yellow") for line in lines))
