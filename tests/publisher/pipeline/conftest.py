"""A real nats-server for each test of the pipeline, and a connection to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from common.bus import Bus, connected
from common.settings.nats import NatsSettings
from publisher.pipeline.keeper import Keeper
from tests.nats import NatsServer


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """Run a nats-server."""
    async with NatsServer(tmp_path / "nats") as running:
        yield running


@pytest.fixture
async def bus(server: NatsServer) -> AsyncIterator[Bus]:
    """Connect to it; the streams exist."""
    async with connected(NatsSettings.model_validate({"url": server.url}), "test") as connection:
        await Keeper(connection, replicas=1).ensure_streams()
        yield connection
