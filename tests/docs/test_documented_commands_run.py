"""What README and the pages in docs have readers type is typed: each line once, or it is said why it cannot be here."""

import re
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack
from pathlib import Path

import click
import pytest
import pytest_asyncio

from cli import exits
from tests.cli.test_help import COMMANDS
from tests.docs.clusters import PageCluster, page_cluster
from tests.docs.examples import EXAMPLES, UNTIL_STOPPED, commands_of, edits, path_of, skip_without_programs
from tests.docs.pages import ROOT, lines, name_of, simple_commands
from tests.docs.script import Script
from tests.docs.shell import CTRL_C, Done, Runs

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
}
"""What a reader puts in place of what a page has: as printed -> on the machine of this test."""

HERE = {
    *("routecast", "kubectl -n kube-system", "kubectl apply -f registry.yaml", "kubectl get svc"),
    *("base64", "cat", "grep", "head", "ls", "sh", "umask"),
}
"""What is typed, by the words that it begins with."""

_MACHINE = "changes /etc, /opt, /usr or /var of a machine: tests/deploy installs on machines of its own"
_SERVICES = "of services that systemd runs: tests/deploy boots a systemd of its own"
_CONTAINERS = "needs a container engine: tests/deploy runs one of its own"
_OURS_IN_CLUSTER = (
    "what runs in the cluster: tests/deploy checks the manifests; the API server here has no such objects"
)
_ASKS = "asks what this machine does not have: a resolver with our names, a Traefik, a tailnet, the usual ports"
NOT_HERE = {
    **dict.fromkeys(("cp", "install", "ln", "mkdir", "mv", "rm", "tee"), _MACHINE),
    **dict.fromkeys(("/opt/routecast/bin/pip", "python3 -m venv"), _MACHINE),
    **dict.fromkeys(("journalctl", "systemctl"), _SERVICES),
    **dict.fromkeys(("docker", "docker-compose", "k3s"), _CONTAINERS),
    **dict.fromkeys(("kubectl -n routecast", "kubectl create namespace", "kubectl config"), _OURS_IN_CLUSTER),
    **dict.fromkeys(("kubectl apply -k deploy/", "kubectl apply -f deploy/", "kubectl apply -f -"), _OURS_IN_CLUSTER),
    **dict.fromkeys(("curl", "dig", "getent", "tailscale"), _ASKS),
    "crontab": "typed by the test of the walkthrough",
    "git pull": "there is nothing to pull from",
    "make": "what runs this test",
}
"""What cannot be typed here, by the words that it begins with, and why."""

OF_THE_MACHINE = re.compile(r"(?<![\w.])/(boot|etc|home|opt|root|run|srv|usr|var)/|(?<!\S)~")
"""Paths that no line may have when it is typed: whoever runs this test may be root."""

NAMES = {"kubectl edit", "/opt/routecast/bin/"}
"""No lines to be typed, though they look like some."""

STAYS = {
    **UNTIL_STOPPED,
    "routecast acks --follow": Runs("applied", CTRL_C),
    "routecast publisher run --discover": Runs("registry follows the cluster"),
    "routecast publisher run --reconcile-every 4h": Runs("connected to nats"),
}


def _begins(words: list[str], prefixes: Collection[str]) -> bool:
    """Tell whether a command begins with one of some words; with a / at its end, only the last one's beginning."""
    text = " ".join(words) + " "
    return any(text.startswith(prefix if prefix.endswith("/") else f"{prefix} ") for prefix in prefixes)


def _typed(line: str) -> str:
    """Return a line as this test's reader types it."""
    for printed, own in READERS_OWN.items():
        line = re.sub(rf"{re.escape(printed)}(?![A-Z])", own, line)
    return line


def _only_names(line: str) -> bool:
    """Tell whether a line names a command, or a part of one, without the words that it needs to be run."""
    if not line.strip() or line in NAMES:
        return True
    words = line.split()
    path = path_of(words)
    command = COMMANDS.get(path)
    runs = command is not None and not any(
        isinstance(each, click.Argument) and each.required for each in command.params
    )
    return words == ["routecast", *path.split()] and not runs


def _is_for_here(line: str) -> bool:
    """Tell whether each command of a line is one that is typed here."""
    return all(_begins(words, HERE) for words in simple_commands(line))


def _plan() -> dict[str, list[str]]:
    """Return page -> what is typed for it, in its order: what only looks once in all, no example of a help again."""
    looked = {_without_sudo(line) for line in EXAMPLES}
    plan: dict[str, list[str]] = {}
    for page in PAGES:
        edited: set[str] = set()
        for line in map(_typed, lines(page)):
            known = edited if edits(line) else looked
            if _without_sudo(line) in known or _only_names(line) or not _is_for_here(line):
                continue
            if OF_THE_MACHINE.search(line):
                continue
            known.add(_without_sudo(line))
            plan.setdefault(name_of(page), []).append(line)
    return plan


def _without_sudo(line: str) -> str:
    return line.removeprefix("sudo ")


PLAN = _plan()
Place = tuple[str, str]
"""A page and a line of it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def script(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Script[Place]]:
    """Have every page typed, each in a cluster of its own."""
    async with AsyncExitStack() as clusters:
        of_page: dict[str, PageCluster] = {}
        for page in PLAN:
            folder: Path = tmp_path_factory.mktemp("page")
            of_page[page] = await clusters.enter_async_context(page_cluster(folder))

        async def type_line(place: Place) -> Done:
            page, line = place
            return await _type(of_page[page], line)

        typed = Script([[[(page, line) for line in chosen] for page, chosen in PLAN.items()]], type_line)
        async with typed.being_typed():
            yield typed


async def _type(cluster: PageCluster, line: str) -> Done:
    if line not in STAYS:
        return await cluster.shell.type(line, answer="y\n")
    async with cluster.shell.running(line) as terminal:
        if "--discover" in line:
            await terminal.shows("connected to nats")
            cluster.api.put_service("paperless", "paperless", ip="100.67.243.31", ports=[8000])
        await terminal.shows(STAYS[line].shows)
        return await terminal.stop()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_line_is_typed_or_has_a_reason(page: Path) -> None:
    """A program that is new is noticed: it is to be typed, or there is a reason; what is typed stays in its folder."""
    for line in map(_typed, lines(page)):
        if _only_names(line):
            continue
        for words in simple_commands(line):
            assert _begins(words, HERE) != _begins(words, NOT_HERE), f"{line}: {' '.join(words)}"
        assert not (_is_for_here(line) and OF_THE_MACHINE.search(line)), line


def test_every_command_that_a_page_names_is_tried() -> None:
    """What is named without the words that it needs has an example in its help; of a group, one of its commands has."""
    tried = [f"{path} " for line in EXAMPLES for path in commands_of(line)]
    named = {path_of(line.split()) for page in PAGES for line in map(_typed, lines(page)) if _only_names(line)}
    assert not [path for path in named if path and not any(each.startswith(f"{path} ") for each in tried)]


def test_a_line_is_whole(tmp_path: Path) -> None:
    """With its here-document, and what a backslash continues; a file that is written is no program."""
    page = tmp_path / "page.md"
    page.write_text("```sh\ncat > a <<'EOF'\nrm -r b\nEOF\n\nsudo ls \\\n  c | wc >> d\n```\n`sudo routecast nodes`\n")
    first, second, third = lines(page)
    assert (first, second, third) == (
        "cat > a <<'EOF'\nrm -r b\nEOF",
        "sudo ls \\\n  c | wc >> d",
        "sudo routecast nodes",
    )
    assert [simple_commands(line) for line in (first, second)] == [[["cat"]], [["ls", "c"], ["wc"]]]


@pytest.mark.timeout(240)
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("page", "line"), [(page, line) for page, chosen in PLAN.items() for line in chosen])
async def test_a_line_works_as_printed(script: Script[Place], page: str, line: str) -> None:
    """It ends well, at a terminal where somebody says yes."""
    skip_without_programs(line)
    done = await script.end_of((page, line))
    assert done.code == (STAYS[line].code if line in STAYS else exits.OK), done
    assert "Traceback" not in str(done), done
    assert "error: " not in done.said, done
