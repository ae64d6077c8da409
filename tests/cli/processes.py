"""`routecast` as a process of its own, for what goes on for ever or is ended by a signal."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

LIMIT_S = 60


class Routecasting:
    """A running command; what it printed is read line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def line(self) -> bytes:
        """Return the next line of its standard output; empty when it has ended."""
        assert self._process.stdout is not None
        return await self._process.stdout.readline()

    async def error_line(self) -> bytes:
        """Return the next line of its standard error; empty when it has ended."""
        assert self._process.stderr is not None
        return await self._process.stderr.readline()

    async def ended(self) -> int | None:
        """Wait for its end, and return the exit code."""
        await self._process.communicate()
        return self._process.returncode

    async def stop(self, number: signal.Signals) -> tuple[int | None, bytes, bytes]:
        """Send a signal and wait for the end; return exit code and the rest of standard output and standard error."""
        self._process.send_signal(number)
        output, errors = await self._process.communicate()
        return self._process.returncode, output, errors


@asynccontextmanager
async def running(*words: str, env: Mapping[str, str]) -> AsyncIterator[Routecasting]:
    """Run `routecast` with `words` while the body runs; kill it if it still runs then. All within `LIMIT_S`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *words),
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            yield Routecasting(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()  # to the end of its pipes, or they are left open
