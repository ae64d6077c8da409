import asyncio
from pathlib import Path

import pytest

from cli import exits
from common.ack import State
from tests.cli.conftest import run_routecast
from tests.secure import SecureWorld
from tests.world import NODES


@pytest.fixture
def secured(tmp_path: Path) -> SecureWorld:
    """Make keys and certificates, outside of the loop."""
    return SecureWorld(tmp_path)


async def test_the_key_is_rotated_with_an_operators_credentials(secured: SecureWorld) -> None:
    """In operator mode, over TLS: the narrow rights of each are enough for a whole rotation."""
    async with secured as world, world.publisher(), world.nodes():
        await world.synced()
        env = {
            "ROUTECAST_NATS_URL": world.server.url,
            "ROUTECAST_NATS_CA_FILE": str(world.trust.authority),
            "ROUTECAST_NATS_CREDENTIALS_FILE": str(world.trust.credentials("operator")),
            "ROUTECAST_PUBLISHER_SIGNING_SEED_FILE": str(world.seed),
        }
        result = await asyncio.to_thread(run_routecast, "trust", "rotate", env=env)
        assert result.exit_code == exits.OK, result.stdout + result.stderr
        states = {ack.state for node in NODES for ack in await world.acks(node)}
        assert states == {State.APPLIED}
