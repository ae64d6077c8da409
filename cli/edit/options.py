"""The options of every command that edits the registry."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from cli import exits
from cli.line import CommandLine
from cli.output import Output, output_option
from cli.registry import registry_options
from cli.values import duration

ENDS = {
    exits.OK: "written, or there was nothing to change",
    exits.NOT_SO: "refused, and nothing was written; or with --wait: an online node did not apply it in time",
    exits.UNREACHABLE: "the registry, or with --wait NATS or the publisher, cannot be reached",
}
"""How an edit can end."""


@dataclass(frozen=True, slots=True)
class Editing:
    """How an edit is to be made, and for whom it is printed."""

    ctx: click.Context
    line: CommandLine
    registry_dir: Path | None
    cluster: bool
    dry_run: bool
    yes: bool
    wait: bool
    timeout_s: float
    output: Output


_OPTIONS = ("registry_dir", "cluster", "dry_run", "yes", "wait", "timeout_s", "output")


def edit_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options; the command gets them as one `Editing`, before its own parameters."""

    @click.pass_context
    @wraps(command)
    def packed(ctx: click.Context, /, **kwargs: Any) -> None:
        options = {name: kwargs.pop(name) for name in _OPTIONS}
        command(Editing(ctx, ctx.obj, **options), **kwargs)

    decorated: Callable[..., None] = packed
    for add in (output_option, registry_options, _TIMEOUT, _WAIT, _YES, _DRY_RUN):
        decorated = add(decorated)
    return decorated


_DRY_RUN = click.option("--dry-run", is_flag=True, help="Show what would change; write nothing.")
_YES = click.option("-y", "--yes", is_flag=True, help="Do not ask before something is removed.")
_WAIT = click.option("--wait", is_flag=True, help="Wait until every online node has applied it.")
_TIMEOUT = click.option(
    "--timeout",
    "timeout_s",
    type=duration,
    default="30s",
    show_default=True,
    help="With --wait: how long to wait for the publisher, and then for the nodes.",
)
