"""Where things are printed: results on standard output, everything else on standard error."""

import sys

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from cli.text import printable

UNBOUND = 100_000
"""Columns where nothing is wrapped or cut: of a pipe, and of a result that the terminal is to wrap."""


def stdout() -> Console:
    """Return the console for results, as wide as the terminal."""
    return _console(stderr=False)


def stderr() -> Console:
    """Return the console for progress and notes, as wide as the terminal."""
    return _console(stderr=True)


def _console(*, stderr: bool, bound: bool = True) -> Console:
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(
        stderr=stderr,
        force_terminal=terminal,  # FORCE_COLOR and the like must not put escapes into a pipe
        width=None if terminal and bound else UNBOUND,
        markup=False,
        highlight=False,
        emoji=False,
    )


def put(*parts: RenderableType) -> None:
    """Print a result, one part below the other: lines as long as they are, in a pipe without blanks at their end."""
    console = _console(stderr=False, bound=False)
    if console.is_terminal:
        console.print(*parts, sep="\n")
        return
    with console.capture() as captured:
        console.print(*parts, sep="\n")
    sys.stdout.write("".join(f"{line.rstrip(' ')}\n" for line in captured.get().splitlines()))
    sys.stdout.flush()


def note(text: str) -> None:
    """Say something beside the result, on standard error."""
    stderr().print(Text(printable(text, keep="\n")))


def table(*headings: str, right: tuple[str, ...] = ()) -> Table:
    """Return an empty table without lines, columns `right` with numbers in them."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        made.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    return made


def pairs() -> Table:
    """Return an empty table of two columns without headings: a word and what is to be said of it."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    return made


def cell(value: object, style: str = "") -> Text:
    """Return a value as the text of a cell: no markup, no escapes, ``-`` for nothing."""
    return Text("-" if value is None or value == "" else printable(str(value)), style=style)
