"""Remember what is at a path, and put it back: bytes, mode and owner. Blocking."""

import base64
import contextlib
import os
import stat
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Self

from common.files import sync_directory, write_atomic
from common.models import Frozen


class Kind(StrEnum):
    """What can be at a path."""

    ABSENT = "absent"
    FILE = "file"
    LINK = "link"
    DIRECTORY = "directory"
    OTHER = "other"
    """A socket, a pipe, a device: never looked into, never touched."""


class Was(Frozen):
    """What was at a path."""

    kind: Kind
    mode: int = 0
    uid: int = 0
    gid: int = 0
    content: str = ""
    """A file's bytes in base64; what a link points to."""

    @classmethod
    def at(cls, path: Path) -> Self:
        """Look.

        Raises:
            OSError: it cannot be read.

        """
        try:
            found = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return cls(kind=Kind.ABSENT)
        kind, content = _kind_of(found.st_mode), ""
        if kind is Kind.FILE:
            content = base64.b64encode(path.read_bytes()).decode()
        elif kind is Kind.LINK:
            content = str(path.readlink())
        return cls(kind=kind, mode=stat.S_IMODE(found.st_mode), uid=found.st_uid, gid=found.st_gid, content=content)

    @property
    def bytes(self) -> bytes | None:
        """The content of a file; None: there was none."""
        return base64.b64decode(self.content) if self.kind is Kind.FILE else None

    def put_back(self, path: Path) -> None:
        """Make it as it was. A directory that has come since stays while there is something in it.

        Raises:
            OSError: it could not.

        """
        now = Was.at(path)
        if now == self or Kind.OTHER in (self.kind, now.kind):
            return
        if self.kind is Kind.DIRECTORY:
            if now.kind is not Kind.DIRECTORY:
                _remove(path, now.kind)
                path.mkdir(parents=True)
            self._own(path)
            return
        if now.kind is Kind.DIRECTORY or self.kind is Kind.ABSENT:
            _remove(path, now.kind)
        if self.kind is Kind.FILE:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace(path, base64.b64decode(self.content), self.mode)
            self._own(path)
        elif self.kind is Kind.LINK:
            _remove(path, now.kind)
            path.symlink_to(self.content)
            os.lchown(path, self.uid, self.gid)

    def _own(self, path: Path) -> None:
        found = path.stat()
        if (found.st_uid, found.st_gid) != (self.uid, self.gid):
            os.chown(path, self.uid, self.gid)
        path.chmod(self.mode)


def replace(path: Path, content: bytes, mode: int) -> None:
    """Put a new file in the place of whatever is there: mode and owner are its own, a link is not followed.

    Raises:
        OSError: it could not; what was there is as it was.

    """
    fresh = path.with_name(f".{path.name}.joining")
    fresh.unlink(missing_ok=True)
    try:
        write_atomic(fresh, content, mode=mode)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_directory(path.parent)


def make_directory(directory: Path, mode: int = 0o755) -> None:
    """Make a directory and those above it, whatever our umask; what is there stays as it is.

    Raises:
        OSError: it could not.

    """
    for each in reversed((directory, *directory.parents)):
        if not each.exists():
            each.mkdir()
            each.chmod(mode)


def with_parents(paths: Iterable[Path]) -> list[Path]:
    """Return paths of a machine with all directories above them, those first."""
    return sorted({each for path in paths for each in (path, *path.parents)} - {Path("/")})


def everything_below(directory: Path) -> list[Path]:
    """Return what is in a directory, at any depth; nothing when it is none. Links are not followed.

    Raises:
        OSError: it cannot be read.

    """

    def fail(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            raise error

    return [
        Path(folder, name) for folder, folders, files in os.walk(directory, onerror=fail) for name in (*folders, *files)
    ]


def _kind_of(mode: int) -> Kind:
    kinds = ((stat.S_ISREG, Kind.FILE), (stat.S_ISLNK, Kind.LINK), (stat.S_ISDIR, Kind.DIRECTORY))
    return next((kind for is_it, kind in kinds if is_it(mode)), Kind.OTHER)


def _remove(path: Path, kind: Kind) -> None:
    """Remove what is there; a directory only when nothing is in it."""
    if kind is Kind.DIRECTORY:
        with contextlib.suppress(OSError):
            path.rmdir()
    elif kind is not Kind.ABSENT:
        path.unlink()
