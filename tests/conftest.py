"""What every test has: an event loop in which blocking calls fail, and quiet logs."""

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import settings

import publisher.source.directory  # noqa: F401 - imported late by the processes, which here would count as blocking
from common import log
from common.settings.log import LogSettings

settings.register_profile("no-deadline", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("no-deadline")


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[BlockBuster]:
    """Fail a test in which our code blocks the event loop: files, sockets, locks, sleep."""
    with blockbuster_ctx(["cli", "common", "publisher", "subscriber"]) as blockbuster:
        yield blockbuster


@pytest.fixture(autouse=True)
def logs() -> None:
    """Log as the processes do, so that a failed test shows what they said."""
    log.set_up(LogSettings(level="debug"))
