import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from subscriber.files import LiveFile
from tests.subscriber.mounts import BIND, immutable, in_namespace, names_in, needs_mounts

OLD, NEW = b"127.0.0.1 localhost\n" * 3, b"127.0.0.1 localhost\n" + b"100.67.1.20\tphotos\n" * 5


@pytest.fixture
def file(tmp_path: Path) -> LiveFile:
    """Make a file with the old bytes, in a directory of its own."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "hosts").write_bytes(OLD)
    return LiveFile(folder / "hosts", journal=tmp_path / "state" / "hosts.journal")


@pytest.fixture
def locked(file: LiveFile) -> Iterator[LiveFile]:
    """Let nothing be made beside it."""
    with immutable(file.path.parent):
        yield file


def test_a_file_is_replaced_whole(file: LiveFile, tmp_path: Path) -> None:
    """The new bytes stand, nothing is left beside them, and no journal was needed."""
    assert file.replace(NEW, expected=OLD)
    assert file.read() == NEW
    assert names_in(file.path.parent) == ["hosts"]
    assert not (tmp_path / "state").exists()


def test_an_edit_that_came_between_is_not_written_over(file: LiveFile) -> None:
    """What the plan was made from is no longer there: nothing is written."""
    file.path.write_bytes(b"mine\n")
    assert not file.replace(NEW, expected=OLD)
    assert file.read() == b"mine\n"


def test_a_symbolic_link_and_the_mode_stay(file: LiveFile, tmp_path: Path) -> None:
    """What the link points to is replaced; mode and owner are its own."""
    file.path.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(file.path)
    assert LiveFile(link).replace(NEW, expected=OLD)
    assert link.is_symlink()
    assert file.read() == NEW
    assert file.path.stat().st_mode & 0o7777 == 0o640


def test_a_missing_file_is_made_and_removed(tmp_path: Path) -> None:
    """No file is None; `put` of None removes, also what is not there."""
    file = LiveFile(tmp_path / "hosts")
    assert file.read() is None
    assert file.replace(NEW, expected=None)
    assert file.read() == NEW
    file.put(None)
    file.put(None)
    assert file.read() is None


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """A directory or a pipe is an error: reading a pipe would never end."""
    os.mkfifo(tmp_path / "pipe")
    for path, code in ((tmp_path, errno.EISDIR), (tmp_path / "pipe", errno.EINVAL)):
        with pytest.raises(OSError, match=os.strerror(code)):
            LiveFile(path).read()


@pytest.mark.parametrize("new", [NEW, OLD[:25], OLD, b"", OLD + b"more"])
def test_where_no_rename_is_possible_the_file_is_written_in_place(locked: LiveFile, tmp_path: Path, new: bytes) -> None:
    """Longer, shorter, equal or empty: the same inode holds the new bytes, and the journal is gone."""
    inode = locked.path.stat().st_ino
    assert locked.replace(new, expected=OLD)
    assert locked.read() == new
    assert locked.path.stat().st_ino == inode
    assert names_in(tmp_path / "state") == []


def test_without_a_journal_nothing_is_written_in_place(locked: LiveFile) -> None:
    """A file that must never be seen half written stays as it was."""
    with pytest.raises(OSError, match=os.strerror(errno.EPERM)):
        LiveFile(locked.path).replace(NEW, expected=OLD)
    assert locked.read() == OLD


def test_a_file_that_cannot_be_written_at_all_is_an_error(locked: LiveFile) -> None:
    """Not even in place: the error of the rename is told, the bytes stand."""
    with immutable(locked.path), pytest.raises(OSError, match=os.strerror(errno.EPERM)):
        locked.replace(NEW, expected=OLD)
    assert locked.read() == OLD


SMALL_DISK = (
    'mount -t tmpfs -o size=16k none "$1" && cp "$2" "$1/hosts" && mount --bind "$1/hosts" "$2" && hosts="$2" && '
    'shift 2 && "$@" && cat "$hosts"'
)


def _replace_in_namespace(setup: str, file: LiveFile, what: str, *mounted: Path) -> str:
    arguments = [str(file.path), str(file.journal), *what.split()]
    command = [sys.executable, "-m", "tests.subscriber.replacing", *arguments]
    done = subprocess.run(in_namespace(setup, *mounted, *command), capture_output=True, text=True, check=True)
    return done.stdout.strip()


@needs_mounts
def test_a_bind_mounted_file_is_written_in_place(file: LiveFile) -> None:
    """As in a container: a rename over it is refused as busy."""
    assert _replace_in_namespace(BIND, file, "200", file.path) == "True"
    assert file.read() == b"n" * 200


@needs_mounts
def test_a_file_in_a_read_only_directory_is_written_in_place(file: LiveFile) -> None:
    """As under systemd's ReadWritePaths=/etc/hosts: all around it is read-only."""
    setup = (
        'mount --bind "$1" "$1" && mount --bind "$2" "$2" && mount -o remount,bind,ro "$1" && shift 2 && '
        '! touch "$(dirname "$4")/x" 2>/dev/null && exec "$@"'
    )
    assert _replace_in_namespace(setup, file, "200", file.path.parent, file.path) == "True"
    assert file.read() == b"n" * 200


@needs_mounts
def test_a_full_disk_leaves_the_old_bytes(file: LiveFile, tmp_path: Path) -> None:
    """In place the file grows first: when that fails nothing is lost, and no journal is left."""
    small = tmp_path / "small"
    small.mkdir()
    said = _replace_in_namespace(SMALL_DISK, file, "100000", small, file.path)
    assert said == f"ENOSPC\n{OLD.decode()}".strip()
    assert names_in(tmp_path / "state") == []


@needs_mounts
def test_a_torn_file_on_a_full_disk_gets_its_old_bytes(file: LiveFile, tmp_path: Path) -> None:
    """After a crash there is no room for the new bytes: recovery ends with the old ones."""
    small = tmp_path / "small"
    small.mkdir()
    assert _replace_in_namespace(SMALL_DISK, file, "torn 100000", small, file.path) == OLD.decode().strip()
    assert names_in(tmp_path / "state") == []


def test_a_line_that_is_added_during_the_write_is_not_lost(file: LiveFile) -> None:
    """The owner appends to the old file while the new one is made beside it: the line is there in the end."""

    def append_as_soon_as_the_new_file_is_being_made() -> None:
        while len(names_in(file.path.parent)) == 1 and file.path.stat().st_size == len(OLD):
            pass
        with file.path.open("ab") as hosts:
            hosts.write(b"10.0.0.5 nas\n")

    owner = threading.Thread(target=append_as_soon_as_the_new_file_is_being_made)
    owner.start()
    file.replace(b"n\n" * 10_000_000, expected=OLD)
    owner.join()
    assert (file.read() or b"").endswith(b"10.0.0.5 nas\n")
