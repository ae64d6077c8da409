"""Tell systemd how the service stands (sd_notify(3)). Without systemd all of it does nothing."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping


class Notifier:
    """The notification socket of this process, and its watchdog."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog_s = int(environment.get("WATCHDOG_USEC") or 0) / 1_000_000
        self._status = ""

    def ready(self) -> None:
        """Say that start-up, or a reload, is complete."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Say that settings are being read again."""
        self._send("RELOADING=1")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """Show one line in ``systemctl status``."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={text}")

    async def beat(self, on_beat: Callable[[], None]) -> None:
        """Feed the watchdog from the event loop, whatever the network does; call `on_beat` each time, for ever."""
        while True:
            on_beat()
            if self._watchdog_s:
                self._send("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_s / 2 or 5)

    def _send(self, state: str) -> None:
        if not self._address:
            return
        kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        # a manager that does not listen any more must not end the service
        with socket.socket(socket.AF_UNIX, kind) as s, contextlib.suppress(OSError):
            s.connect(self._address)
            s.send(state.encode())
