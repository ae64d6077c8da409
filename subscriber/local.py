"""Ask the running subscriber of this machine, over a socket in its state directory: one line of JSON each way."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

import orjson

from common import log
from common.errors import BusUnavailable, ConfigError

_log = log.get(__name__)

Op = Literal["status", "sync"]
Answer = Callable[[], Awaitable[Mapping[str, Any]]]

_LINE = 1 << 20
_PATH_MAX = 100  # sun_path holds 108 bytes


@asynccontextmanager
async def answering(path: Path, answers: Mapping[Op, Answer]) -> AsyncIterator[None]:
    """Answer on the socket at `path` while the body runs; only its owner (root) can ask."""
    serving: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        task.add_done_callback(serving.discard)
        try:
            reply = await _answer(await reader.readline(), answers)
            writer.write(orjson.dumps(reply) + b"\n")
            await writer.drain()
        except (ConnectionError, ValueError) as e:
            _log.debug("a local request ended early", error=str(e))
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    with suppress(FileNotFoundError):
        await asyncio.to_thread(path.unlink)
    with _short(path) as short:
        server = await asyncio.start_unix_server(serve, sock=_bind(short), limit=_LINE)
    try:
        async with server:
            yield
    finally:
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        with suppress(FileNotFoundError):
            await asyncio.to_thread(path.unlink)


def _bind(path: str) -> socket.socket:
    """Return a socket that only its owner can connect to, from the first moment on."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listening.bind(path)
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(mask)
    return listening


async def _answer(line: bytes, answers: Mapping[Op, Answer]) -> Mapping[str, Any]:
    try:
        op = orjson.loads(line)["op"]
        answer = answers[op]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {"error": "not a request that this subscriber knows"}
    return await answer()


async def ask(path: Path, op: Op, timeout_s: float) -> dict[str, Any] | None:
    """Return the answer of the subscriber that listens at `path`, None when none does.

    Raises:
        BusUnavailable: it did not answer in time.
        ConfigError: this user may not ask it.

    """
    try:
        async with asyncio.timeout(timeout_s):
            with _short(path) as short:
                reader, writer = await asyncio.open_unix_connection(short, limit=_LINE)
            try:
                writer.write(orjson.dumps({"op": op}) + b"\n")
                line = await reader.readline()
            finally:
                writer.close()
                await writer.wait_closed()
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except PermissionError as e:
        raise ConfigError(f"{path} may only be used by its owner; try again with sudo") from e
    except (TimeoutError, OSError) as e:
        raise BusUnavailable(f"the running subscriber did not answer within {timeout_s:g} s") from e
    reply: dict[str, Any] = orjson.loads(line) if line else {"error": "the subscriber stopped"}
    return reply


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """Yield a name of `path` that fits into a socket address, by way of its open directory when need be."""
    if len(os.fsencode(path)) <= _PATH_MAX:
        yield str(path)
        return
    fd = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{fd}/{path.name}"
    finally:
        os.close(fd)
