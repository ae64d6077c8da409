"""The shared output options: every command that shows something does it as a table, JSON or YAML.

Machine output is all that stands on standard output then.
"""

import sys
from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

import click
import orjson

from cli import console

if TYPE_CHECKING:
    from rich.console import RenderableType

F = TypeVar("F", bound=Callable[..., Any])

Draw = Callable[[], "RenderableType"]
"""Returns what people see of a value."""

FORMS = ("table", "json", "yaml")


class Output:
    """Print values in the form that was asked for."""

    def __init__(self, form: str) -> None:
        self.form = form

    @property
    def for_people(self) -> bool:
        """Whether a person reads it."""
        return self.form == "table"

    def show(self, value: Any, draw: Draw) -> None:
        """Print one value, drawn by `draw` for people: the whole result of the command."""
        match self.form:
            case "json":
                _write(to_json(value, indent=True))
            case "yaml":
                _write(to_yaml(value))
            case _:
                console.put(draw())

    def append(self, value: Any, draw: Draw) -> None:
        """Print one value of an endless series: a line of JSON, a document of YAML, whatever `draw` draws."""
        match self.form:
            case "json":
                _write(to_json(value))
            case "yaml":
                _write("---\n" + to_yaml(value))
            case _:
                console.put(draw())


def output_option(command: F) -> F:
    """Add ``-o/--output``; the command gets an `Output` as ``output``."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(FORMS),
        default=FORMS[0],
        show_default=True,
        callback=lambda _ctx, _param, form: Output(form),
        help="How to print the result.",
    )(command)


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: dataclasses and models as objects, times in UTC."""
    return orjson.loads(orjson.dumps(value, default=_as_json, option=orjson.OPT_UTC_Z))


def to_json(value: Any, *, indent: bool = False) -> str:
    """Return a value as JSON, ending in a new line."""
    option = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE | (orjson.OPT_INDENT_2 if indent else 0)
    return orjson.dumps(value, default=_as_json, option=option).decode()


def to_yaml(value: Any) -> str:
    """Return a value as YAML."""
    import yaml  # noqa: PLC0415 - only this form needs it

    text: str = yaml.safe_dump(plain(value), sort_keys=False, allow_unicode=True, width=1000)
    return text


def _as_json(value: Any) -> Any:
    """Return what orjson does not know by itself in JSON's terms: paths, and models of pydantic."""
    return str(value) if isinstance(value, PurePath) else value.model_dump(mode="json", by_alias=True)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
