import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from common.errors import NotReady, RoutecastError, SnapshotTooLarge
from common.snapshot import Reason
from publisher.pipeline.controller import Controller, Round
from publisher.pipeline.schedule import Schedule
from publisher.pipeline.settle import Settle
from tests.registries import snapshot
from tests.world import until


class Recording(Controller):
    """A controller at our own seam: notes which rounds were asked for, and fails when it is told to."""

    def __init__(self) -> None:
        self.reasons: list[Reason] = []
        self.times: list[float] = []
        self.ages: list[float] = []
        self.fails_with: RoutecastError | None = None

    async def run_once(self, reason: Reason, unless_within_s: float = 0) -> Round:
        """Note, and take a moment."""
        self.ages.append(unless_within_s)
        self.reasons.append(reason)
        self.times.append(time.monotonic())
        await asyncio.sleep(0.01)
        if self.fails_with is not None:
            raise self.fails_with
        return Round(snapshot(), 7, published=True)


@asynccontextmanager
async def _running(controller: Recording, quiet_s: float = 0.01, max_s: float = 0.05) -> AsyncIterator[Schedule]:
    schedule = Schedule(controller, Settle(quiet_s, max_s), on_round=lambda: None)
    task = asyncio.create_task(schedule.run())
    try:
        await until(lambda: controller.reasons, "the first round")
        yield schedule
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_connection_begins_with_a_round() -> None:
    """What changed while there was no connection is published without another change."""
    controller = Recording()
    async with _running(controller):
        assert controller.reasons == [Reason.CHANGE]


async def test_those_who_ask_together_share_one_round_for_the_strongest_reason() -> None:
    """Two pushes and a tick at one moment are one republish."""
    controller = Recording()
    async with _running(controller) as schedule:
        await asyncio.sleep(0.05)
        before = len(controller.reasons)
        rounds = await asyncio.gather(
            schedule.ask(Reason.RECONCILE), schedule.ask(Reason.PUSH), schedule.ask(Reason.PUSH)
        )
    assert [done.stream_seq for done in rounds] == [7, 7, 7]
    assert controller.reasons[before:] == [Reason.PUSH]


async def test_who_always_wants_a_republish_gets_it_beside_a_tick() -> None:
    """A tick alone would be content with a fresh snapshot; an operator who asks at the same moment is not."""
    controller = Recording()
    async with _running(controller) as schedule:
        await schedule.ask(Reason.RECONCILE, unless_within_s=1800)
        await asyncio.gather(schedule.ask(Reason.RECONCILE, unless_within_s=1800), schedule.ask(Reason.RECONCILE))
    assert controller.reasons[-2:] == [Reason.RECONCILE, Reason.RECONCILE]
    assert controller.ages[-2:] == [1800, 0]


async def test_a_change_during_a_round_gets_a_round_of_its_own() -> None:
    """Nothing that changes while a round runs is lost."""
    controller = Recording()
    async with _running(controller) as schedule:
        await asyncio.sleep(0.1)
        schedule.changed()
        await until(lambda: len(controller.reasons) == 2, "the round of the change")
        schedule.changed()
        await until(lambda: len(controller.reasons) == 3, "the round of the change within it")


@pytest.mark.parametrize("error", [NotReady("not listed"), SnapshotTooLarge("too large")])
async def test_a_failing_round_is_tried_again_with_growing_pauses(error: RoutecastError) -> None:
    """Failures are retried by themselves, and never spin."""
    controller = Recording()
    controller.fails_with = error
    async with _running(controller) as schedule:
        with pytest.raises(type(error)):
            await schedule.ask(Reason.PUSH)
        await until(lambda: len(controller.times) >= 4, "more tries", 10)
    pauses = [later - earlier for earlier, later in zip(controller.times[1:], controller.times[2:], strict=False)]
    assert all(pause > 0.4 for pause in pauses)
    assert pauses[-1] > pauses[0]


async def test_who_waits_when_the_connection_goes_is_told() -> None:
    """A question that can no longer be answered does not wait for ever."""
    controller = Recording()
    async with _running(controller) as schedule:
        asked = asyncio.create_task(schedule.ask(Reason.PUSH))
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await asked
