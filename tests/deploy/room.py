"""A room: namespaces of its own for a program that would change this machine, as systemd or a Docker engine would.

Whatever is started in it ends with it, and nothing of it is left. Needs root and a kernel that lets us; says why not.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Self, TypeVar

T = TypeVar("T")

SCRIPT = Path(__file__).with_name("room.sh")
PROGRAMS = ("unshare", "nsenter", "setpriv", "pivot_root", "ip", "mount")
"""What a room itself needs."""

LIMIT_S = 30.0


class Room:
    """Namespaces with a program as process 1. `folder` must be empty, and may be removed afterwards."""

    def __init__(self, folder: Path, *command: str, machine: Mapping[Path, str] | None = None) -> None:
        """Prepare `command`; with `machine`, on files of its own, with the folders in it at the paths given."""
        self.log = folder / "room.log"
        self._cgroup = _cgroup_root() / f"routecast-{os.getpid()}-{time.monotonic_ns():x}"
        where = ["-", "--"]
        if machine is not None:
            (folder / "machine").mkdir()
            where = [str(folder / "machine"), *(f"{source}:{target}" for source, target in machine.items()), "--"]
        self._command = [
            *("unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child"),
            *(str(SCRIPT), str(self._cgroup), *where, *command),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self.pid = 0
        """Process 1 of the room, as this machine counts."""

    def __enter__(self) -> Self:
        self._cgroup.mkdir()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self.pid = int(wait_for(self._child, "the room's process 1", self))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill process 1, and with it everything in the room. Safe to repeat."""
        process, self._process = self._process, None
        if process is not None:
            if self.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
            process.kill()
            process.wait(LIMIT_S)
        wait_for(self._swept, f"an empty {self._cgroup}", None)

    @property
    def running(self) -> bool:
        """Whether process 1 has not ended."""
        return self._process is not None and self._process.poll() is None

    def path(self, path: str) -> Path:
        """Return where a file of the room is found from outside."""
        return Path(f"/proc/{self.pid}/root{path}")

    def write(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Write a file in the room."""
        file = self.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(mode)

    def run(self, *command: str, check: bool = True, limit_s: float = LIMIT_S, **options: str) -> str:
        """Run a program in the room and return what it printed on standard output.

        Raises:
            AssertionError: it ended with another code than 0, and `check` is set.

        """
        done = subprocess.run(
            ["nsenter", "--target", str(self.pid), "--all", "--root", "--wd=/", "--", *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **options},
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _child(self) -> str:
        assert self._process is not None
        path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return path.read_text().strip() if path.exists() else ""

    def _swept(self) -> bool:
        """Remove the cgroups, once their processes are gone."""
        try:
            for folder, _, _ in os.walk(self._cgroup, topdown=False):
                Path(folder).rmdir()
        except OSError:
            return False
        return True


def wait_for(probe: Callable[[], T], what: str, room: Room | None, limit_s: float = LIMIT_S) -> T:
    """Return what `probe` returns as soon as that is true.

    Raises:
        AssertionError: it was not within `limit_s`, or the room ended.

    """
    deadline = time.monotonic() + limit_s
    while not (found := probe()):
        ended = room is not None and not room.running
        if ended or time.monotonic() > deadline:
            said = room.log.read_text(errors="replace")[-4000:] if room is not None else ""
            raise AssertionError(f"{'the room ended' if ended else f'not within {limit_s:g} s'}: {what}\n{said}")
        time.sleep(0.02)
    return found


def missing(programs: Sequence[str]) -> list[str]:
    """Return which programs are not installed."""
    return [name for name in programs if shutil.which(name) is None]


@cache
def no_room(*, machine: bool) -> str | None:
    """Return why there can be no rooms (with files of their own) here, None when there can: by making one."""
    if os.geteuid() != 0:
        return "not root: namespaces cannot be made"
    if absent := missing(PROGRAMS):
        return f"not installed: {', '.join(absent)}"
    try:
        with (
            tempfile.TemporaryDirectory(prefix="routecast-") as folder,
            Room(Path(folder), "sleep", "60", machine={} if machine else None) as room,
        ):
            wait_for(lambda: Path(f"/proc/{room.pid}/comm").read_text() == "sleep\n", "a program in the room", room)
            room.run("true")
    except (AssertionError, LookupError, OSError) as e:
        return f"this machine does not let root make namespaces of all kinds: {e}"
    return None


def _cgroup_root() -> Path:
    """Return where cgroups (version 2) are mounted.

    Raises:
        LookupError: nowhere, or read-only.

    """
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup2" and "rw" in options.split(","):
            return Path(where)
    raise LookupError("no cgroup tree (version 2) that can be written to")
