"""A real nats-server with empty streams, and `routecast` run against it as a user would."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from common.bus import Bus, connected
from common.settings.nats import NatsSettings
from tests.cli.bus_data import make_streams
from tests.nats import NatsServer

SAMPLES = Path(__file__).parent.parent / "publisher" / "source" / "samples"

NO_KEYS = {
    "ROUTECAST_TRUST_DIRECTORY": "/proc/no-keys/trust",
    "ROUTECAST_TRUST_SERVER_DIRECTORY": "/proc/no-keys/nats",
}
"""Whoever runs the tests may be root: no command may find keys of this machine, or make any."""

Routecast = Callable[..., Awaitable[Result]]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """Run a nats-server."""
    async with NatsServer(tmp_path / "nats") as running:
        yield running


@pytest.fixture
async def bus(server: NatsServer) -> AsyncIterator[Bus]:
    """Connect to it; the streams exist, and are empty."""
    async with connected(NatsSettings.model_validate({"url": server.url}), "test") as connection:
        await make_streams(connection)
        yield connection


def run_routecast(*words: str, env: Mapping[str, str] | None = None) -> Result:
    """Run `routecast` in this thread; an error that it did not expect fails the test."""
    runner = CliRunner(env={"ROUTECAST_CONFIG": None, **NO_KEYS, **(env or {})})
    result = runner.invoke(main, words, prog_name="routecast")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def routecast(server: NatsServer) -> Routecast:
    """Run `routecast` in a thread of its own, against the server."""

    async def on_server(*words: str) -> Result:
        return await asyncio.to_thread(run_routecast, *words, env={"ROUTECAST_NATS_URL": server.url})

    return on_server


@pytest.fixture
def reference(tmp_path: Path) -> str:
    """Return a folder with the reference cluster's manifests."""
    return _folder(tmp_path, "reference.yaml")


@pytest.fixture
def legacy(tmp_path: Path) -> str:
    """Return a folder with an early cluster's manifests."""
    return _folder(tmp_path, "legacy.yaml")


def _folder(tmp_path: Path, sample: str) -> str:
    folder = tmp_path / sample
    folder.mkdir()
    shutil.copy(SAMPLES / sample, folder / "registry.yaml")
    return str(folder)
