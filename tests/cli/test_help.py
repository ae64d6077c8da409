"""Every command is documented, and asking for help is cheap."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cli import exits
from cli.command import Command
from cli.lazy import LazyGroup
from cli.main import main
from tests.cli.conftest import run_routecast

HEAVY = ("aiohttp", "httpx", "kubernetes", "nacl", "nats", "orjson", "pydantic", "rich", "structlog", "yaml")


def _walk(group: LazyGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command, str]]:
    """Yield every command and group below `group`: its words, itself, and the line that lists show of it."""
    for name, lazy in group.lazy.items():
        command = lazy.load()
        yield (*path, name), command, lazy.short_help
        if isinstance(command, LazyGroup):
            yield from _walk(command, (*path, name))


TREE = {" ".join(path): (command, listed) for path, command, listed in _walk(main)}
COMMANDS = {path: command for path, (command, _) in TREE.items() if isinstance(command, Command)}


def test_the_commands_of_design_9_are_there() -> None:
    """The commands that replace the old tools' reading and running side all exist."""
    assert set(COMMANDS) >= {
        *("nodes", "acks", "push", "reconcile", "problems", "show", "config show", "demo"),
        *("render hosts", "render vps", "stream info", "stream log", "stream show", "stream diff"),
        *("publisher run", "publisher public-key", "subscriber run", "subscriber sync", "subscriber status"),
    }


@pytest.mark.parametrize("path", TREE)
def test_every_command_says_what_it_does(path: str) -> None:
    """Help begins with one line of what; lists, which import nothing, show the same line."""
    command, listed = TREE[path]
    first = (command.help or "").strip().splitlines()[0]
    assert first == listed
    assert first.endswith(".")


@pytest.mark.parametrize("path", TREE)
def test_every_command_shows_an_example(path: str) -> None:
    """Help has an example of this very command, never wrapped, so that it can be pasted."""
    result = run_routecast(*path.split(), "--help")
    assert result.exit_code == exits.OK
    example = result.stdout.partition("\nExample:\n")[2].partition("\n\n")[0]
    assert f"routecast {path}" in example or f"{path.partition(' ')[0]} " in example
    assert all(line.startswith("  ") for line in example.splitlines())


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_documents_its_exit_codes(path: str) -> None:
    """Help lists what each exit code means here; usage errors and Ctrl-C are among them everywhere."""
    said = run_routecast(*path.split(), "-h").stdout.partition("\nExit codes:\n")[2]
    documented = [int(line.split()[0]) for line in said.splitlines() if line.strip()[:1].isdigit()]
    assert documented == sorted(COMMANDS[path].ends)
    assert {exits.OK, exits.USAGE, exits.INTERRUPTED} <= set(documented)


@pytest.mark.parametrize("path", TREE)
def test_every_option_is_explained(path: str) -> None:
    """Each option has a help text; none prompts."""
    command, _ = TREE[path]
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"{path} {option.name}"
            assert option.prompt is None


@pytest.mark.parametrize("words", [["--help"], ["stream", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    """Asking for help or version needs none of the libraries that make a start slow."""
    code = (
        "import sys\nfrom cli.main import main\n"
        f"try:\n    main({words!r}, prog_name='routecast')\nexcept SystemExit:\n    pass\n"
        f"sys.exit(', '.join(name for name in {HEAVY!r} if name in sys.modules) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == exits.OK, done.stderr


def test_it_is_installed_and_runs_as_a_module() -> None:
    """The installed program and `python -m cli` are the same command."""
    program = Path(sys.executable).parent / "routecast"
    for start in ([str(program)], [sys.executable, "-m", "cli"]):
        done = subprocess.run([*start, "--version"], capture_output=True, text=True, timeout=30, check=True)
        assert done.stdout.startswith("routecast ")


def test_an_unknown_command_is_a_usage_error() -> None:
    """A word that is no command ends with exit code 2 and says so on standard error."""
    result = run_routecast("notes")
    assert result.exit_code == exits.USAGE
    assert "No such command 'notes'" in result.stderr
    assert not result.stdout
