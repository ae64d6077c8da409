"""The pages, taken apart: fenced blocks, code spans, links, and the shell commands in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_HERE_DOCUMENT = re.compile(r"<<'?(\w+)'?(.*)\n(?:.*\n)*?\1\n")
_INNER = re.compile(r"\$\(([^()]*)\)")
_ASSIGNMENT = re.compile(r"[A-Z_]+=.*")
_OPERATORS = frozenset("();<>|&")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str


def name_of(page: Path) -> str:
    """Return a page's path in the repository."""
    return str(page.relative_to(ROOT))


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return a page's fenced blocks in some languages, without the indent that they have in a list."""
    found = []
    for match in _FENCE.finditer(page.read_text()):
        text = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        if not languages or match["language"] in languages:
            found.append(Block(match["language"], text))
    return found


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def spans(page: Path) -> list[str]:
    """Return the code spans of a page."""
    return _SPAN.findall(prose(page))


def links(page: Path) -> list[str]:
    """Return the targets of a page's links."""
    return _LINK.findall(_SPAN.sub("code", prose(page)))


def anchors(page: Path) -> set[str]:
    """Return the names under which the headings of a page can be linked, as GitHub makes them."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(prose(page))}


def commands(page: Path) -> list[list[str]]:
    """Return the words of every shell command in a page: blocks in `sh`, and code spans that are one."""
    texts = [block.text for block in blocks(page, "sh")]
    texts += [
        span for span in spans(page) if re.match(r"(sudo )?(routecast|make|kubectl) \S|\.venv/bin/routecast ", span)
    ]
    return [words for text in texts for words in _commands(text)]


def _commands(text: str) -> Iterator[list[str]]:
    text = _HERE_DOCUMENT.sub(r"\2\n", text + "\n").replace("\\\n", " ")
    for line in text.splitlines():
        for inner in _INNER.findall(line):
            yield from _simple(inner)
        yield from _simple(_INNER.sub("X", line))


def _simple(line: str) -> Iterator[list[str]]:
    """Yield the simple commands of a line, without what stands before the program's name."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= _OPERATORS:
            if words := _program(words):
                yield words
            words = []
        else:
            words.append(word)


def _program(words: list[str]) -> list[str]:
    """Return a command from the program's name on; of one that `kubectl exec` runs, that one."""
    while words and (words[0] == "sudo" or _ASSIGNMENT.fullmatch(words[0])):
        words = words[1:]
    if words[:1] == ["kubectl"] and "exec" in words and "--" in words:
        return words[words.index("--") + 1 :]
    return words
