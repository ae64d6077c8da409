"""Notice that the machine slept: the boot clock went on, this process did not."""

import asyncio
from collections.abc import Callable

from common import log
from common.clock import boottime

_log = log.get(__name__)

TICK_S = 1.0
GAP_S = 3.0
"""A tick that comes this much later than the one before means sleep; a busy machine is late by less."""


async def watch_for_wake(on_wake: Callable[[], None]) -> None:
    """Call `on_wake` after each sleep, for ever."""
    last = boottime()
    while True:
        await asyncio.sleep(TICK_S)
        at = boottime()
        if at - last > TICK_S + GAP_S:
            _log.info("woke up", slept_s=round(at - last))
            on_wake()
        last = at
