"""Answering machines on the bus: who answers, when several can, and one that may not."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from common import subjects
from common.errors import AccessDenied
from common.trust.nkeys import KeyPair, Owner
from publisher.registry.book import Book, open_book
from publisher.trust import claims
from publisher.trust.joining import NO_RIGHT, Admitter, answer_joins
from tests.publisher.registry.meddling import Meddled
from tests.secure import SecureWorld, ask_to_join, opened


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SecureWorld]:
    """Run a nats-server with trust on."""
    async with await opened(tmp_path) as made:
        yield made


class ReadOnly(Meddled):
    """A registry that may be read, and not written."""

    def __init__(self, book: Book) -> None:
        super().__init__(book)
        self._readable = book

    async def read_trust(self) -> str | None:
        """Return the record of the nodes' keys."""
        return await self._readable.read_trust()

    async def write_trust(self, change: Callable[[str | None], str]) -> None:
        """Refuse."""
        raise AccessDenied(f"denied: {change}")

    async def write(self, name: str, data: Mapping[str, str | None], expected: str | None) -> str:
        """Refuse."""
        raise AccessDenied(f"denied: {name} {data.keys()} {expected}")


@asynccontextmanager
async def _answering(
    world: SecureWorld, *, may_write: bool, queue: str = subjects.CONTROL_QUEUE
) -> AsyncIterator[None]:
    """Answer as a publisher while the body runs."""
    async with open_book(world.settings().publisher) as book, world.bus(claims.PUBLISHER) as bus:
        admitter = Admitter(book if may_write else ReadOnly(book), world.keys, "x")
        task = asyncio.create_task(answer_joins(bus, admitter, queue=queue))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _key() -> str:
    return KeyPair.new(Owner.USER).public


async def test_a_publisher_without_the_right_says_what_it_takes(world: SecureWorld) -> None:
    """The component, or `node add --wait`; the token is as good as before."""
    token = await world.invite("vinay-laptop")
    async with _answering(world, may_write=False):
        refused = await ask_to_join(world, token, _key())
    assert (refused.ok, refused.error) == (False, NO_RIGHT)
    async with _answering(world, may_write=True):
        assert (await ask_to_join(world, token, _key())).ok


async def test_somebody_else_who_has_the_right_answers_first(world: SecureWorld) -> None:
    """As `node add --wait` does, beside a publisher that has it not."""
    token = await world.invite("vinay-laptop")
    async with _answering(world, may_write=False), _answering(world, may_write=True, queue=token.id):
        assert (await ask_to_join(world, token, _key())).ok


async def test_two_who_answer_one_request_agree(world: SecureWorld) -> None:
    """As `node add --wait` does, beside a publisher that has it too."""
    async with _answering(world, may_write=True), _answering(world, may_write=True, queue="another"):
        for _ in range(5):
            assert (await ask_to_join(world, await world.invite("vinay-laptop", rejoin=True), _key())).ok


async def test_a_flood_of_requests_is_outlived(world: SecureWorld) -> None:
    """Who holds a token can ask without end; others are answered all the same."""
    mine, other = await world.invite("vinay-laptop"), await world.invite("work-laptop")
    async with _answering(world, may_write=True):
        flood = [ask_to_join(world, mine, _key(), secret="guessed", timeout_s=30) for _ in range(40)]
        *guesses, joined = await asyncio.gather(*flood, ask_to_join(world, other, _key(), timeout_s=30))
    assert joined.ok
    assert not any(guess.ok for guess in guesses)
