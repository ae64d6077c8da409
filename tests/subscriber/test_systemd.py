import asyncio
import socket
from pathlib import Path

import pytest

from subscriber.systemd import Notifier


@pytest.fixture
def listener(tmp_path: Path) -> socket.socket:
    """Listen as systemd would."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(str(tmp_path / "notify"))
    s.settimeout(5)
    return s


def _received(listener: socket.socket) -> str:
    return listener.recv(4096).decode()


def test_each_stage_is_told(listener: socket.socket) -> None:
    """Ready, reloading, stopping and the status line arrive as sd_notify(3) has them; the same status once."""
    with listener:
        notifier = Notifier({"NOTIFY_SOCKET": listener.getsockname()})
        notifier.ready()
        notifier.status("applied")
        notifier.status("applied")
        notifier.reloading()
        notifier.stopping()
        assert [_received(listener) for _ in range(4)] == ["READY=1", "STATUS=applied", "RELOADING=1", "STOPPING=1"]


async def test_the_watchdog_is_fed_at_half_its_time(listener: socket.socket) -> None:
    """The loop itself feeds the watchdog, so that a loop that hangs is noticed."""
    with listener:
        notifier = Notifier({"NOTIFY_SOCKET": listener.getsockname(), "WATCHDOG_USEC": "20000"})
        beats: list[None] = []
        task = asyncio.create_task(notifier.beat(lambda: beats.append(None)))
        received = [await asyncio.to_thread(_received, listener) for _ in range(3)]
        task.cancel()
        assert received == ["WATCHDOG=1"] * 3
        assert len(beats) >= 3


def test_without_systemd_nothing_happens() -> None:
    """No socket, or one that is gone, is no error."""
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": "/nonexistent/notify"}).ready()
    Notifier({"NOTIFY_SOCKET": "@nobody-listens-here"}).ready()
