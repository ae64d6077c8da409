"""The commands that mend faults, as values: which, of what, with which options. Pure.

A value that only a person knows stands in capitals, as ``ADDRESS``. Whether a command really mends a fault, and would
not be refused, is for the reader that finds the fault to know.
"""

import shlex
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Self

import orjson

ADDRESS, PORT, TEXT = "ADDRESS", "PORT", "TEXT"
"""What only a person knows."""

_LONGEST = 253
"""Longer words are not for a command line, in characters; a valid name is never longer."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command of routecast, without the program's own name."""

    verb: str
    """The words that choose it, as ``service add``."""
    names: tuple[str, ...] = ()
    options: tuple[tuple[str, ...], ...] = ()
    """Each with its value, if it takes one."""
    after: Self | None = None
    """The command that must be run before this one."""

    def having(self, option: str, value: str) -> Self:
        """Return the command with one option more; one that it has already has the new value."""
        return replace(self, options=(*(each for each in self.options if each[0] != option), (option, value)))

    def line(self, program: str) -> str | None:
        """Return it ready to paste; None when something in it cannot be written on one line that people read."""
        first = None if self.after is None else self.after.line(program)
        words = self._words()
        if not all(word.isprintable() and len(word) <= _LONGEST for word in words):
            return None
        line = f"{program} {shlex.join(words)}"
        return line if first is None else f"{first} && {line}"

    def _words(self) -> tuple[str, ...]:
        options = tuple(chain.from_iterable(self.options))
        if any(name.startswith("-") for name in self.names):
            return (*self.verb.split(), *options, "--", *self.names)
        return (*self.verb.split(), *self.names, *options)


def as_text(value: Any) -> str:
    """Return the text that somebody meant who wrote another value; that of a list or an object only they know."""
    match value:
        case str():
            return value
        case bool() | int() | float():
            return orjson.dumps(value).decode()
        case _:
            return TEXT
