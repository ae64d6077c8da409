"""`routecast stream`: the group."""

import click

from cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "info": Lazy("cli.stream.info:info", "Show the streams on the server and the newest snapshot."),
    "log": Lazy("cli.stream.log:log", "List the versions that are kept, the newest first, and what each changed."),
    "show": Lazy("cli.stream.show:show", "Show one version whole."),
    "diff": Lazy("cli.stream.diff:diff", "Show what changed from one version to another."),
}


@click.group(
    cls=LazyGroup,
    sections={"Commands": COMMANDS},
    example="""
    routecast stream log
    routecast stream diff 56 57
    """,
)
def stream() -> None:
    """Look at what was published: now, before, and what changed.

    A VERSION is a number, as 57, in the newest epoch, or with its epoch, as 1763885042123/57. An epoch ends when the
    store was wiped or restored; versions count up from 1 in each.
    """
