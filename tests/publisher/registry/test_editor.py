import asyncio
import itertools
from collections.abc import Callable
from functools import partial

import pytest

from common.errors import AccessDenied, EditRefused, SourceUnavailable
from publisher.registry.book import Book
from publisher.registry.draft import ROUTING, SERVICES, Draft
from publisher.registry.editor import Editor
from publisher.registry.plan import Edit
from publisher.registry.record import lost_edits, read_record
from publisher.registry.services import ServiceFields, add_service, remove_service
from publisher.source.source import Conflict
from tests.fakes.kubernetes import FakeKubernetes
from tests.publisher.pipeline.parsing import SERVICES as APPS
from tests.publisher.pipeline.parsing import texts
from tests.publisher.registry.editing import told, value
from tests.publisher.registry.meddling import Between, Meddled
from tests.publisher.source.worlds import World

PORT: Edit = partial(add_service, name="immich", given=ServiceFields(port=81))
REMOVE: Edit = partial(remove_service, name="immich")


@pytest.fixture(autouse=True)
async def whole(world: World) -> None:
    """Have a registry with nothing wrong in it."""
    for name, data in texts().items():
        await world.put(name, data or {})


def _editor(book: Book, command: str = "the command") -> Editor:
    return Editor(book, "me@host", command)


def _edits(book: Book, edit: Edit) -> Between:
    """Return somebody else who makes an edit."""

    async def meddle() -> None:
        await _editor(book, "another command").apply(edit)

    return meddle


async def _lost(book: Book) -> list[str]:
    return [problem.mend for problem in lost_edits(await book.list(), read_record(await book.read_record()))]


async def test_planning_writes_nothing(book: Book) -> None:
    """For a dry run, and to be asked first."""
    before = await book.list()
    plan = await _editor(book).plan(REMOVE)
    assert plan.changed
    assert await book.list() == before
    assert await book.read_record() is None


async def test_an_edit_is_written_and_recorded(book: Book) -> None:
    """With who, and the command that repeats it."""
    written = await _editor(book).apply(PORT)
    listed = await book.list()
    assert value(listed, SERVICES)["immich"]["port"] == 81
    assert written.versions == {"service-registry": listed["service-registry"].resource_version}
    assert told(written.plan) == ["service immich.port: 80 -> 81"]
    [recorded] = read_record(await book.read_record())
    assert (recorded.by, recorded.command, recorded.changes) == ("me@host", "the command", written.plan.changes)
    assert value(listed, SERVICES)["immich"]["updated"] == f"{recorded.at:%Y-%m-%dT%H:%M:%SZ}"


async def test_the_same_again_writes_nothing(book: Book) -> None:
    """Not even to the record."""
    await _editor(book).apply(PORT)
    before, record = await book.list(), await book.read_record()
    again = await _editor(book).apply(PORT)
    assert (again.plan.changed, again.versions) == (False, {})
    assert (await book.list(), await book.read_record()) == (before, record)


async def test_a_refused_edit_writes_nothing(book: Book) -> None:
    """All or nothing."""
    before = await book.list()
    with pytest.raises(EditRefused):
        await _editor(book).apply(partial(add_service, name="immich", given=ServiceFields(port=0)))
    assert await book.list() == before


async def test_an_approved_plan_that_is_another_one_by_now_is_refused(book: Book) -> None:
    """People agreed to what they saw."""
    plan = await _editor(book).plan(REMOVE)
    await _editor(book).apply(PORT)
    before = await book.list()
    with pytest.raises(EditRefused, match="changed meanwhile"):
        await _editor(book).apply(REMOVE, plan)
    assert await book.list() == before
    again = await _editor(book).plan(REMOVE)
    assert (await _editor(book).apply(REMOVE, again)).plan.changes == again.changes


async def test_an_approved_plan_that_is_still_the_same_is_carried_out(book: Book) -> None:
    """Others may have edited something else."""
    plan = await _editor(book).plan(REMOVE)
    await _editor(book).apply(partial(add_service, name="grafana", given=ServiceFields(port=81)))
    written = await _editor(book).apply(REMOVE, plan)
    assert written.plan.changes == plan.changes
    assert list(value(await book.list(), SERVICES)) == ["grafana"]


async def test_a_plan_that_becomes_another_one_while_it_is_written_is_refused(book: Book) -> None:
    """It began anew, and found something else."""
    plan = await _editor(book).plan(PORT)
    change = partial(add_service, name="immich", given=ServiceFields(port=82))
    with pytest.raises(EditRefused, match="changed meanwhile"):
        await _editor(Meddled(book, service_registry=[_edits(book, change)])).apply(PORT, plan)
    assert value(await book.list(), SERVICES)["immich"]["port"] == 82


async def test_an_edit_between_reading_and_writing_is_kept(book: Book) -> None:
    """Ours begins anew on it, as often as that happens."""
    others: list[Between] = [
        _edits(book, partial(add_service, name="grafana", given=ServiceFields(port=port))) for port in (1, 2, 3)
    ]
    await _editor(Meddled(book, service_registry=others)).apply(PORT)
    services = value(await book.list(), SERVICES)
    assert (services["immich"]["port"], services["grafana"]["port"]) == (81, 3)


@pytest.mark.parametrize("approved", [False, True])
async def test_a_conflict_between_two_documents_converges(book: Book, approved: bool) -> None:
    """The first one is written already; what is told and recorded is the whole."""
    plan = await _editor(book).plan(REMOVE)
    other = partial(add_service, name="grafana", given=ServiceFields(port=81))
    meddled = Meddled(book, service_registry=[_edits(book, other)])
    written = await _editor(meddled).apply(REMOVE, plan if approved else None)
    listed = await book.list()
    assert (list(value(listed, SERVICES)), value(listed, ROUTING)) == (["grafana"], {})
    assert told(written.plan) == told(plan)
    assert set(written.plan.writes) == set(written.versions) == {"domain-registry", "service-registry"}
    assert written.versions == {name: listed[name].resource_version for name in written.versions}
    assert ("immich" in written.plan.before.services, "immich" in written.plan.after.services) == (True, False)
    recorded = read_record(await book.read_record())
    assert [edit.command for edit in recorded] == ["another command", "the command"]
    assert recorded[1].changes == written.plan.changes
    assert await _lost(book) == []


async def test_a_document_that_had_to_be_written_twice_is_told_once(book: Book) -> None:
    """From how it was at first to how it is now."""

    def back(draft: Draft) -> None:
        draft.object(ROUTING)["immich"] = {"domains": ["b.example"], "x": 1}

    async def meddle() -> None:
        await _editor(book).apply(back)
        await _editor(book).apply(PORT)

    written = await _editor(Meddled(book, service_registry=[meddle])).apply(REMOVE)
    listed = await book.list()
    assert (list(value(listed, SERVICES)), value(listed, ROUTING)) == (["grafana"], {})
    assert "service immich.port: 81 -> None" in told(written.plan)
    assert [line for line in told(written.plan) if line.startswith("route")] == [
        "route immich.domains: ['curiios.com'] -> None",
        "route immich.vps_nodes: ['100.68.225.92'] -> None",
        "route immich.x: 1 -> None",
    ]


async def test_what_of_an_edit_was_written_before_it_failed_is_recorded(book: Book) -> None:
    """It can be overwritten like any other; the same edit again does the rest."""

    async def fail() -> None:
        raise SourceUnavailable("the server is away")

    with pytest.raises(SourceUnavailable):
        await _editor(Meddled(book, service_registry=[fail])).apply(REMOVE)
    listed = await book.list()
    assert (value(listed, ROUTING), value(listed, SERVICES)) == ({}, APPS)
    [recorded] = read_record(await book.read_record())
    assert {change.kind.value for change in recorded.changes} == {"route"}
    await _editor(book).apply(REMOVE)
    assert list(value(await book.list(), SERVICES)) == ["grafana"]


async def test_an_edit_that_others_prevent_all_the_time_is_given_up(book: Book) -> None:
    """Every retry has a ceiling."""
    ports = itertools.count(1)

    async def meddle() -> None:
        await _editor(book).apply(partial(add_service, name="grafana", given=ServiceFields(port=next(ports))))

    with pytest.raises(Conflict):
        await Editor(Meddled(book, service_registry=[meddle] * 3), "me", "x", attempts=3).apply(PORT)
    assert value(await book.list(), SERVICES)["immich"]["port"] == 80


async def test_an_edit_that_cannot_be_recorded_is_written_all_the_same(
    book: Book, caplog: pytest.LogCaptureFixture
) -> None:
    """With a warning."""

    class Forgetful(Meddled):
        async def write_record(self, change: Callable[[str | None], str]) -> None:
            raise AccessDenied(f"denied: {change(None)}")

    written = await _editor(Forgetful(book)).apply(PORT)
    assert written.versions
    assert "would not be noticed if somebody overwrote it" in caplog.text


async def test_writers_stop_when_they_are_told_to(api: FakeKubernetes, book: Book) -> None:
    """Cancelling passes through."""
    api.faults.slow_down(5)
    task = asyncio.create_task(_editor(book).apply(PORT))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
