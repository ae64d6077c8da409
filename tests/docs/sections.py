"""The pages by their headings: what is typed below each, block by block, and the files that stand beside it.

`pages` reads the lines; here it is only told which part of a page to read.
"""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.docs.pages import Block, blocks, lines, name_of, spans

_HEADING = re.compile(r"#+ (?P<text>.+)")
_FENCE = re.compile(r" *```")
_SPAN_TYPED = re.compile(
    r"(sudo \S+|curl|dig|docker|docker-compose|getent|git|journalctl|k3s|ls|nc|systemctl|tailscale) (?!compose$)\S"
)
"""Code spans that are a line, though no program of ours is in them."""


@dataclass(frozen=True, slots=True)
class Section:
    """What stands below one heading of a page, down to the next one of any level."""

    page: str
    heading: str
    typed: tuple[tuple[str, ...], ...]
    """The lines of each block in `sh`; last, those that stand in the text."""
    files: tuple[Block, ...]
    """Blocks in another language: settings and manifests."""

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines, those of the blocks first."""
        return tuple(line for block in self.typed for line in block)


@cache
def sections(page: Path) -> tuple[Section, ...]:
    """Return the sections of a page, in their order; what stands above the first heading has none."""
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part.md"
        found = []
        for heading, text in _split(page.read_text()):
            part.write_text(text)
            found.append(_read(name_of(page), heading, part))
    return tuple(found)


def all_lines(page: Path) -> list[str]:
    """Return every line of a page, those that name no program of ours too."""
    return [line for section in sections(page) for line in section.lines]


def _read(page: str, heading: str, part: Path) -> Section:
    """Read a section; the lines of `pages` are those of its blocks one after the other, then those of its text."""
    left, typed = lines(part), []
    for block in blocks(part, "sh"):
        of_block: list[str] = []
        while left and left[0] in block.text and sum(map(_length, of_block)) < len(block.text.strip()):
            of_block.append(left.pop(0))
        typed.append(tuple(of_block))
    in_text = [span for span in spans(part) if span in left or _SPAN_TYPED.match(span)]
    return Section(page, heading, (*typed, tuple(in_text)), tuple(blocks(part, "toml", "yaml")))


def _length(line: str) -> int:
    return len(line) + 1


def _split(text: str) -> Iterator[tuple[str, str]]:
    """Yield heading and text of each section; what looks like a heading inside a block is none."""
    heading, body, fenced = "", "", False
    for line in text.splitlines(keepends=True):
        found = None if fenced else _HEADING.match(line)
        if found is not None:
            yield heading, body
            heading, body = found["text"], ""
        else:
            fenced ^= bool(_FENCE.match(line))
            body += line
    yield heading, body
