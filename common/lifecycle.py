"""Run until a signal: SIGTERM and SIGINT end the work in order, a second SIGINT forces."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from common import log

_log = log.get(__name__)


async def until_signal(work: Coroutine[Any, Any, None], on_hup: Callable[[], None] | None = None) -> None:
    """Run `work` until it ends or a signal asks to stop; then cancel it and wait for its clean-up.

    A second signal ends the process at once, by the signal's default action. SIGHUP calls `on_hup`.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)

    def stop(number: signal.Signals) -> None:
        _log.info("stopping", signal=number.name)
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(each)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    if on_hup is not None:
        loop.add_signal_handler(signal.SIGHUP, on_hup)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
