"""Edits that a writer without a lock overwrites, in a folder and in a cluster."""

from functools import partial

import pytest

from publisher.registry.book import Book
from publisher.registry.draft import ROUTING
from publisher.registry.editor import Editor
from publisher.registry.plan import Edit
from publisher.registry.record import lost_edits, read_record
from publisher.registry.services import ServiceFields, add_service, remove_service, set_public
from tests.publisher.pipeline.parsing import ROUTING as ROUTES
from tests.publisher.pipeline.parsing import texts
from tests.publisher.registry.editing import value
from tests.publisher.source.worlds import World

PORT: Edit = partial(add_service, name="immich", given=ServiceFields(port=81))
REMOVE: Edit = partial(remove_service, name="immich")
HIDE: Edit = partial(set_public, name="immich", public=False)


@pytest.fixture(autouse=True)
async def whole(world: World) -> None:
    """Have a registry with nothing wrong in it."""
    for name, data in texts().items():
        await world.put(name, data or {})


def _editor(book: Book, command: str) -> Editor:
    return Editor(book, "me@host", command)


async def _lost(book: Book) -> list[str]:
    return [problem.mend for problem in lost_edits(await book.list(), read_record(await book.read_record()))]


async def test_an_edit_that_a_writer_without_a_lock_overwrote_is_named_until_it_is_made_again(
    world: World, book: Book
) -> None:
    """It read before ours and wrote behind it."""
    old = (await book.list())["service-registry"].data or {}
    await _editor(book, "publish it").apply(PORT)
    await _editor(book, "hide it").apply(HIDE)
    assert await _lost(book) == []
    await world.put("service-registry", old)
    assert sorted(await _lost(book)) == ["hide it", "publish it"]
    await _editor(book, "publish it").apply(PORT)
    assert await _lost(book) == ["hide it"]
    await _editor(book, "hide it").apply(HIDE)
    assert await _lost(book) == []


async def test_an_edit_that_is_away_with_its_document_is_not_called_overwritten(world: World, book: Book) -> None:
    """Nobody knows what is in it."""
    await _editor(book, "add it").apply(partial(add_service, name="new", given=ServiceFields(ip="100.67.1.1")))
    await world.put("service-registry", {"services.json": "{"})
    assert await _lost(book) == []
    await world.delete("service-registry")
    assert await _lost(book) == []


async def test_a_removal_that_was_overwritten_in_one_document_of_two_is_named_for_that(
    world: World, book: Book
) -> None:
    """The route is back, the service is not."""
    old = (await book.list())["domain-registry"].data or {}
    await _editor(book, "remove it").apply(REMOVE)
    await world.put("domain-registry", old)
    [problem] = lost_edits(await book.list(), read_record(await book.read_record()))
    assert (problem.document, problem.entry) == ("domain-registry/routing.json", "immich")
    assert value(await book.list(), ROUTING) == ROUTES
