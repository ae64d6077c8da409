"""The clocks of this machine, named by what they are for."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the wall clock's time in UTC, to the millisecond, as it travels in JSON."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def epoch_ms() -> int:
    """Return the wall clock's time in ms since 1970: where a new epoch starts."""
    return time.time_ns() // 1_000_000


def boottime() -> float:
    """Return seconds since boot, time asleep included, where the system has such a clock (Linux)."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(clock) if clock is not None else time.monotonic()
