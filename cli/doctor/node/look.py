"""Look at paths. Blocking."""

import os
import stat
from pathlib import Path

from cli.doctor.node.facts import PathSeen


def look_at_path(path: Path) -> PathSeen:
    """Return how a path stands, and what this user may do with it."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return PathSeen(path, exists=False)
    return PathSeen(
        path,
        exists=True,
        directory=stat.S_ISDIR(mode),
        mode=stat.S_IMODE(mode),
        writable=os.access(path, os.W_OK),
    )


def on_one_file_system(one: Path, other: Path) -> bool:
    """Tell whether a rename from one to the other is possible; of what is not there yet its directory counts."""
    return _device(one) == _device(other)


def _device(path: Path) -> int | None:
    for each in (path, *path.parents):
        try:
            return each.stat().st_dev
        except OSError:
            continue
    return None
