"""What every book does: the editor's side of a folder and of a cluster."""

import asyncio

import pytest

from common.errors import SourceUnavailable
from publisher.registry.book import Book, open_book
from publisher.source.document import DOCUMENTS, SERVICE_REGISTRY
from publisher.source.open import open_source
from publisher.source.source import Conflict, Mark, PublisherState
from tests.publisher.source.worlds import World

OLD = {"services.json": '{"a": 1}', "other": "kept\nas it is"}
STATE = PublisherState(installation="i", mark=Mark(epoch=1, version=1, digest="d", counts={"services": 3}))


async def _data(book: Book, name: str = SERVICE_REGISTRY) -> dict[str, str] | None:
    """Return what a document holds, without line ends at the end of its texts: a folder may add one."""
    data = (await book.list())[name].data
    return None if data is None else {key: text.rstrip("\n") for key, text in data.items()}


async def _version(book: Book, name: str = SERVICE_REGISTRY) -> str | None:
    return (await book.list())[name].resource_version


async def test_a_write_changes_its_keys_and_no_others(world: World, book: Book) -> None:
    """And returns the version that they have now."""
    await world.put(SERVICE_REGISTRY, OLD)
    version = await book.write(
        SERVICE_REGISTRY, {"services.json": '{\n  "b": 2\n}', "new": "é\u2028 # :"}, await _version(book)
    )
    assert await _data(book) == {**OLD, "services.json": '{\n  "b": 2\n}', "new": "é\u2028 # :"}
    assert version == await _version(book)
    version = await book.write(SERVICE_REGISTRY, {"new": None, "never": None}, version)
    assert await _data(book) == {**OLD, "services.json": '{\n  "b": 2\n}'}
    assert version == await _version(book)


async def test_a_write_on_an_old_version_is_a_conflict(world: World, book: Book) -> None:
    """And changes nothing: whoever was faster, stays."""
    await world.put(SERVICE_REGISTRY, OLD)
    version = await _version(book)
    await world.put(SERVICE_REGISTRY, {"services.json": "{}"})
    with pytest.raises(Conflict):
        await book.write(SERVICE_REGISTRY, {"services.json": '{"b": 2}'}, version)
    assert await _data(book) == {"services.json": "{}"}


async def test_what_was_deleted_meanwhile_is_a_conflict(world: World, book: Book) -> None:
    """It is not made again by a change of it."""
    await world.put(SERVICE_REGISTRY, OLD)
    version = await _version(book)
    await world.delete(SERVICE_REGISTRY)
    with pytest.raises(Conflict):
        await book.write(SERVICE_REGISTRY, {"services.json": "{}"}, version)
    assert await _data(book) is None


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_document_that_is_missing_is_made_once(book: Book, name: str) -> None:
    """Whoever makes it second has a conflict."""
    version = await book.write(name, {"services.json": "{}", "cluster-domain": "mycloud", "gone": None}, None)
    assert await _data(book, name) == {"services.json": "{}", "cluster-domain": "mycloud"}
    assert version == await _version(book, name)
    with pytest.raises(Conflict):
        await book.write(name, {"services.json": '{"b": 2}'}, None)
    assert await _data(book, name) == {"services.json": "{}", "cluster-domain": "mycloud"}


async def test_a_document_without_keys_gets_its_first(world: World, book: Book) -> None:
    """As one that was made with kubectl create."""
    await world.put(SERVICE_REGISTRY, {})
    await book.write(SERVICE_REGISTRY, {"services.json": "{}"}, await _version(book))
    assert await _data(book) == {"services.json": "{}"}


async def test_of_many_writers_on_one_version_one_wins(world: World, book: Book) -> None:
    """The others notice."""
    await world.put(SERVICE_REGISTRY, OLD)
    version = await _version(book)
    results = await asyncio.gather(
        *(book.write(SERVICE_REGISTRY, {"services.json": f'{{"a": {i}}}'}, version) for i in range(2, 14)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Conflict) for result in results) == 11
    [won] = [i for i, result in enumerate(results, start=2) if isinstance(result, str)]
    assert await _data(book) == {**OLD, "services.json": f'{{"a": {won}}}'}


async def test_the_record_is_merged_by_all_who_write_it(world: World, book: Book) -> None:
    """Nobody's line is lost."""
    assert await book.read_record() is None
    async with open_book(world.settings) as other:
        await asyncio.gather(
            *((book, other)[i % 2].write_record(lambda text, i=i: f"{text or ''}{i}\n") for i in range(24))  # type: ignore[misc]
        )
    assert sorted(map(int, (await book.read_record() or "").split())) == list(range(24))


async def test_the_record_and_the_publishers_state_leave_each_other_alone(world: World, book: Book) -> None:
    """They are neighbours."""
    async with open_source(world.settings) as source:
        await book.write_record(lambda _: "first")
        await source.write_state(STATE)
        assert await book.read_record() == "first"
        await book.write_record(lambda text: f"{text}, second")
        assert await source.read_state() == STATE
        assert await book.read_record() == "first, second"


async def test_a_registry_that_is_lost_cannot_be_read_or_written(world: World, book: Book) -> None:
    """Which may be over soon: try again."""
    await world.put(SERVICE_REGISTRY, OLD)
    version = await _version(book)
    await world.lose()
    for attempt in (
        book.list(),
        book.write(SERVICE_REGISTRY, {"a": "b"}, version),
        book.write(SERVICE_REGISTRY, {"a": "b"}, None),
        book.write_record(lambda _: "x"),
    ):
        with pytest.raises(SourceUnavailable) as caught:
            await attempt
        assert not isinstance(caught.value, Conflict)
    await world.find()
    assert await _data(book) == OLD
