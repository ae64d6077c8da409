import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from common.errors import AccessDenied, RoutecastError, SourceUnavailable
from common.problems import Problem, Severity
from common.snapshot import Snapshot
from publisher.announcer import Announcer, Pace, TellsProblems
from publisher.pipeline.store import Store
from publisher.source.directory import DirectorySource
from publisher.source.document import DOCUMENTS, Document
from publisher.source.source import Conflict, SourceEvent
from tests.registries import snapshot
from tests.world import until

FAST = Pace(gap_s=0.01, every_s=60, pause_max_s=0.05, denied_pause_s=0.05)

Problems = tuple[Problem, ...]


def _problems(*entries: str) -> Problems:
    return tuple(
        Problem(severity=Severity.ERROR, document="service-registry/services.json", entry=entry, message="m", mend="")
        for entry in entries
    )


class Rounds:
    """Rounds that saw what a test says."""

    def __init__(self) -> None:
        self.newest: Snapshot | None = snapshot()
        self.problems: Problems = ()
        self.waiting_for: str | None = None


class Board:
    """A source that shows what it is told, unless it is to fail."""

    def __init__(self) -> None:
        self.told: list[Problems] = []
        self.allowed = True
        self.failing: RoutecastError | None = None
        self.fails_to_write = False
        self.tries = 0

    async def may_tell(self) -> bool:
        """Say whether it is allowed."""
        return self.allowed

    async def tell(self, problems: Sequence[Problem]) -> bool:
        """Keep what is told."""
        self.tries += 1
        if self.failing is not None and (problems or not self.fails_to_write):
            raise self.failing
        self.told.append(tuple(problems))
        return bool(problems)


class Announced:
    """An announcer with all that it looks at."""

    def __init__(self, pace: Pace = FAST) -> None:
        self.rounds, self.board, self.store = Rounds(), Board(), Store()
        self.others: Problems | None = ()
        self.announcer = Announcer(self.board, self.rounds, self.store, lambda: self.others, pace)

    def see(self, *entries: str) -> None:
        """Have a round see problems."""
        self.rounds.problems = _problems(*entries)
        self.announcer.changed()

    async def tells(self, *entries: str) -> None:
        """Wait until these problems are the last that were told."""
        await until(lambda: self.board.told[-1:] == [_problems(*entries)], f"{entries} told")

    async def tries(self, more: int) -> None:
        """Wait for some more tries."""
        enough = self.board.tries + more
        await until(lambda: self.board.tries >= enough, f"{more} tries")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Announce while the body runs."""
        task = asyncio.create_task(self.announcer.run())
        try:
            yield
            assert not task.done(), f"ended by itself: {task.exception()!r}"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def announced() -> Announced:
    """Make an announcer that is quick."""
    return Announced()


async def test_a_folder_has_no_events(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """There is nothing to do, and nothing to say."""
    source = DirectorySource(tmp_path, "kube-system", 60)
    assert not isinstance(source, TellsProblems)
    await Announcer(source, Rounds(), Store()).run()
    assert not caplog.records


async def test_problems_are_told_when_they_differ(announced: Announced) -> None:
    """What a round sees is told at once; what it sees again is not."""
    async with announced.running():
        await announced.tells()
        announced.see("a")
        await announced.tells("a")
        announced.see("a")
        announced.see("a", "b")
        await announced.tells("a", "b")
        announced.see()
        await announced.tells()
    assert announced.board.told == [(), _problems("a"), _problems("a", "b"), ()]


async def test_what_lasts_is_told_now_and_then() -> None:
    """Without any change, so that the cluster does not forget it."""
    announced = Announced(Pace(gap_s=0.01, every_s=0.05))
    announced.see("a")
    async with announced.running():
        await announced.tries(3)
    assert set(announced.board.told) == {_problems("a")}


async def test_what_flaps_is_told_with_pauses() -> None:
    """However often it changes meanwhile, the next thing told is the newest."""
    announced = Announced(Pace(gap_s=0.3, every_s=60))
    async with announced.running():
        await announced.tells()
        for i in range(20):
            announced.see(f"{i}")
            await asyncio.sleep(0)
        await announced.tells("19")
    assert len(announced.board.told) == 2


async def test_nothing_is_told_before_anybody_looked(announced: Announced) -> None:
    """That no problem is known is no word that there is none: what was told before a restart stays."""
    announced.rounds.newest, announced.rounds.waiting_for = None, "NATS"
    async with announced.running():
        announced.see()
        for _ in range(20):  # it has its turns, and does nothing with them
            await asyncio.sleep(0)
        assert announced.board.tries == 0
        announced.see("a")  # a first contact that may not publish
        await announced.tells("a")


async def test_what_others_see_is_told_with_the_rest(announced: Announced) -> None:
    """Once they have looked: until then nobody knows that a problem of theirs is gone."""
    announced.others = None
    async with announced.running():
        announced.see("a")
        for _ in range(20):  # it has its turns, and does nothing with them
            await asyncio.sleep(0)
        assert announced.board.tries == 0
        announced.others = _problems("b")
        announced.announcer.changed()
        await announced.tells("a", "b")


async def test_without_nats_the_documents_are_looked_at_all_the_same(announced: Announced) -> None:
    """As soon as it is known what was published last, an edit that no round can read is judged beside it."""
    announced.rounds.waiting_for = "NATS"
    for name in DOCUMENTS:
        announced.store.apply(SourceEvent(name, Document.missing(name, edit="kubectl")))
    async with announced.running():
        await until(lambda: announced.board.told, "told")
    assert any("service-registry is missing" in problem.message for problem in announced.board.told[-1])


async def test_an_outage_is_survived_with_the_newest_state(
    announced: Announced, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again with pauses, said once, and what changed meanwhile is never told in its old form."""
    announced.board.failing = SourceUnavailable("the API server is away")
    announced.see("a")
    async with announced.running():
        await announced.tries(3)
        announced.see("b")
        announced.board.failing = None
        await announced.tells("b")
    assert announced.board.told == [_problems("b")]
    assert len(_warnings(caplog)) == 1


async def test_rights_that_are_missing_at_start_are_not_said_again(
    announced: Announced, caplog: pytest.LogCaptureFixture
) -> None:
    """The source has said them; once they are granted, what is wrong is told without a restart."""
    announced.board.allowed, announced.board.failing = False, AccessDenied("denied")
    announced.see("a")
    async with announced.running():
        await announced.tries(2)
        assert not _warnings(caplog)
        announced.board.failing = None
        await announced.tells("a")
        await until(lambda: "told as Events from now on" in caplog.text, "it says so")


async def test_a_right_to_write_is_missing_also_while_there_is_nothing_to_write(
    announced: Announced, caplog: pytest.LogCaptureFixture
) -> None:
    """What was said at start is not taken back, and not said again, when only reading works."""
    announced.board.allowed, announced.board.failing = False, AccessDenied("denied")
    announced.board.fails_to_write = True
    async with announced.running():
        await announced.tells()
        announced.see("a")
        await announced.tries(2)
    assert "from now on" not in caplog.text
    assert not _warnings(caplog)


async def test_rights_that_are_taken_away_are_said_once(announced: Announced, caplog: pytest.LogCaptureFixture) -> None:
    """In a later round, after they were there."""
    async with announced.running():
        await announced.tells()
        announced.board.failing = AccessDenied("denied: grant with `x`")
        announced.see("a")
        await announced.tries(3)
        announced.board.failing = None
        await announced.tells("a")
    [line] = _warnings(caplog)
    assert "grant with `x`" in line


async def test_that_another_publisher_was_faster_is_not_worth_a_word(
    announced: Announced, caplog: pytest.LogCaptureFixture
) -> None:
    """Unless it never ends: then something is wrong that somebody should know."""
    announced.board.failing = Conflict("somebody else wrote it")
    async with announced.running():
        await announced.tries(5)
        assert not _warnings(caplog)
        await announced.tries(10)
        assert len(_warnings(caplog)) == 1


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
