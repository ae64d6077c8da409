"""Replace a live file, also where a rename is impossible. Blocking: targets call it from a thread.

The rule is `common.files.write_atomic`. A file that is a bind mount, or is writable in a directory that is not (a
container's ``/etc/hosts``, systemd's ``ReadWritePaths=/etc/hosts``), cannot be renamed over: then old and new bytes go
to a journal, and the file is written in place. What the bytes mean is the targets' business.
"""

import contextlib
import errno
import glob
import hashlib
import os
import stat
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

from common import log
from common.files import Sync, read_bytes, sync_directory, write_all, write_atomic

_log = log.get(__name__)

_NO_RENAME = frozenset({errno.EBUSY, errno.EROFS, errno.EACCES, errno.EPERM, errno.EXDEV})
"""Why a file that can be written can still not be replaced by a rename."""

KEPT = 3
"""How many journals are kept aside after an owner's edit came between."""


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A file that others read while we replace it. Without a journal it is never written in place."""

    path: Path
    journal: Path | None = None
    """Where old and new bytes are kept during a write in place."""
    staging: Path | None = None
    """Where the new file is made (same file system). Unset: beside the old one."""

    def read(self) -> bytes | None:
        """Return the content, None when there is no file.

        Raises:
            OSError: it cannot be read, or is no regular file (reading a pipe would never end).

        """
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(mode):
            code = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
            raise OSError(code, os.strerror(code), str(self.path))
        return read_bytes(self.path)

    def replace(self, content: bytes, *, expected: bytes | None) -> bool:
        """Write `content` if the file still holds `expected`; tell whether it did.

        Raises:
            OSError: nothing was written, or the old bytes were put back.

        """
        if expected is None:
            if self.read() is not None:
                return False
            write_atomic(self.path, content, staging=self.staging)
            return True
        try:
            replaced = self.path.open("rb", buffering=0)
        except FileNotFoundError:
            return False
        with replaced:
            if replaced.readall() != expected:
                return False
            try:
                write_atomic(self.path, content, staging=self.staging)
            except OSError as e:
                # Writable though the rename failed: in place is the only way.
                if self.journal is None or e.errno not in _NO_RENAME or not os.access(self.path, os.W_OK):
                    raise
                return _write_in_place(self.path, Journal(self.journal), expected, content)
            replaced.seek(0)
            newer = replaced.readall()
        if newer != expected:
            # Somebody wrote to the old file while the new one was made: without this the edit would be gone.
            write_atomic(self.path, newer, staging=self.staging)
        return newer == expected

    def put(self, content: bytes | None, *, sync: Sync = Sync.FULL) -> None:
        """Make `content` the whole of a file that is ours alone, whatever it holds; None removes it.

        Raises:
            OSError: it could not.

        """
        if content is not None:
            write_atomic(self.path, content, staging=self.staging, sync=sync)
            return
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
            sync_directory(self.path.parent)

    def recover(self) -> None:
        """Bring a write that a crash cut short to a whole state, and remove what the crash left beside it.

        Raises:
            OSError: the file cannot be read or written.

        """
        real = self.path.resolve()
        _remove_temporaries(self.staging or real.parent, real.name)
        if self.journal is None:
            return
        _remove_temporaries(self.journal.parent, self.journal.name)
        journal = Journal(self.journal)
        if not journal.path.exists():
            return
        entry, content = journal.read(), self.read()
        if entry is None or (content not in entry and not is_torn(content, *entry)):
            kept = journal.keep()
            _log.warning("file was edited after a crash, left as it is", file=str(self.path), backup=str(kept))
            return
        if content not in entry:
            old, new = entry
            _finish(self.path, old, new)
            _log.warning("finished a write that a crash cut short", file=str(self.path))
        journal.drop()


@dataclass(frozen=True, slots=True)
class Journal:
    """Old and new bytes of a file during a write in place, safe over a power cut."""

    path: Path

    def write(self, old: bytes, new: bytes) -> None:
        """Keep both; readable by us alone, as the file may be."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self.path, b"%d %s\n%s%s" % (len(old), _digest(old, new), old, new), mode=0o600)

    def read(self) -> tuple[bytes, bytes] | None:
        """Return (old, new), None when the journal itself is damaged."""
        header, _, body = self.path.read_bytes().partition(b"\n")
        size, _, digest = header.partition(b" ")
        if not size.isdigit():
            return None
        old, new = body[: int(size)], body[int(size) :]
        return (old, new) if _digest(old, new) == digest else None

    def drop(self) -> None:
        """Remove it: the file is whole."""
        self.path.unlink()
        sync_directory(self.path.parent)

    def keep(self) -> Path:
        """Move it aside as the newest of `KEPT` backups and return where it is."""
        backups = [self.path.with_name(f"{self.path.name}.kept-{i}") for i in range(1, KEPT + 1)]
        for older, newer in zip(backups[:0:-1], backups[-2::-1], strict=True):
            if newer.exists():
                newer.replace(older)
        self.path.replace(backups[0])
        sync_directory(self.path.parent)
        return backups[0]


def is_torn(content: bytes | None, old: bytes, new: bytes) -> bool:
    """Tell whether `content` can be what a cut-short `_overwrite` of `old` by `new` left. Pure.

    Every byte is the old or the new one of its place; where the file has grown also zero (after a power cut). A file
    that shrinks is cut in one step, so an owner's cut elsewhere is not taken for ours.
    """
    if content is None or not (len(content) in (len(old), len(new)) or len(old) < len(content) < len(new)):
        return False
    both = min(len(old), len(new), len(content))
    if any(c not in pair for c, *pair in zip(content[:both], old[:both], new[:both], strict=True)):
        return False
    if len(new) <= len(old):
        return content[both:] == old[both : len(content)]
    return all(c in (0, n) for c, n in zip(content[both:], new[both:], strict=False))


def _write_in_place(path: Path, journal: Journal, old: bytes, new: bytes) -> bool:
    """Write `new` over `old`, or tell that the file no longer holds `old`."""
    with path.open("r+b", buffering=0) as file:
        journal.write(old, new)
        unchanged = file.readall() == old
        if unchanged:
            try:
                _overwrite(file.fileno(), old, new, start=_common_prefix(old, new))
            except OSError:
                _overwrite(file.fileno(), old, old, start=0)
                journal.drop()
                raise
    journal.drop()
    return unchanged


def _finish(path: Path, old: bytes, new: bytes) -> None:
    """Make a torn file whole: new, or old where there is no room for new."""
    with path.open("r+b", buffering=0) as file:
        try:
            _overwrite(file.fileno(), old, new, start=0)
        except OSError:
            _overwrite(file.fileno(), old, old, start=0)


def _overwrite(fd: int, old: bytes, new: bytes, *, start: int) -> None:
    """Write `new` from `start` on; first beyond the old end, where a full disk shows while nothing is lost."""
    write_all(fd, new[len(old) :], len(old))
    write_all(fd, new[start : len(old)], start)
    os.ftruncate(fd, len(new))
    os.fsync(fd)


def _common_prefix(a: bytes, b: bytes) -> int:
    """Return how many bytes `a` and `b` begin with in common: those are never rewritten."""
    return bisect_left(range(1, min(len(a), len(b)) + 1), x=True, key=lambda n: a[:n] != b[:n])


def _digest(old: bytes, new: bytes) -> bytes:
    return hashlib.sha256(b"%d:" % len(old) + old + new).hexdigest().encode()


def _remove_temporaries(directory: Path, name: str) -> None:
    """Remove the temporary files that `write_atomic` left when it was killed."""
    for leftover in directory.glob(f".{glob.escape(name)}.*.routecast"):
        with contextlib.suppress(OSError):
            leftover.unlink()
