"""What README and the pages in docs have readers type is typed: each line once, or it is said why it cannot be here."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from cli import exits
from tests.deploy.walk import STEPS
from tests.docs.clusters import PageCluster, page_cluster
from tests.docs.examples import EXAMPLES, UNTIL_STOPPED, commands_of, edits, path_of, skip_without_programs
from tests.docs.pages import ROOT, lines, name_of, simple_commands
from tests.docs.places import (
    NOT_HERE,
    PAGES,
    is_for_engine,
    is_for_here,
    is_for_nobody,
    only_names,
    own,
)
from tests.docs.script import Script
from tests.docs.sections import all_lines
from tests.docs.shell import CTRL_C, Done, Runs

ON_MACHINES = {(step.section.page, step.line) for step in STEPS}
"""What tests/deploy/test_lines_on_machines.py types."""

STAYS = {
    **UNTIL_STOPPED,
    "routecast acks --follow": Runs("applied", CTRL_C),
    "routecast publisher run --discover": Runs("registry follows the cluster"),
    "routecast publisher run --reconcile-every 4h": Runs("connected to nats"),
}


MADE = ROOT / ".venv" / ".ready"


def _is_made() -> bool:
    """Tell whether `make` has nothing to install first."""
    of = [ROOT / "pyproject.toml", ROOT / "constraints.txt"]
    return MADE.exists() and all(MADE.stat().st_mtime >= each.stat().st_mtime for each in of)


def _plan() -> dict[str, list[str]]:
    """Return page -> what is typed for it, in its order: what only looks once in all, no example of a help again."""
    looked = {_without_sudo(line) for line in EXAMPLES}
    plan: dict[str, list[str]] = {}
    for page in PAGES:
        edited: set[str] = set()
        for line in map(own, filter(is_for_here, all_lines(page))):
            known = edited if edits(line) else looked
            if _without_sudo(line) in known:
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
    if line.startswith("make ") and not _is_made():
        return Done(line, exits.OK, "", "")
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
    """A line that is new is noticed: somebody types it, or there is a reason."""
    for line in all_lines(page):
        if only_names(line):
            continue
        is_typed = is_for_here(line) or is_for_engine(line) or (name_of(page), line) in ON_MACHINES
        assert is_typed != is_for_nobody(line), f"{line}: {'typed' if is_typed else 'in no place and without a reason'}"


def test_every_reason_is_needed() -> None:
    """What no page has any more needs no excuse."""
    words = [" ".join(words) + " " for page in PAGES for line in all_lines(page) for words in simple_commands(line)]
    assert not [reason for reason in NOT_HERE if not any(each.startswith(f"{reason} ") for each in words)]


def test_every_command_that_a_page_names_is_tried() -> None:
    """What is named without the words that it needs has an example in its help; of a group, one of its commands has."""
    tried = [f"{path} " for line in EXAMPLES for path in commands_of(line)]
    named = {path_of(own(line).split()) for page in PAGES for line in all_lines(page) if only_names(line)}
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
    if line.startswith("make ") and not _is_made():
        pytest.skip("`make` has not made .venv, or has to do so again: that is not for a test to do")
    done = await script.end_of((page, line))
    assert done.code == (STAYS[line].code if line in STAYS else exits.OK), done
    assert "Traceback" not in str(done), done
    assert "error: " not in done.said, done
