"""`routecast subscriber`: the group, and its service."""

import click

from cli import exits
from cli.command import Command
from cli.lazy import Lazy, LazyGroup
from cli.line import CommandLine
from cli.run import run as run_coroutine

COMMANDS = {
    "run": Lazy("cli.subscriber.command:run", "Apply every snapshot to this node, until SIGTERM or Ctrl-C."),
    "sync": Lazy("cli.subscriber.sync:sync", "Bring this node to the newest snapshot, once, now."),
    "status": Lazy("cli.subscriber.status:status", "Show what this node runs, as it knows itself."),
    "allow": Lazy("cli.subscriber.allow:allow", "Choose the zones that this node takes names and host names in."),
    "adopt": Lazy("cli.subscriber.adopt:adopt", "Remove what the system that routecast replaces left on this node."),
}


@click.group(
    cls=LazyGroup,
    sections={"Commands": COMMANDS},
    example="""
    routecast subscriber run
    routecast subscriber sync --dry-run
    """,
)
def subscriber() -> None:
    """Run a node's side."""


@click.command(
    cls=Command,
    example="""
    routecast subscriber run
    routecast --config ./routecast.toml subscriber run
    """,
    ends={
        exits.OK: "stopped by SIGTERM or Ctrl-C, in order",
        exits.USAGE: "usage or settings are wrong, or another subscriber runs here",
        exits.INTERRUPTED: "interrupted before it ran, or a second time (Ctrl-C)",
    },
)
@click.pass_obj
def run(line: CommandLine) -> None:
    """Apply every snapshot to this node, until SIGTERM or Ctrl-C.

    Heals the node's files from the last accepted snapshot first, then waits for NATS for as long as it takes. SIGHUP
    has the settings read again.
    """
    from subscriber.process import run as run_subscriber  # noqa: PLC0415 - only here

    run_coroutine(run_subscriber(line.service_settings))
