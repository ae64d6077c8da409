"""Write a whole file or nothing of it. Blocking: call it from a thread.

Keeps what belongs to the owner of the file: mode, owner, a symbolic link in its place. What to do where a rename is not
possible is the caller's to decide.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable
from enum import Enum
from pathlib import Path


class Sync(Enum):
    """What a write waits for, that is, what a power cut can undo. A crash of ours undoes none of them."""

    FULL = "full"
    """Nothing: the new bytes are there to stay."""
    CONTENT = "content"
    """The old bytes may be back, whole."""
    NONE = "none"
    """The file may be empty: for what can be found out again."""


def write_atomic(
    path: Path,
    content: bytes,
    *,
    mode: int = 0o644,
    staging: Path | None = None,
    sync: Sync = Sync.FULL,
    last_look: Callable[[], None] | None = None,
) -> None:
    """Replace the content of `path`: readers see the old bytes or the new ones; after a power cut as `sync` says.

    An existing file keeps mode, owner and group, and a symbolic link stays one (what it points to is replaced); a new
    file gets `mode`. The temporary file is made in `staging` (same file system), by default beside the file.
    `last_look` is called when all is ready, just before the file is replaced: what it raises prevents that.

    Raises:
        OSError: EBUSY on a bind mount, EROFS, ENOSPC, EACCES, ...; the file is as it was.

    """
    real = path.resolve() if path.is_symlink() else path
    fd, temporary = tempfile.mkstemp(prefix=f".{real.name}.", suffix=".routecast", dir=staging or real.parent)
    try:
        try:
            write_all(fd, content)
            _keep_owner_and_mode(fd, real, mode)
            if sync is not Sync.NONE:
                os.fsync(fd)
        finally:
            os.close(fd)
        if last_look is not None:
            last_look()
        Path(temporary).replace(real)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    if sync is Sync.FULL:
        sync_directory(real.parent)


def _keep_owner_and_mode(fd: int, real: Path, mode: int) -> None:
    try:
        before = real.stat()
    except FileNotFoundError:
        os.fchmod(fd, mode)
        return
    os.fchmod(fd, before.st_mode & 0o7777)
    if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(fd, before.st_uid, before.st_gid)


def sync_directory(directory: Path) -> None:
    """Make a rename or removal in `directory` last over a power cut."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_all(fd: int, content: bytes, offset: int = 0) -> None:
    """Write all of `content` at `offset` of an open file.

    Raises:
        OSError: not all of it could be written.

    """
    left = memoryview(content)
    while left:
        written = os.pwrite(fd, left, offset)
        left, offset = left[written:], offset + written


def read_bytes(path: Path) -> bytes | None:
    """Return the content of `path`, None when there is no such file."""
    try:
        with path.open("rb", buffering=0) as file:
            return file.readall()
    except FileNotFoundError:
        return None
