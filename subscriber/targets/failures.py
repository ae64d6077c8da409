"""Turn what the system says of a file into a sentence that a person can act on."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.errors import TargetFailed

AGAIN = "then run: routecast subscriber sync"

_KNOWN: dict[int, tuple[str, str]] = {
    errno.ENOSPC: ("disk_full", "free some space there"),
    errno.EDQUOT: ("disk_full", "free some space or raise the quota"),
    errno.EROFS: ("read_only", "mount it writable, or add it to ReadWritePaths= of the service"),
    errno.EISDIR: ("is_directory", "it must be a file: remove the directory or change the setting"),
    errno.EACCES: ("permission", "give the subscriber's user the right to it"),
    errno.EPERM: ("permission", "give the subscriber's user the right to it, and see lsattr for an immutable flag"),
    errno.ENOENT: ("missing", "make its directory or change the setting"),
    errno.ENOTDIR: ("missing", "a part of its path is no directory: change the setting"),
    errno.EXDEV: ("other_file_system", "set staging_dir to a directory on the file system of the watched one"),
}


def failed(path: Path, e: OSError) -> TargetFailed:
    """Return the failure that `e` means for the file at `path`."""
    code, advice = _KNOWN.get(e.errno or 0, ("io_error", "see the system's log"))
    return TargetFailed(code, f"{path}: {e.strerror or e}; {advice}, {AGAIN}")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise the system's errors about `path` as `TargetFailed`."""
    try:
        yield
    except OSError as e:
        raise failed(path, e) from e
