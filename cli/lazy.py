"""A group whose commands are imported when they are used: `--help` shows them all and imports none."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from cli.command import write_example


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command is (``module:name``) and the line that lists show of it.

    The line repeats the first one of the command's own help; a test compares them.
    """

    where: str
    short_help: str

    def load(self) -> click.Command:
        """Import the command."""
        module, name = self.where.split(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


class LazyGroup(click.Group):
    """A group of lazily imported commands under headings, in the order given."""

    def __init__(self, *args: Any, sections: Mapping[str, Mapping[str, Lazy]], example: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections
        self.example = example
        self.lazy = {name: lazy for section in sections.values() for name, lazy in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click names it
        """Return the names in the order given."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click names it
        """Import the command called `cmd_name`, None when there is none."""
        lazy = self.lazy.get(cmd_name)
        return lazy.load() if lazy is not None else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write one section a heading, its columns as wide as all the names need."""
        width = max(map(len, self.lazy))
        for heading, commands in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{name:<{width}}", lazy.short_help) for name, lazy in commands.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example behind the commands."""
        super().format_epilog(ctx, formatter)
        write_example(formatter, self.example)
