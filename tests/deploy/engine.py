"""A Docker engine of its own in a room: its containers, bridges and published ports are seen by nobody outside."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.room import LIMIT_S, Room, wait_for
from tests.docs.shell import Done

SUDO = '#!/bin/sh\nexec env "$@"\n'
"""For whoever is root anyway."""
_K3S = '#!/bin/sh\nshift\nexec ctr --address={socket} --namespace=k8s.io "$@"\n'
"""What `k3s ctr` is: containerd's client for the images of the cluster; here with the engine's own containerd."""

_START = 'mount -t tmpfs images "$0" && exec dockerd --data-root="$0" "$@"'
"""Images are kept in memory: thousands of small files, which nobody needs on a disk."""

PROGRAMS = ("dockerd", "containerd", "runc", "docker", "docker-compose", "iptables")


class Engine:
    """A running dockerd."""

    def __init__(self, room: Room, folder: Path) -> None:
        self.room = room
        self._host = f"unix://{folder / 'docker.sock'}"
        self._bin = folder / "bin"
        self._bin.mkdir()
        k3s = _K3S.format(socket=folder / "exec" / "containerd" / "containerd.sock")
        for name, text in (("sudo", SUDO), ("k3s", k3s)):
            (self._bin / name).write_text(text)
            (self._bin / name).chmod(0o755)

    def docker(self, *words: str, check: bool = True, limit_s: float = LIMIT_S) -> str:
        """Run `docker` and return what it printed, on standard error too when that is all."""
        return self._run("docker", *words, check=check, limit_s=limit_s)

    def compose(self, file: Path, *words: str, check: bool = True, limit_s: float = 60) -> str:
        """Run `docker-compose` on a file."""
        return self._run(
            "docker-compose", "--project-name=routecast", f"--file={file}", *words, check=check, limit_s=limit_s
        )

    def type(self, line: str, folder: Path, limit_s: float = 200) -> Done:
        """Type a line in a shell, where `sudo` and `k3s` are there."""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
            env=self._environment,
        )
        return Done(line, done.returncode, done.stdout, done.stderr)

    def load(self, image: str, archive: Iterable[bytes]) -> None:
        """Make an image of one layer from a tar archive, under the name of one that would have been pulled."""
        command = ["docker", "import", "-", image]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=self._environment
        ) as process:
            assert process.stdin is not None
            assert process.stderr is not None
            for block in archive:
                process.stdin.write(block)
            process.stdin.close()
            said = process.stderr.read().decode()
            assert process.wait(LIMIT_S) == 0, said

    @property
    def _environment(self) -> dict[str, str]:
        # the classic builder: what Debian 12 has; HOME: no configuration and no logins of this machine's user
        given = {"DOCKER_HOST": self._host, "DOCKER_BUILDKIT": "0", "HOME": "/nonexistent"}
        return {"PATH": f"{self._bin}:{os.environ['PATH']}", **given}

    def _run(self, *command: str, check: bool, limit_s: float) -> str:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
            env=self._environment,
        )
        assert not check or done.returncode == 0, f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout or done.stderr


@contextmanager
def engine() -> Iterator[Engine]:
    """Run an engine; whatever it holds goes with it."""
    # a short path: that of a socket may have 108 bytes
    with tempfile.TemporaryDirectory(prefix="routecast-") as made:
        folder = Path(made)
        (folder / "data").mkdir()
        words = (
            f"--exec-root={folder / 'exec'}",
            f"--pidfile={folder / 'pid'}",
            f"--host=unix://{folder / 'docker.sock'}",
        )
        with Room(folder, "sh", "-c", _START, str(folder / "data"), *words, "--log-level=warn") as room:
            found = Engine(room, folder)
            wait_for(lambda: found.docker("info", "--format={{.ID}}", check=False).strip(), "a Docker engine", room)
            yield found
