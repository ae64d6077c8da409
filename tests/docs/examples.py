"""The examples of `--help`, which of them edit, and which run until they are stopped."""

import shutil

import click
import pytest

from cli.command import Command
from cli.lazy import LazyGroup
from cli.main import main
from tests.cli.test_help import TREE
from tests.docs.pages import simple_commands
from tests.docs.shell import CTRL_C, Runs

EXAMPLES = list(
    dict.fromkeys(
        line.strip()
        for command in (main, *(command for command, _ in TREE.values()))
        if isinstance(command, Command | LazyGroup)
        for line in command.example.strip().splitlines()
    )
)
"""Every line of every command's and group's example, once."""

EDITING = (
    *("init", "import"),
    *("domain add", "vps add", "node add", "node label"),
    *("service add", "service publish", "route set", "service hide", "service discover"),
    *("route remove", "service remove", "domain remove", "vps remove", "node remove"),
    *("subscriber adopt", "leave"),
)
"""The commands that write, in an order in which each finds what its examples name."""

UNTIL_STOPPED = {
    "routecast nodes --watch": Runs("5 nodes: ", CTRL_C),
    "routecast acks --follow -o json | jq -r 'select(.state == \"failed\") | .error.message'": Runs(
        "Read-only file system", CTRL_C
    ),
    "sudo routecast trust rotate": Runs("waiting for", CTRL_C),
    "sudo routecast trust rotate --timeout 2h": Runs("waiting for", CTRL_C),
    "sudo routecast trust rotate --without old-laptop": Runs("waiting for", CTRL_C),
    "routecast publisher run": Runs("event=published"),
    "routecast publisher run --registry-dir ./registry": Runs("event=published"),
    "routecast publisher run --registry-dir ./registry --reconcile-every 4h": Runs("event=published"),
    "routecast subscriber run": Runs("state=applied"),
    "routecast --config ./routecast.toml subscriber run": Runs("state=applied"),
    "routecast demo --keep": Runs("Ctrl-C ends it all"),
}

_OPTIONAL = ("jq", "kubectl")
"""Programs that a machine need not have. CI has them (.ci/run)."""


def commands_of(line: str) -> list[str]:
    """Return which `routecast` commands are in a line, as `stream diff`."""
    return [path_of(words) for words in simple_commands(line) if words[0] == "routecast"]


def path_of(words: list[str]) -> str:
    """Return which command the words are of, options before it left out."""
    found: click.Command = main
    path: list[str] = []
    for word in words:
        if isinstance(found, LazyGroup) and word in found.lazy:
            found = found.lazy[word].load()
            path.append(word)
    return " ".join(path)


def edits(line: str) -> bool:
    """Tell whether a line changes a registry or a node's files."""
    return bool(set(commands_of(line)) & set(EDITING))


def skip_without_programs(line: str) -> None:
    """Skip a test that needs a program which is not installed."""
    needed = {words[0] for words in simple_commands(line)}
    if missing := [program for program in _OPTIONAL if program in needed and shutil.which(program) is None]:
        pytest.skip(f"not installed: {', '.join(missing)}")
