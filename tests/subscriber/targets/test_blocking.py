import asyncio
import threading

import pytest

from subscriber.targets.blocking import in_thread


async def test_what_the_thread_returns_or_raises_comes_back() -> None:
    """As if it had been called here."""
    assert await in_thread(max, 1, 2) == 2
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 1, 0)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancelled_write_is_over_before_the_cancellation_goes_on(fails: bool) -> None:
    """No write goes on beside the next one, and how it ended is not complained about."""
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(5)
        ended.set()
        if fails:
            raise ValueError

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(begun.wait, 5)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
