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
_LINE = re.compile(r"(?:.*<<'?(?P<end>\w+)'?.*\n(?:.*\n)*?(?P=end)|(?:.*\\\n)*.*)\n")
_INNER = re.compile(r"\$\(([^()]*)\)")
_ASSIGNMENT = re.compile(r"[A-Z_]+=.*")
_OPERATORS = frozenset("();<>|&")
_REDIRECTIONS = frozenset("<>")


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


def lines(page: Path) -> list[str]:
    """Return every shell line of a page as it is typed: of blocks in `sh`, and code spans that are one.

    A here-document and what a backslash continues belong to their line.
    """
    typed = [match[0].rstrip("\n") for block in blocks(page, "sh") for match in _LINE.finditer(block.text)]
    return [line for line in typed if line] + [
        span for span in spans(page) if re.match(r"(sudo )?(routecast|make|kubectl) \S|\.venv/bin/routecast ", span)
    ]


def commands(page: Path) -> list[list[str]]:
    """Return the words of every shell command in a page."""
    return [words for line in lines(page) for words in simple_commands(line)]


def simple_commands(line: str) -> list[list[str]]:
    """Return the words of each command in a line: of both ends of a pipe, and of what stands in $( )."""
    line = _HERE_DOCUMENT.sub(r"\2\n", line + "\n").replace("\\\n", " ").rstrip("\n")
    return [words for inner in _INNER.findall(line) for words in _simple(inner)] + [*_simple(_INNER.sub("X", line))]


def _simple(line: str) -> Iterator[list[str]]:
    """Yield the simple commands of a line, without what stands before the program's name."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    file_follows = False
    for word in [*lexer, ";"]:
        if set(word) <= _OPERATORS:
            file_follows = bool(set(word) & _REDIRECTIONS)
            if not file_follows:
                if words := _program(words):
                    yield words
                words = []
        elif not file_follows:
            words.append(word)
        else:
            file_follows = False


def _program(words: list[str]) -> list[str]:
    """Return a command from the program's name on; of one that `kubectl exec` runs, that one."""
    while words and (words[0] == "sudo" or _ASSIGNMENT.fullmatch(words[0])):
        words = words[1:]
    if words[:1] == ["kubectl"] and "exec" in words and "--" in words:
        return words[words.index("--") + 1 :]
    return words
