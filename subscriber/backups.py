"""Copies of files before something of the owner's is taken out of them: the newest few of each. Blocking."""

import glob
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from common.files import write_atomic

KEPT = 5
"""How many copies of one file are kept."""

_TICK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Backups:
    """A directory of copies, named by the file and the time in UTC: ``hosts.20251106T183000.123Z``."""

    directory: Path

    def add(self, path: Path, content: bytes, at: datetime) -> Path:
        """Keep `content` as a copy of the file at `path`, readable by us alone; return where. Replaces no other copy.

        Raises:
            OSError: it could not be kept.

        """
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        while (copy := self._copy(path, at)).exists():
            at += _TICK
        write_atomic(copy, content, mode=0o600)
        return copy

    def trim(self, path: Path, newest: Path) -> None:
        """Remove all but the newest copies of the file at `path`; `newest` stays, whatever the clock said before.

        Raises:
            OSError: one could not be removed.

        """
        copies = self.directory.glob(f"{glob.escape(path.name)}.????????T??????.???Z")
        others = sorted((copy for copy in copies if copy != newest), reverse=True)
        for copy in others[KEPT - 1 :]:
            copy.unlink(missing_ok=True)

    def _copy(self, path: Path, at: datetime) -> Path:
        at = at.astimezone(UTC)
        return self.directory / f"{path.name}.{at:%Y%m%dT%H%M%S}.{at.microsecond // 1000:03}Z"
