"""What every source does."""

import asyncio

import pytest

from common.errors import SourceUnavailable
from common.status import SourceState
from publisher.source.document import DOCUMENTS, SERVICE_REGISTRY, Document
from publisher.source.source import Mark, PublisherState, Source
from tests.publisher.source.watching import watching
from tests.publisher.source.worlds import OLD, World

NEW = {"k": "new", "other": "ß\n"}


def _state(version: int, epoch: int = 1) -> PublisherState:
    mark = Mark(epoch=epoch, version=version, digest=f"sha256:{version}", counts={"services": 3})
    return PublisherState(installation="i", mark=mark)


async def _put_all(world: World) -> None:
    for name in DOCUMENTS:
        await world.put(name, OLD)


async def test_a_list_has_every_document(world: World, source: Source) -> None:
    """Also those that do not exist: each is told apart from an empty one."""
    await world.put(SERVICE_REGISTRY, OLD)
    listed = await source.list()
    assert set(listed) == set(DOCUMENTS)
    found = listed.pop(SERVICE_REGISTRY)
    assert found.data == OLD
    assert found.resource_version
    assert found.changed_by
    assert found.changed_at is not None
    assert found.edit
    assert {document.state for document in listed.values()} == {SourceState.MISSING}
    assert all(document.edit for document in listed.values())


async def test_a_watch_begins_with_every_document_once(world: World, source: Source) -> None:
    """So that the first registry is built from a whole list."""
    await world.put(SERVICE_REGISTRY, OLD)
    async with watching(source) as watch:
        await watch.listed()
        assert sorted(event.name for event in watch.events) == sorted(DOCUMENTS)
        assert {event.document for event in watch.events if event.document is None} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_change_of_any_one_document_is_told(world: World, source: Source, name: str) -> None:
    """Of that one, with its new content."""
    await _put_all(world)
    async with watching(source) as watch:
        await watch.listed()
        watch.forget()
        await world.put(name, NEW)
        changed = await watch.document(name, lambda document: document.data == NEW)
        assert {event.name for event in watch.events} == {name}
        assert changed == (await source.list())[name]


async def test_a_document_that_is_deleted_is_missing_until_it_is_back(world: World, source: Source) -> None:
    """And the watch goes on."""
    await _put_all(world)
    async with watching(source) as watch:
        await watch.listed()
        await world.delete(SERVICE_REGISTRY)
        await watch.document(SERVICE_REGISTRY, lambda document: document.state is SourceState.MISSING)
        await world.put(SERVICE_REGISTRY, NEW)
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)


async def test_broken_content_is_handed_on_as_it_is(world: World, source: Source) -> None:
    """What it means is not the source's to judge."""
    broken = {"services.json": '{"a": ', "empty": "", "odd": "\ufeff\ttab: - # x"}
    await world.put(SERVICE_REGISTRY, broken)
    assert (await source.list())[SERVICE_REGISTRY].data == broken


async def test_a_large_document_arrives_whole(world: World, source: Source) -> None:
    """ConfigMaps hold up to 1 MiB."""
    await _put_all(world)
    large = {"services.json": "x" * 900_000}
    async with watching(source) as watch:
        await watch.listed()
        await world.put(SERVICE_REGISTRY, large)
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == large)


async def test_many_quick_changes_end_with_the_last_one(world: World, source: Source) -> None:
    """No edit is lost."""
    await _put_all(world)
    async with watching(source) as watch:
        await watch.listed()
        for i in range(50):
            await world.put(SERVICE_REGISTRY, {"k": str(i)})
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == {"k": "49"})
        assert (await source.list())[SERVICE_REGISTRY].data == {"k": "49"}


async def test_a_source_that_is_lost_is_told_and_found_again(world: World, source: Source) -> None:
    """Changes made meanwhile are told when it is back."""
    await _put_all(world)
    async with watching(source) as watch:
        await watch.listed()
        watch.forget()
        await world.lose()
        for name in DOCUMENTS:
            assert await watch.lost(name)
        with pytest.raises(SourceUnavailable):
            await source.list()
        watch.forget()
        await world.find()
        await world.put(SERVICE_REGISTRY, NEW)
        await watch.listed()
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)
        for name in set(DOCUMENTS) - {SERVICE_REGISTRY}:
            await watch.document(name, lambda document: document.data == OLD)


async def test_a_source_that_is_not_there_yet_is_waited_for(world: World, source: Source) -> None:
    """The publisher and its source start in any order."""
    await _put_all(world)
    await world.lose()
    async with watching(source) as watch:
        await watch.lost(SERVICE_REGISTRY)
        watch.forget()
        await world.find()
        for name in DOCUMENTS:
            await watch.document(name, lambda document: document.data == OLD)


async def test_no_state_is_kept_at_first(world: World, source: Source) -> None:
    """First contact."""
    await _put_all(world)
    assert await source.read_state() is None


async def test_a_mark_is_only_ever_raised(source: Source) -> None:
    """Whoever writes, in whatever order."""
    for kept, written in [((1, 5), (1, 5)), ((1, 5), (1, 4)), ((1, 6), (1, 6)), ((2, 1), (2, 1)), ((2, 1), (1, 99))]:
        await source.write_state(_state(epoch=written[0], version=written[1]))
        state = await source.read_state()
        assert state is not None
        assert state.mark.order == kept
    assert await source.read_state() == _state(epoch=2, version=1)


async def test_writers_at_once_leave_the_highest_mark(source: Source) -> None:
    """Any number of publishers may run."""
    await asyncio.gather(*(source.write_state(_state(version)) for version in range(1, 9)))
    assert await source.read_state() == _state(8)


@pytest.mark.parametrize("text", ["", "{", "null", '{"installation": "i"}'])
async def test_a_broken_state_counts_as_none_and_is_replaced(world: World, source: Source, text: str) -> None:
    """It must not keep the publisher from starting."""
    await world.put_state(text)
    assert await source.read_state() is None
    await source.write_state(_state(1))
    assert await source.read_state() == _state(1)


async def test_the_state_of_a_lost_source_can_neither_be_read_nor_written(world: World, source: Source) -> None:
    """Trying again later can help."""
    await world.lose()
    with pytest.raises(SourceUnavailable):
        await source.read_state()
    with pytest.raises(SourceUnavailable):
        await source.write_state(_state(1))
    await world.find()


async def test_writing_the_state_is_no_change_of_a_document(world: World, source: Source) -> None:
    """Or each publish would ask for the next one."""
    await _put_all(world)
    async with watching(source) as watch:
        await watch.listed()
        watch.forget()
        await source.write_state(_state(1))
        await world.put(SERVICE_REGISTRY, NEW)
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == NEW)
        assert {event.name for event in watch.events} == {SERVICE_REGISTRY}


async def test_a_document_is_equal_to_itself(world: World, source: Source) -> None:
    """Listing twice gives the same: nothing in it is made up."""
    await _put_all(world)
    first: dict[str, Document] = await source.list()
    assert first == await source.list()
