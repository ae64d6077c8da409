import asyncio
import errno
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

import pytest

from common.errors import TargetFailed
from common.settings.subscriber import HostsSettings
from subscriber.backups import KEPT
from subscriber.files import Journal, LiveFile
from subscriber.leftovers import without_names
from subscriber.removal import Remover
from subscriber.targets.hosts import HostsTarget
from subscriber.targets.hosts_block import split
from tests.registries import REFERENCE, with_service
from tests.subscriber.mounts import BIND, immutable, in_namespace, names_in, needs_mounts

ZONE = "mycloud.local"
OWNER = b"127.0.0.1\tlocalhost\r\n\n\x00\xff\xe4 latin-1\n"
BLOCK = b"# MyNodeOne Services\n10.9.9.9\tphotos.mycloud.local\n100.67.243.11  chat.mycloud.local\n"
BELOW = b"\n10.0.0.5 nas"


@pytest.fixture
def hosts(tmp_path: Path) -> Path:
    """Write a hosts file with the old block, in a directory of its own."""
    path = tmp_path / "etc" / "hosts"
    path.parent.mkdir()
    path.write_bytes(OWNER + BLOCK + BELOW)
    return path


@pytest.fixture
def remover(tmp_path: Path) -> Remover:
    """Make the remover."""
    return Remover(tmp_path / "state")


def test_the_block_goes_and_a_copy_stays(remover: Remover, hosts: Path) -> None:
    """The owner's bytes are as they were; the copy is the file before; the second time there is nothing to do."""
    copy = remover.remove_names(hosts, ZONE)
    assert hosts.read_bytes() == OWNER + BELOW
    assert copy is not None
    assert copy.parent == remover.state_dir / "backups"
    assert copy.read_bytes() == OWNER + BLOCK + BELOW
    before = hosts.stat()
    assert remover.remove_names(hosts, ZONE) is None
    assert (hosts.stat().st_ino, hosts.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert names_in(copy.parent) == [copy.name]
    assert names_in(hosts.parent) == ["hosts"]


def test_a_symbolic_link_and_the_mode_stay(remover: Remover, hosts: Path, tmp_path: Path) -> None:
    """What the link points to is changed; mode and owner are its own."""
    hosts.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(hosts)
    assert remover.remove_names(link, ZONE) is not None
    assert link.is_symlink()
    assert hosts.read_bytes() == OWNER + BELOW
    assert hosts.stat().st_mode & 0o7777 == 0o640


def test_a_file_that_is_gone_is_no_error(remover: Remover, tmp_path: Path) -> None:
    """Somebody else was faster."""
    assert remover.remove_names(tmp_path / "hosts", ZONE) is None
    assert remover.remove_file(tmp_path / "mynodeone-routes.yml") is None


def test_a_file_of_the_old_system_goes_as_a_whole(remover: Remover, tmp_path: Path) -> None:
    """A copy stays; of a symbolic link the link goes, and the copy is what it led to."""
    real, link = tmp_path / "real.yml", tmp_path / "mynodeone-routes.yml"
    real.write_bytes(b"http: {}\n")
    link.symlink_to(real)
    copy = remover.remove_file(link)
    assert copy is not None
    assert copy.name.startswith("mynodeone-routes.yml.2")
    assert copy.read_bytes() == b"http: {}\n"
    assert not link.is_symlink()
    assert real.exists()


def test_where_no_rename_is_possible_it_is_written_in_place(remover: Remover, hosts: Path) -> None:
    """The same inode without the block; the journal is gone."""
    inode = hosts.stat().st_ino
    with immutable(hosts.parent):
        assert remover.remove_names(hosts, ZONE) is not None
    assert hosts.read_bytes() == OWNER + BELOW
    assert hosts.stat().st_ino == inode
    assert names_in(remover.state_dir) == ["backups"]


@needs_mounts
def test_a_bind_mounted_file_is_written_in_place(remover: Remover, hosts: Path) -> None:
    """As in a container: a rename over it is refused as busy."""
    command = [sys.executable, "-m", "tests.subscriber.removing", str(hosts), str(remover.state_dir), ZONE]
    done = subprocess.run(in_namespace(BIND, hosts, *command), capture_output=True, text=True, check=True)
    assert done.stdout.startswith(str(remover.state_dir / "backups" / "hosts."))
    assert hosts.read_bytes() == OWNER + BELOW


def test_a_file_that_cannot_be_written_stays(remover: Remover, hosts: Path) -> None:
    """The error says where, why and what to do; no copy is left of what did not change."""
    with immutable(hosts.parent), immutable(hosts), pytest.raises(TargetFailed) as failure:
        remover.remove_names(hosts, ZONE)
    assert str(hosts) in str(failure.value)
    assert os.strerror(errno.EPERM) in str(failure.value)
    assert "routecast subscriber adopt" in str(failure.value)
    assert hosts.read_bytes() == OWNER + BLOCK + BELOW
    assert names_in(remover.state_dir / "backups") == []


def test_without_a_copy_nothing_is_removed(remover: Remover, hosts: Path) -> None:
    """The directory of copies cannot be made: the file stays as it is."""
    remover.state_dir.mkdir()
    (remover.state_dir / "backups").write_bytes(b"")
    with pytest.raises(TargetFailed, match="backups"):
        remover.remove_names(hosts, ZONE)
    assert hosts.read_bytes() == OWNER + BLOCK + BELOW


def test_one_removal_at_a_time(remover: Remover) -> None:
    """A second one says that another is under way; the lock is free again after it."""
    with remover.alone(), pytest.raises(TargetFailed, match="another"), Remover(remover.state_dir).alone():
        pass
    with remover.alone():
        pass


def test_a_removal_that_a_crash_cut_short_is_finished(remover: Remover, hosts: Path) -> None:
    """A torn write in place is made whole; without a journal, or while a removal runs, nothing is touched."""
    remover.recover(hosts)
    old, new = OWNER + BLOCK + BELOW, OWNER + BELOW
    Journal(remover.state_dir / "adopt.journal").write(old, new)
    torn = new + old[len(new) :]
    hosts.write_bytes(torn)
    with remover.alone():
        remover.recover(hosts)
        assert hosts.read_bytes() == torn
    remover.recover(hosts)
    assert hosts.read_bytes() == new
    assert not (remover.state_dir / "adopt.journal").exists()


class _Busy:
    """Somebody who writes to a file whenever it is copied."""

    def __init__(self, path: Path, backups: Path, times: int) -> None:
        self.path, self.backups, self.times = path, backups, times
        self._seen: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.is_set() and self.times:
            new = {name for name in names_in(self.backups) if name.endswith("Z")} - self._seen
            if new:
                self._seen |= new
                self.times -= 1
                with self.path.open("ab") as file:
                    file.write(b"# mine\n")


def test_an_edit_that_came_between_is_not_lost(remover: Remover, hosts: Path) -> None:
    """The owner writes between the copy and the removal: it begins anew, and both stand; one copy is left."""
    (remover.state_dir / "backups").mkdir(parents=True)
    padding = b"# padding\n" * 200_000
    hosts.write_bytes(OWNER + BLOCK + b"\n" + padding)
    with _Busy(hosts, remover.state_dir / "backups", times=2) as busy:
        copy = remover.remove_names(hosts, ZONE)
    assert busy.times < 2
    assert hosts.read_bytes() == OWNER + b"\n" + padding + b"# mine\n" * (2 - busy.times)
    assert copy is not None
    assert names_in(copy.parent) == [copy.name]


def test_it_gives_up_when_somebody_writes_all_the_time(remover: Remover, hosts: Path) -> None:
    """No attempt finds what it was planned from: the error says so, and no copy is left."""
    with pytest.raises(TargetFailed, match="written by another program all the time") as failure:
        remover._remove(LiveFile(hosts), lambda _: False, lambda _: True)
    assert failure.value.code == "overtaken"
    assert names_in(remover.state_dir / "backups") == []


async def test_beside_a_running_subscriber_nothing_of_the_owners_is_lost(remover: Remover, hosts: Path) -> None:
    """Its target and a removal write at the same time: owner's bytes stand each time, and a look later all is right."""
    target = HostsTarget(HostsSettings(path=hosts), remover.state_dir, platform="linux")
    immich = REFERENCE.services["immich"]
    for number in range(1, 21):
        hosts.write_bytes(OWNER + BLOCK + BELOW)
        moved = with_service("immich", immich.model_copy(update={"ip": f"100.67.1.{number}"}))
        await asyncio.gather(target.apply(moved), asyncio.to_thread(remover.remove_names, hosts, ZONE))
        assert without_names(split(hosts.read_bytes(), ()).outside, ZONE) == OWNER + BELOW
        await asyncio.to_thread(remover.remove_names, hosts, ZONE)
        await target.apply(moved)
        parts = split(hosts.read_bytes(), ())
        assert parts.outside == OWNER + BELOW
        assert f"100.67.1.{number}\tphotos.mycloud.local".encode() in parts.lines
    assert len(names_in(remover.state_dir / "backups")) == KEPT
