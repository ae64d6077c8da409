"""Remove what is the replaced system's from files that are not ours, copying each first. Blocking."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from common import log
from common.clock import now
from common.errors import TargetFailed
from subscriber.backups import Backups
from subscriber.files import LiveFile
from subscriber.leftovers import ADOPT, find_names, without_names

_log = log.get(__name__)

_ATTEMPTS = 5
"""How often a removal begins anew because somebody wrote at the same time."""


@dataclass(frozen=True, slots=True)
class Remover:
    """Removes, one process at a time; the copies, and the journal of a write in place, lie in `state_dir`.

    The journal is not that of the target `hosts`: a running subscriber may write at the same time.
    """

    state_dir: Path

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other removals away while the body runs.

        Raises:
            TargetFailed: another one is under way, or the state directory cannot be used.

        """
        with _told(self.state_dir):
            self.state_dir.mkdir(parents=True, exist_ok=True, mode=0o755)
            fd = os.open(self.state_dir / "adopt.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _lock(fd):
                raise TargetFailed("busy", f"another '{ADOPT}' runs on this node; wait for its end")
            yield
        finally:
            os.close(fd)

    def recover(self, path: Path) -> None:
        """Bring a hosts file whose removal was cut short by a crash to a whole state; never fails.

        Without a journal nothing is done: what lies beside the file may be a running subscriber's.
        """
        file = self._file(path)
        if file.journal is None or not file.journal.exists():
            return
        try:
            with self.alone(), _told(path):
                file.recover()
        except TargetFailed as e:
            _log.warning("a removal that was cut short is not finished", error=str(e))

    def remove_names(self, path: Path, zone: str | None) -> Path | None:
        """Take the old blocks out of the hosts file at `path`; return where its copy is, None when none were left.

        Raises:
            TargetFailed: it could not; the file is as it was.

        """
        file = self._file(path)

        def write(content: bytes) -> bool:
            return file.replace(without_names(content, zone), expected=content)

        return self._remove(file, write, lambda content: bool(find_names(content, zone).blocks))

    def remove_file(self, path: Path) -> Path | None:
        """Remove a file that is the old system's as a whole; return where its copy is, None when it was not there.

        Raises:
            TargetFailed: it could not; the file is as it was.

        """
        file = LiveFile(path)

        def unlink(content: bytes) -> bool:
            unchanged = file.read() == content
            if unchanged:
                file.put(None)
            return unchanged

        return self._remove(file, unlink, lambda _: True)

    def _remove(self, file: LiveFile, change: Callable[[bytes], bool], is_left: Callable[[bytes], bool]) -> Path | None:
        """Copy and change until a look finds nothing left, beginning anew when somebody writes too."""
        kept, backups = None, Backups(self.state_dir / "backups")
        for _ in range(_ATTEMPTS):
            with _told(file.path):
                content = file.read()
            if content is None or not is_left(content):
                return kept
            with _told(backups.directory):
                copy = backups.add(file.path, content, now())
            with _told(file.path):
                changed = _changed(change, content, copy)
            if changed:
                kept = copy
                with _told(backups.directory):
                    backups.trim(file.path, newest=copy)
        raise TargetFailed("overtaken", f"{file.path} is written by another program all the time; then run: {ADOPT}")

    def _file(self, path: Path) -> LiveFile:
        return LiveFile(path, journal=self.state_dir / "adopt.journal")


def _changed(change: Callable[[bytes], bool], content: bytes, copy: Path) -> bool:
    """Make a change; the copy of a file that stayed as it was is dropped, or retries would push the older ones out."""
    done = False
    try:
        done = change(content)
    finally:
        if not done:
            copy.unlink()
    return done


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Raise the system's errors about `path` as `TargetFailed`."""
    try:
        yield
    except OSError as e:
        advice = (
            "try again with sudo" if isinstance(e, PermissionError) and os.geteuid() != 0 else "mend that, then run"
        )
        raise TargetFailed("io_error", f"{path}: {e.strerror or e}; {advice}: {ADOPT}") from e
