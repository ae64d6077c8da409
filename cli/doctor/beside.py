"""Run blocking work in a thread that nobody waits for: a resolver or a disk that hangs costs its limit and no more.

The event loop's own threads are waited for when it ends, however long they hang.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


async def beside(work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises; when cancelled, leave it to itself."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(act: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            loop.call_soon_threadsafe(lambda: None if done.done() else act())

    def run() -> None:
        try:
            value = work()
        except Exception as e:  # whatever it is, it belongs to whoever waits
            settle(partial(done.set_exception, e))
        else:
            settle(partial(done.set_result, value))

    threading.Thread(target=run, daemon=True).start()
    return await done


async def beside_in_own_loop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Return what the coroutine returns that `work` makes, run in an event loop of its own, `beside` ours."""
    return await beside(lambda: asyncio.run(work()))
