"""Where the lines of README and docs are typed: in a cluster of the docs tests, on machines, by an engine, or nowhere.

A line belongs where all its commands do. `tests/docs/test_documented_commands_run.py` sees to it that each has one
place, and types what is for `HERE`; the machines and the engine are those of tests/deploy.
"""

import re
from collections.abc import Collection

import click

from tests.cli.test_help import COMMANDS
from tests.docs.examples import path_of
from tests.docs.pages import ROOT, simple_commands

PAGES = [ROOT / "README.md", *(page for page in sorted((ROOT / "docs").glob("*.md")) if page.name != "walkthrough.md")]
"""The walkthrough has a test of its own, tests/docs/test_walkthrough.py."""

READERS_OWN = {
    "kubectl -n routecast exec deployment/routecast-publisher -- ": "",  # what follows is typed here instead
    "/opt/routecast/bin/routecast": "routecast",
    ".venv/bin/routecast": "routecast",
    "/etc/routecast/": "./",
    "/etc/traefik/dynamic": "../my-vps/dynamic",
    "/var/lib/routecast/": "../my-laptop/state/",
    " NODE": " my-laptop",
    " IP": " 100.68.225.92",
    "stream show 41": "stream show 1",  # a new cluster has no more
    "make demo": f"make -C {ROOT} demo",  # "in a copy of this repository"
}
"""What a reader puts in place of what a page has: as printed -> on the machine of the docs tests."""

HERE = {
    *("routecast", "kubectl -n kube-system", "kubectl apply -f registry.yaml", "kubectl get svc"),
    *("base64", "cat", "echo", "grep", "head", "ip", "ls", "sh", "umask", f"make -C {ROOT} demo"),
}
"""What the docs tests type, by the words that it begins with."""

ON_A_MACHINE = {"routecast join"}
"""What of ours needs a machine: the walkthrough and tests/deploy type it."""

ENGINE = {"docker", "docker-compose", "k3s"}
"""What tests/deploy types where a container engine runs."""

NOT_HERE = {
    "make test": "what runs this test",
    "crontab": "changes what cron does for whoever runs the tests; typed by the test of the walkthrough, on a stand-in",
}
"""What is typed nowhere, by the words that it begins with, and why."""

_OF_THE_MACHINE = re.compile(r"(?<![\w.])/(boot|etc|home|opt|root|run|srv|usr|var)/|(?<!\S)~")
"""Paths that no line of the docs tests may have when it is typed: whoever runs them may be root."""

NAMES = {
    *(
        "kubectl edit",
        "/opt/routecast/bin/",
        "systemctl stop",
        "systemctl reload",
        "docker-compose up",
        "sudo chmod 600",
    ),
    *("routecast join", "routecast leave", "sudo routecast join", "sudo routecast leave"),
}
"""No lines to be typed, though they look like some."""


def begins(words: list[str], prefixes: Collection[str]) -> bool:
    """Tell whether a command begins with one of some words."""
    text = " ".join(words) + " "
    return any(text.startswith(f"{prefix} ") for prefix in prefixes)


def own(line: str) -> str:
    """Return a line as the reader of the docs tests types it."""
    for printed, typed in READERS_OWN.items():
        line = re.sub(rf"{re.escape(printed)}(?![A-Z])", typed, line)
    return line


def only_names(line: str) -> bool:
    """Tell whether a line names a command, or a part of one, without the words that it needs to be run."""
    line = own(line)
    if not line.strip() or line in NAMES:
        return True
    words = line.split()
    path = path_of(words)
    command = COMMANDS.get(path)
    runs = command is not None and not any(
        isinstance(each, click.Argument) and each.required for each in command.params
    )
    return words == ["routecast", *path.split()] and not runs


def is_for_here(line: str) -> bool:
    """Tell whether the docs tests type a line as it is printed."""
    typed = own(line)
    known = all(begins(words, HERE) and not begins(words, ON_A_MACHINE) for words in simple_commands(typed))
    return known and not only_names(line) and not _OF_THE_MACHINE.search(typed)


def is_for_engine(line: str) -> bool:
    """Tell whether a line needs a container engine."""
    return not only_names(line) and any(begins(words, ENGINE) for words in simple_commands(line))


def is_for_nobody(line: str) -> bool:
    """Tell whether a line is typed nowhere: for one of its commands there is a reason."""
    return any(begins(words, NOT_HERE) for words in simple_commands(line))
