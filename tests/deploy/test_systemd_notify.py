"""The subscriber's ExecStart, run as systemd runs it, with a listener in systemd's place. Needs no root."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deploy.systemd import PROGRAM, SUBSCRIBER, UNITS, read_unit
from tests.nats import free_port
from tests.registries import SIGNER, snapshot

LIMIT_S = 20.0
WATCHDOG_S = 1.0


class Service:
    """A running ExecStart, and what it says on its notification socket."""

    def __init__(self, process: subprocess.Popen[bytes], listener: socket.socket) -> None:
        self.process = process
        self._listener = listener

    def hear(self, wanted: str) -> list[str]:
        """Return everything that is said up to `wanted`, which may be a beginning; status lines left out.

        Raises:
            AssertionError: it is not said within the limit.

        """
        heard: list[str] = []
        deadline = time.monotonic() + LIMIT_S
        while not (heard and heard[-1].startswith(wanted)):
            try:
                self._listener.settimeout(max(0.01, deadline - time.monotonic()))
                heard += self._listener.recv(4096).decode().splitlines()
            except TimeoutError:
                raise AssertionError(f"{wanted} is not said within {LIMIT_S:g} s, but {heard}") from None
        return [line for line in heard if not line.startswith("STATUS=") or line.startswith(wanted)]


@contextmanager
def _started(folder: Path) -> Iterator[Service]:
    """Start the unit's ExecStart with a node that has a snapshot stored, a hosts file of its own and no NATS."""
    hosts, state, config = folder / "hosts", folder / "state", folder / "routecast.toml"
    hosts.write_text("127.0.0.1\tlocalhost\n")
    state.mkdir()
    (state / "accepted.json").write_bytes(snapshot().to_body())
    config.write_text(
        f'[nats]\nurl = "nats://127.0.0.1:{free_port()}"\n'
        f'[subscriber]\nnode = "vinay-laptop"\npublic_keys = ["{SIGNER.public_key}"]\nstate_dir = "{state}"\n'
        f'[hosts]\npath = "{hosts}"\n'
    )
    program, *words = shlex.split(read_unit(UNITS / SUBSCRIBER)["ExecStart"][0])
    assert program == PROGRAM
    environment = {
        "PATH": os.environ["PATH"],
        "ROUTECAST_CONFIG": str(config),
        "NOTIFY_SOCKET": str(folder / "notify"),
        "WATCHDOG_USEC": f"{WATCHDOG_S * 1_000_000:.0f}",
    }
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener,
        (folder / "log").open("wb") as log,
    ):
        listener.bind(environment["NOTIFY_SOCKET"])
        process = subprocess.Popen(
            [Path(sys.executable).with_name("routecast"), *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
        )
        try:
            yield Service(process, listener)
        finally:
            process.kill()
            process.wait(LIMIT_S)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Run the subscriber's ExecStart."""
    with _started(tmp_path) as running:
        yield running


def test_ready_is_said_when_the_files_stand_and_never_waits_for_nats(tmp_path: Path, service: Service) -> None:
    """READY=1 comes without any NATS, as the first word, when the hosts file is made from the state on disk."""
    assert service.hear("READY=1") == ["READY=1"]
    assert "photos.mycloud.local" in (tmp_path / "hosts").read_text()


def test_the_watchdog_is_fed_without_a_connection(service: Service) -> None:
    """The watchdog hears from a node without NATS as often as systemd asks it to: at least twice in its time."""
    service.hear("WATCHDOG=1")
    started = time.monotonic()
    for _ in range(4):
        service.hear("WATCHDOG=1")
    assert time.monotonic() - started < 4 * WATCHDOG_S


def test_sighup_reads_the_settings_again(tmp_path: Path, service: Service) -> None:
    """ExecReload is answered with RELOADING=1 and then READY=1, with the same settings and with new ones."""
    service.hear("READY=1")
    service.process.send_signal(signal.SIGHUP)
    service.hear("RELOADING=1")
    service.hear("READY=1")

    (tmp_path / "other-hosts").write_text("")
    config = tmp_path / "routecast.toml"
    config.write_text(config.read_text().replace(f"{tmp_path / 'hosts'}", f"{tmp_path / 'other-hosts'}"))
    service.process.send_signal(signal.SIGHUP)
    service.hear("RELOADING=1")
    service.hear("READY=1")
    assert "photos.mycloud.local" in (tmp_path / "other-hosts").read_text()
    assert service.process.poll() is None


def test_sigterm_ends_it_in_order(service: Service) -> None:
    """SIGTERM is answered with STOPPING=1, and the process ends with 0: systemd calls that a clean stop."""
    service.hear("READY=1")
    service.process.send_signal(signal.SIGTERM)
    service.hear("STOPPING=1")
    assert service.process.wait(LIMIT_S) == 0
