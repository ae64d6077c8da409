"""The seeds on disk: the signing seed, and during a rotation ``.next`` and ``.previous`` beside it.

Each step is one rename: a rotation that is killed anywhere goes on from there. A file beside the seed that is empty
counts as none: what hands seeds on (systemd's credentials) may not be able to leave one out.
"""

import asyncio
import base64
import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common import log
from common.errors import ConfigError
from common.files import sync_directory, write_all
from common.signing import Signer, read_seed
from publisher.signing import SigningKeys

_log = log.get(__name__)

_READINGS = 5  # of files that change meanwhile
_SEED_SIZE = 32

Seen = tuple[tuple[int, int, int, int] | None, ...]
"""What tells a changed file: device, inode, size and time of each, None for one that is not there."""


class SeedFiles:
    """The seed at `path` and its siblings. Blocking."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.next = path.with_name(f"{path.name}.next")
        self.previous = path.with_name(f"{path.name}.previous")
        self.record = path.with_name(f"{path.name}.rotation")
        """What the rotation remembers of its way; no secret."""
        self._making = path.with_name(f".{path.name}.making")

    @property
    def read_only(self) -> bool:
        """Whether nobody can write there, as in a pod, where the seeds are a Secret."""
        try:
            return bool(os.statvfs(self.path.parent).f_flag & os.ST_RDONLY)
        except OSError:
            return False

    def look(self) -> Seen:
        """Return what the files look like from outside."""
        return tuple(_look(file) for file in (self.path, self.next, self.previous))

    def read(self) -> SigningKeys:
        """Return the keys of all seeds, as they were at one moment.

        Raises:
            ConfigError: a file is unreadable, readable by others or no seed; or there is no signing seed.

        """
        for _ in range(_READINGS):
            before = self.look()
            try:
                keys = SigningKeys(read_seed(self.path), _public(self.next), _public(self.previous))
            except ConfigError:
                if before == self.look():
                    raise
                continue
            if before == self.look():
                return keys
        raise ConfigError(f"the seeds beside {self.path} change all the time")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let no other rotation run while the body does; a killed one holds nothing back.

        Raises:
            ConfigError: another one runs, or the folder cannot be opened.

        """
        try:
            fd = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as e:
            raise ConfigError(f"{self.path.parent} cannot be opened: {e.strerror}") from e
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as e:
                raise ConfigError("another `routecast trust rotate` runs on these seeds; wait for it") from e
            yield
        finally:
            os.close(fd)

    def make_next(self) -> None:
        """Make the next seed, readable by whom the current one is.

        Raises:
            ConfigError: it cannot be written.

        """
        with _writing(self.path.parent):
            self._put(self.next, base64.b64encode(os.urandom(_SEED_SIZE)) + b"\n")

    def switch(self) -> None:
        """Make the next seed the current one, and keep the current one as the previous.

        Raises:
            ConfigError: they cannot be renamed.

        """
        with _writing(self.path.parent):
            with contextlib.suppress(FileNotFoundError):
                self.previous.unlink()
            os.link(self.path, self.previous)
            self.next.replace(self.path)
            sync_directory(self.path.parent)

    def drop_previous(self) -> None:
        """Remove the previous seed, and what was remembered on the way.

        Raises:
            ConfigError: they cannot be removed.

        """
        with _writing(self.path.parent):
            self.record.unlink(missing_ok=True)
            self.previous.unlink(missing_ok=True)  # the last step: with it the rotation is over
            sync_directory(self.path.parent)

    def write_record(self, content: bytes) -> None:
        """Keep how far the rotation has come.

        Raises:
            ConfigError: it cannot be written.

        """
        with _writing(self.path.parent):
            self._put(self.record, content)

    def _put(self, file: Path, content: bytes) -> None:
        """Write a file as the seed's owner and group may read it, whole or not at all."""
        like = self.path.stat()
        fd = os.open(self._making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.fchmod(fd, 0o600)
            write_all(fd, content)
            if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(fd, like.st_uid, like.st_gid)
            os.fchmod(fd, 0o600 | like.st_mode & 0o040)
            os.fsync(fd)
        finally:
            os.close(fd)
        self._making.replace(file)
        sync_directory(file.parent)


class WatchedSeeds:
    """The keys of a running publisher, read again when their files have changed. A broken change changes nothing."""

    def __init__(self, path: Path, signer: Signer) -> None:
        self._files = SeedFiles(path)
        self._seen: Seen | None = None
        self._keys = SigningKeys(signer)

    @property
    def keys(self) -> SigningKeys:
        """The keys as they were read last."""
        return self._keys

    async def refresh(self) -> bool:
        """Read the files again when they have changed since; tell whether other keys came of it."""
        read = await asyncio.to_thread(self._read)
        if read is None or _names(read) == _names(self._keys):
            return False
        self._keys = read
        _log.warning("signing keys changed", stage=read.stage.value, current=read.current, next=read.next)
        return True

    def _read(self) -> SigningKeys | None:
        seen = self._files.look()
        if seen == self._seen:
            return None
        self._seen = seen
        try:
            return self._files.read()
        except ConfigError as e:
            _log.error("the signing seeds cannot be used; those that were read before stay", error=str(e))
            return None


def _names(keys: SigningKeys) -> tuple[str, str | None, str | None]:
    return keys.current, keys.next, keys.previous


def _look(file: Path) -> tuple[int, int, int, int] | None:
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns


def _public(file: Path) -> str | None:
    """Return the public key of a seed beside the signing seed, None when there is none."""
    try:
        if not file.read_bytes().strip():
            return None
    except FileNotFoundError:
        return None
    except OSError as e:
        raise ConfigError(f"the seed {file} cannot be read ({e.strerror}); run as its owner, or with sudo") from e
    return read_seed(file).public_key


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as e:
        raise ConfigError(
            f"the seeds in {folder} cannot be changed ({e.strerror}); run as their owner, or with sudo"
        ) from e
