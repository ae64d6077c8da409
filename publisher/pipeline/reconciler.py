"""The hourly tick: asks for a republish of the full snapshot, so that whoever lags converges.

Publishes nothing itself.
"""

import asyncio
import random

from common.errors import BusUnavailable, RoutecastError
from common.snapshot import Reason
from publisher.pipeline.controller import Controller
from publisher.pipeline.schedule import Schedule

_JITTER = 0.1


async def reconcile_for_ever(controller: Controller, schedule: Schedule, every_s: float) -> None:
    """Ask for a `reconcile` round when the newest snapshot is `every_s` old, give or take a tenth.

    The age counts, not the time since start: a publisher that is restarted often reconciles all the same, and of
    several publishers one does it. A tick is skipped when anybody published within half a period.

    Raises:
        BusUnavailable: the connection is gone.

    """
    while True:
        age = await controller.age_of_newest_s()
        pause = max(every_s - age, 0) if age is not None and age >= 0 else every_s
        await asyncio.sleep(pause + every_s * random.uniform(0, _JITTER))  # noqa: S311 - jitter needs no secrecy
        try:
            await schedule.ask(Reason.RECONCILE, unless_within_s=every_s / 2)
        except BusUnavailable:
            raise
        except RoutecastError:
            await asyncio.sleep(min(every_s, 60))  # said by the schedule, which also tries again
