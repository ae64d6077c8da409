"""A page is taken apart by its headings without losing a line."""

from pathlib import Path

import pytest

from tests.docs.pages import blocks, lines, name_of, spans
from tests.docs.places import PAGES
from tests.docs.sections import all_lines, sections


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_nothing_is_lost(page: Path) -> None:
    """What `pages` reads of the whole page, the sections have, each line in its block."""
    assert sorted(set(lines(page)) - set(all_lines(page))) == []
    typed = [line for section in sections(page) for block in section.typed[:-1] for line in block]
    assert typed == lines(page)[: len(typed)]
    assert len([block for section in sections(page) for block in section.typed[:-1]]) == len(blocks(page, "sh"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_same_line_twice_in_a_block_is_two_lines(page: Path) -> None:
    """The blocks of a section hold exactly what stands in them."""
    for section in sections(page):
        for block in section.typed[:-1]:
            assert all(block), section.heading
        assert set(section.typed[-1]) <= set(spans(page))
