"""The machines and engines that deploy is tried on; skipped, in words, where they cannot be made."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.deploy import systemd
from tests.deploy.engine import PROGRAMS, Engine, engine
from tests.deploy.images import download_wheels, nats_image, python_image
from tests.deploy.room import Room, missing, no_room
from tests.deploy.systemd import ROOT


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


@pytest.fixture(scope="package")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Download what an installation takes, from where pip is set up to."""
    folder = tmp_path_factory.mktemp("wheels")
    if reason := download_wheels(folder):
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="package")
def docker() -> Iterator[Engine]:
    """Run a Docker engine of its own."""
    skip_without(*PROGRAMS)
    with engine() as running:
        yield running


@pytest.fixture(scope="package")
def nats_base(docker: Engine) -> str:
    """Give the engine an image like the one that docker-compose.yml names, and return its name."""
    if missing(["busybox"]):
        pytest.skip("not installed: busybox (Debian: busybox)")
    name: str = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["nats"]["image"]
    docker.load(name, nats_image(str(shutil.which("busybox"))))
    return name


@pytest.fixture(scope="package")
def python_base(docker: Engine, wheels: Path) -> str:
    """Give the engine an image like the one that the Dockerfile builds on, and return its name."""
    named = re.search(r"^ARG PYTHON=(\S+)$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    assert named is not None
    docker.load(named[1], python_image(wheels))
    return named[1]
