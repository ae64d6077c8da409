"""What the pages name is there: pages and headings, commands and options, files of this repository, make targets."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from cli.main import main
from tests.docs.command_line import fault
from tests.docs.pages import PAGES, ROOT, anchors, commands, links, name_of, spans

_OURS = re.compile(r"(\.venv/bin/|/opt/routecast/bin/)?routecast")
_OUR_FILES = re.compile(r"(benchmarks|cli|common|deploy|docs|publisher|subscriber|tests)/[\w./-]+|docker-compose\.yml")

pages = pytest.mark.parametrize("page", PAGES, ids=name_of)


def _leaves(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[str]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _leaves(command, (*path, name))
        else:
            yield " ".join((*path, name))


@pages
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file that exists and, behind a #, a heading in it."""
    for link in links(page):
        if re.match(r"\w+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), link
        assert not anchor or anchor in anchors(file), link


@pages
def test_every_command_can_be_typed(page: Path) -> None:
    """Each `routecast` command line names a command that exists, with options and values that it takes."""
    faults = {
        " ".join(words): wrong
        for words in commands(page)
        if _OURS.fullmatch(words[0]) and (wrong := fault(words[1:])) is not None
    }
    assert not faults


@pages
def test_every_file_of_ours_exists(page: Path) -> None:
    """A path of this repository in a command or code span is a path in it."""
    named = [word for words in commands(page) for word in words] + spans(page)
    assert not [word for word in named if _OUR_FILES.fullmatch(word) and not (ROOT / word).exists()]


@pages
def test_every_make_target_exists(page: Path) -> None:
    """`make TARGET` is in the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {words[1] for words in commands(page) if words[0] == "make"} <= targets


def test_the_readme_names_every_command() -> None:
    """The table in the README is whole."""
    named = spans(ROOT / "README.md")
    assert not [path for path in _leaves(main) if not any(span.startswith(f"routecast {path}") for span in named)]


@pytest.mark.parametrize(
    "words",
    ["nodez", "nodes --stricter", "nodes my-laptop", "push --timeout 5", "render vps nowhere", "stream log -n 0", "-x"],
)
def test_a_wrong_command_line_is_found(words: str) -> None:
    """The judge of command lines finds what it is there for."""
    assert fault(words.split()) is not None


def test_commands_are_found_where_they_hide(tmp_path: Path) -> None:
    """Behind sudo, variables, pipes and `kubectl exec`, inside $( ), and not in a here-document."""
    page = tmp_path / "page.md"
    page.write_text(
        "Say `routecast nodes`.\n\n```sh\nsudo A=1 routecast push \\\n  --timeout 5s | jq . && routecast acks\n"
        'kubectl -n x exec deploy/y -- /opt/routecast/bin/routecast show\necho "$(routecast problems)"\n'
        "sudo tee f <<'EOF'\nroutecast nonsense\nEOF\n```\n"
    )
    found = [" ".join(words[1:]) for words in commands(page) if _OURS.fullmatch(words[0])]
    assert sorted(found) == ["acks", "nodes", "problems", "push --timeout 5s", "show"]
