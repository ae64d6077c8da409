"""The world that a promise is tested in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Run a nats-server beside the reference registry in a folder."""
    async with World(tmp_path) as made:
        yield made
