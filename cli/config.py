"""`routecast config`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from cli import exits
from cli.command import Command
from cli.lazy import Lazy, LazyGroup
from cli.line import CommandLine
from cli.output import Output, output_option
from common.masking import masked as hidden

if TYPE_CHECKING:
    from pydantic import BaseModel

    from common.settings import Settings

COMMANDS = {"show": Lazy("cli.config:show", "Show the settings as they are in force, secrets masked.")}


@click.group(cls=LazyGroup, sections={"Commands": COMMANDS}, example="routecast config show")
def config() -> None:
    """Look at the settings."""


@click.command(
    cls=Command,
    example="""
    routecast config show
    ROUTECAST_NATS_URL=nats://cp1:4222 routecast config show -o json | jq .settings.nats
    """,
    ends={exits.OK: "the settings are valid"},
)
@output_option
@click.pass_obj
def show(line: CommandLine, *, output: Output) -> None:
    """Show the settings as they are in force, secrets masked.

    The environment goes before the file, the file before the defaults. The output is a settings file again. Of
    credentials it is shown where they are read, never what is in them.
    """
    settings = line.settings
    value = {"file": settings.file, "settings": masked(settings), "credentials": credentials(settings)}
    output.show(value, lambda: Text("\n".join(_as_toml(settings))))


def masked(settings: "Settings") -> dict[str, dict[str, Any]]:
    """Return the values as JSON has them, without any secret."""
    return {name: _masked_section(getattr(settings, name)) for name in type(settings).model_fields}


def _masked_section(section: "BaseModel") -> dict[str, Any]:
    plain = section.model_dump(mode="json")  # a SecretStr comes out masked already
    return {name: hidden(value) if isinstance(value, str) else value for name, value in plain.items()}


def credentials(settings: "Settings") -> dict[str, str | None]:
    """Return which file the NATS credentials are read from, and who named it."""
    file = settings.nats.credentials_file
    given = "credentials_file" in settings.nats.model_fields_set
    source = None if file is None else "nats.credentials_file" if given else _SYSTEMD
    return {"file": hidden(str(file)) if file is not None else None, "from": source}


_SYSTEMD = "systemd (LoadCredential)"


def _as_toml(settings: "Settings") -> Iterator[str]:
    """Return the lines of a settings file that says the same; what was not set stands in comments."""
    file: Path | None = settings.file
    yield f"# read from {file}" if file is not None else "# no settings file was read"
    for name, section in masked(settings).items():
        yield ""
        yield f"[{name}]"
        given = getattr(settings, name).model_fields_set
        for key, value in section.items():
            line = f"{key} =" if value is None else f"{key} = {_toml_value(value)}"
            if key == "credentials_file" and credentials(settings)["from"] == _SYSTEMD:
                line += f"  # from {_SYSTEMD}"
            yield line if key in given and value is not None else f"# {line}"


def _toml_value(value: Any) -> str:
    """Return a value in TOML; JSON's strings, numbers, booleans and arrays are TOML as well."""
    return json.dumps(value, ensure_ascii=False)
