"""What every command of ours says of itself: an example and its exit codes, below the options."""

from collections.abc import Mapping
from typing import Any

import click

from cli import exits

_ALWAYS = {exits.USAGE: "usage or settings are wrong", exits.INTERRUPTED: "interrupted (Ctrl-C)"}

NATS_AWAY = {exits.UNREACHABLE: "NATS cannot be reached"}
NO_PUBLISHER = {exits.UNREACHABLE: "no publisher is running, or NATS cannot be reached"}
CLUSTER_AWAY = {exits.UNREACHABLE: "the cluster cannot be reached"}


class Command(click.Command):
    """A command that has an example and documents how it can end.

    `example` holds one command a line; `ends` says what exit codes mean here, those of `_ALWAYS` apart.
    """

    def __init__(self, *args: Any, example: str, ends: Mapping[int, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example
        self.ends = dict(sorted({**_ALWAYS, **ends}.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections behind the options."""
        super().format_epilog(ctx, formatter)
        write_example(formatter, self.example)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in self.ends.items()])


def write_example(formatter: click.HelpFormatter, example: str) -> None:
    """Write an example as it is, never wrapped: it is there to be pasted."""
    with formatter.section("Example"):
        for line in example.strip().splitlines():
            formatter.write(f"{'':>{formatter.current_indent}}{line.strip()}\n")
