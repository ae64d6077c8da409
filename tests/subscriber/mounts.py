"""Files that cannot be replaced by a rename: bind mounts in a mount namespace of a child's, immutable directories."""

import functools
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BIND = 'mount --bind "$1" "$1" && shift && exec "$@"'
"""Shell text: bind mount the first argument on itself, run the rest."""


@functools.cache
def _may_mount() -> bool:
    probe = ["unshare", "-m", "sh", "-c", "mount --bind /tmp /tmp"]
    try:
        return subprocess.run(probe, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


needs_mounts = pytest.mark.skipif(not _may_mount(), reason="needs root and 'unshare -m', to make a bind mount")


def in_namespace(setup: str, *arguments: str | Path) -> list[str]:
    """Return a command that runs the shell text `setup` with `arguments` in a mount namespace of its own."""
    return ["unshare", "-m", "sh", "-c", setup, "sh", *map(str, arguments)]


@contextmanager
def immutable(path: Path) -> Iterator[None]:
    """Let a file not be written, or nothing be made in a directory (whose files still can be), while the body runs."""
    done = subprocess.run(["chattr", "+i", str(path)], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("needs root and a file system with the immutable flag")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(path)], check=True)


def names_in(directory: Path) -> list[str]:
    """Return what a directory holds, sorted."""
    return sorted(path.name for path in directory.iterdir())
