"""A shell as a person has it: lines are typed into it as they are printed, answered, and stopped with Ctrl-C.

`sudo` runs what follows as whoever runs the tests; all else is real.
"""

import asyncio
import contextlib
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

LIMIT_S = 60.0
CLOSE_LIMIT_S = 15.0
CTRL_C = 130
"""How a shell says that a command was ended by Ctrl-C."""

_SUDO = '#!/usr/bin/env bash\nexec env "$@"\n'


@dataclass(frozen=True, slots=True)
class Done:
    """How a line ended."""

    line: str
    code: int
    printed: str
    said: str

    def __str__(self) -> str:
        return f"$ {self.line}\n{self.printed}{self.said}-> {self.code}"


@dataclass(frozen=True, slots=True)
class Runs:
    """What a line that runs until Ctrl-C shows once it has done its work, and its exit code then."""

    shows: str
    code: int = 0


class Terminal:
    """A line that runs, and what its terminal shows."""

    def __init__(self, line: str, process: asyncio.subprocess.Process, master: int) -> None:
        self._line = line
        self._process = process
        self._master = master
        self._shown = b""
        self._news = asyncio.Event()
        os.set_blocking(master, False)
        asyncio.get_running_loop().add_reader(master, self._read)

    async def shows(self, text: str) -> None:
        """Wait until a text is there.

        Raises:
            AssertionError: it ended before, or does not show it within `LIMIT_S`.

        """
        try:
            async with asyncio.timeout(LIMIT_S):
                while text.encode() not in self._shown:
                    assert self._process.returncode is None, f"it ended by itself: {self._line}\n{self._text()}"
                    self._news.clear()
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._news.wait(), 0.5)  # the end of a process is no news
        except TimeoutError:
            raise AssertionError(f"{self._line} does not show {text!r} in {LIMIT_S:g} s: {self._text()}") from None

    async def stop(self) -> Done:
        """Press Ctrl-C, and return how it ended."""
        self._send(signal.SIGINT)
        async with asyncio.timeout(LIMIT_S):
            code = await self._process.wait()
        while self._read():
            pass
        return Done(self._line, _code(code), self._text(), "")

    async def close(self) -> None:
        """End what still runs: in order, so that it takes what it started with it, else by force."""
        if self._process.returncode is None:
            self._send(signal.SIGINT)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), CLOSE_LIMIT_S)
        self._send(signal.SIGKILL)
        await self._process.wait()
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)  # all of a pipe, as the terminal does

    def _text(self) -> str:
        return self._shown.decode("utf-8", "replace")

    def _read(self) -> bool:
        """Take what is shown and not seen yet; tell whether there was something."""
        try:
            chunk = os.read(self._master, 65536)
        except BlockingIOError:
            return False
        except OSError:  # nobody has the terminal open any more
            chunk = b""
        if not chunk:
            asyncio.get_running_loop().remove_reader(self._master)
        self._shown += chunk
        self._news.set()
        return bool(chunk)


class Shell:
    """A shell in a folder, which is also its home; settings are in `routecast.toml` there."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self._bin = folder / ".bin"
        self._variables = variables

    def lay_out(self, settings: Mapping[str, Mapping[str, object]]) -> None:
        """Make the folder, if it is not there, and what the shell needs in it. Blocking."""
        self._bin.mkdir(parents=True)
        (self._bin / "sudo").write_text(_SUDO)
        (self._bin / "sudo").chmod(0o755)
        (self.folder / "routecast.toml").write_text(settings_text(settings))

    async def type(self, line: str, *, answer: str = "") -> Done:
        """Run a line to its end; with an answer, at a terminal, where somebody gives it when asked."""
        with _answering(answer) as stdin:
            process = await self._start(
                line, stdin=stdin, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            try:
                async with asyncio.timeout(LIMIT_S):
                    printed, said = await process.communicate()
            except TimeoutError:
                raise AssertionError(f"it does not end within {LIMIT_S:g} s: {line}") from None
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    await process.communicate()  # to the end of its pipes, or they are left open
        return Done(line, _code(process.returncode), printed.decode(), said.decode())

    @asynccontextmanager
    async def running(self, line: str) -> AsyncIterator[Terminal]:
        """Run a line at a terminal of its own while the body runs."""
        master, slave = pty.openpty()
        try:
            process = await self._start(line, stdin=slave, stdout=slave, stderr=slave)
        finally:
            os.close(slave)
        terminal = Terminal(line, process, master)
        try:
            yield terminal
        finally:
            await terminal.close()

    async def _start(self, line: str, **streams: Any) -> asyncio.subprocess.Process:
        path = [str(self._bin), str(Path(sys.executable).parent), os.environ["PATH"]]
        return await asyncio.create_subprocess_exec(
            *("bash", "-o", "pipefail", "-c", line),
            cwd=self.folder,
            env={
                "PATH": os.pathsep.join(path),
                "HOME": str(self.folder),
                "LANG": "C.UTF-8",
                "ROUTECAST_CONFIG": str(self.folder / "routecast.toml"),
                **trust_in(self.folder),
                **self._variables,
            },
            start_new_session=True,
            **streams,
        )


def settings_text(settings: Mapping[str, Mapping[str, object]]) -> str:
    """Return settings as a file has them."""
    lines = [
        line
        for section, values in settings.items()
        for line in (f"[{section}]", *(f"{key} = {orjson.dumps(value).decode()}" for key, value in values.items()))
    ]
    return "\n".join(lines) + "\n"


def trust_in(folder: Path) -> dict[str, str]:
    """Return, as the environment has them, all places of keys in a folder: whoever runs the tests may be root."""
    return {
        "ROUTECAST_TRUST_DIRECTORY": str(folder / "trust"),
        "ROUTECAST_TRUST_SERVER_DIRECTORY": str(folder / "nats"),
        "ROUTECAST_TRUST_ACCOUNTS_DIRECTORY": str(folder / "accounts"),
        "ROUTECAST_PUBLISHER_SIGNING_SEED_FILE": str(folder / "signing.seed"),
    }


@contextlib.contextmanager
def _answering(answer: str) -> Iterator[int]:
    """Yield what stands in for standard input."""
    if not answer:
        yield asyncio.subprocess.DEVNULL
        return
    master, slave = pty.openpty()
    os.write(master, answer.encode())
    try:
        yield slave
    finally:
        os.close(slave)
        os.close(master)


def _code(returncode: int | None) -> int:
    """Return the exit code as `$?` has it."""
    assert returncode is not None, "it runs"
    return returncode if returncode >= 0 else 128 - returncode
