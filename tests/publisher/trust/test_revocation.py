"""Keeping out who left, when something is in the way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from common.errors import AccessDenied, SourceUnavailable
from common.settings import Settings
from common.trust.credentials import read_credentials
from publisher.registry.book import open_book
from publisher.registry.folder import FolderBook
from publisher.trust import claims
from publisher.trust.control_plane import open_control_plane
from publisher.trust.record import TrustRecord
from publisher.trust.revocation import Revocation
from tests.secure import SecureWorld, lets_in, opened
from tests.world import until

NODE = "vinay-laptop"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SecureWorld]:
    """Run a nats-server with trust on."""
    async with await opened(tmp_path) as made:
        yield made


class Troubled(FolderBook):
    """A folder in which the record of keys may be in trouble."""

    unreadable: Exception | None = None
    unwritable: Exception | None = None
    asked = 0

    async def read_trust(self) -> str | None:
        """Read it, unless it is unreadable."""
        self.asked += 1
        if self.unreadable is not None:
            raise self.unreadable
        return await super().read_trust()

    async def write_trust(self, change: Callable[[str | None], str]) -> None:
        """Write it, unless it is unwritable."""
        if self.unwritable is not None:
            raise self.unwritable
        await super().write_trust(change)


@asynccontextmanager
async def _running(world: SecureWorld) -> AsyncIterator[tuple[Troubled, Revocation]]:
    book = Troubled(world.registry.folder, "kube-system")
    revocation = Revocation(book, world.keys, world.nats(claims.SYSTEM))
    task = asyncio.create_task(revocation.run())
    try:
        yield book, revocation
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _joined(world: SecureWorld) -> AsyncIterator[Callable[[], Any]]:
    """Have a node with a key, and yield what tells whether the server refuses it."""
    pair = world.enrol(NODE, world.folder / "a")
    jwt = (await asyncio.to_thread(read_credentials, world.folder / "a")).jwt

    async def refused() -> bool:
        return not await lets_in(world, NODE, jwt, pair.seed)

    yield refused


def _remove(world: SecureWorld) -> None:
    world.registry.edit("sync-controller-registry", "registry.json", lambda root: root["management_laptops"].clear())


async def _known(book: Troubled) -> bool:
    return bool(TrustRecord.read(await FolderBook.read_trust(book)).keys)


async def test_who_left_is_kept_out_although_it_cannot_be_noted(
    world: SecureWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """And it is noted as soon as that is possible."""
    async with _joined(world) as refused, _running(world) as (book, revocation):
        await until(lambda: _known(book), "its key is known")
        book.unwritable = AccessDenied("denied")
        _remove(world)
        revocation.changed()
        await until(refused, "it is kept out")
        assert "the nodes' keys cannot be looked at: denied" in caplog.text
        book.unwritable = None
        revocation.changed()
        await until(lambda: _noted(book), "it is noted")
        assert revocation.gone == {NODE}


async def _noted(book: Troubled) -> bool:
    return bool(TrustRecord.read(await FolderBook.read_trust(book)).revoked)


@pytest.mark.parametrize("trouble", ["away", "damaged"])
async def test_without_the_record_nothing_is_decided(world: SecureWorld, trouble: str) -> None:
    """Nobody is kept out by it, and whoever was stays so; it is never written over."""
    async with _joined(world) as refused:
        async with _running(world) as (book, _):
            await until(lambda: _known(book), "its key is known")
        _remove(world)
        if trouble == "damaged":
            await FolderBook.write_trust(book, lambda _: "{")
        async with _running(world) as (book, revocation):
            book.unreadable = SourceUnavailable("away") if trouble == "away" else None
            before = book.asked
            revocation.changed()
            await until(lambda: book.asked > before, "it was asked for")
            assert not await refused()
            kept = await FolderBook.read_trust(book)
            assert kept is not None
            assert (kept == "{") is (trouble == "damaged")


async def test_without_keys_or_credentials_a_publisher_runs_all_the_same(
    world: SecureWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """It says once that nobody can join."""
    settings = world.settings()
    without: dict[str, Settings] = {
        "there are no keys": settings.model_copy(
            update={"trust": settings.trust.model_copy(update={"directory": world.folder / "none"})}
        ),
        "without credentials": settings.model_copy(
            update={"nats": settings.nats.model_copy(update={"credentials_file": None})}
        ),
    }
    async with open_book(settings.publisher) as book:
        for said, chosen in without.items():
            assert await open_control_plane(chosen, book, "x") is None
            assert said in caplog.text
