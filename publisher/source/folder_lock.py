"""One writer at a time in a registry's folder: the editor, and publishers that keep their state there."""

import contextlib
import errno
import fcntl
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

LIMIT_S = 10.0
"""How long another writer is waited for: a write takes some milliseconds, so this one hangs, or was stopped."""
_PAUSE_S = 0.01


@contextlib.contextmanager
def locked(folder: Path, limit_s: float = LIMIT_S) -> Iterator[None]:
    """Keep other writers of ours off the folder between a read and a write. Blocking.

    Raises:
        OSError: the folder is not there, or may not be read; ETIMEDOUT: another writer has not ended.

    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(fd, folder, time.monotonic() + limit_s)
        yield
    finally:
        os.close(fd)


def _lock(fd: int, folder: Path, until: float) -> None:
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise OSError(errno.ETIMEDOUT, "another writer holds it, and does not end", str(folder)) from None
            time.sleep(random.uniform(0, 2 * _PAUSE_S))  # noqa: S311 - only keeps waiters apart
        except OSError:  # some network file systems lock no folders
            return
        else:
            return
