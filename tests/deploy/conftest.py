"""The machines and engines that deploy is tried on; skipped, in words, where they cannot be made."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy import systemd
from tests.deploy.engine import PROGRAMS, Engine, engine
from tests.deploy.room import Room, missing, no_room


def skip_without(*programs: str, machine: bool = False) -> None:
    """Skip a test that needs a room and programs in it; CI has all of it (.ci/run)."""
    reason = no_room(machine=machine)
    if reason is None and (absent := missing(programs)):
        reason = f"not installed: {', '.join(absent)}"
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Room]:
    """Run a machine with systemd and an installed routecast."""
    skip_without("/lib/systemd/systemd", "systemctl", "journalctl", machine=True)
    with systemd.machine(tmp_path) as room:
        yield room


@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    """Run a Docker engine of its own."""
    skip_without(*PROGRAMS)
    with engine() as running:
        yield running
