"""What the doctor sees of TLS and credentials, on a real server in operator mode."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.doctor.bus.judge import judge_bus
from cli.doctor.bus.read import read_bus
from cli.doctor.bus.read_access import read_login
from cli.doctor.check import State
from common.bus import connected
from common.settings import Settings
from common.settings.nats import NatsSettings
from publisher.pipeline.keeper import Keeper
from tests.cli.doctor_facts import bad, one, states
from tests.operator_mode import OperatorServer


@pytest.fixture
def server(tmp_path: Path) -> OperatorServer:
    """Return a server that is not started yet."""
    return OperatorServer(tmp_path)


def _settings(nats: NatsSettings, **subscriber: Any) -> Settings:
    return Settings.model_validate({"nats": nats.model_dump(), "subscriber": subscriber})


async def test_with_an_operators_credentials_all_is_seen(server: OperatorServer) -> None:
    """TLS with its certificate's end, the credentials by name, JetStream and clock as without all that."""
    async with server:
        async with connected(server.settings(await server.publisher()), "publisher") as bus:
            await Keeper(bus, 1).ensure_streams()
        settings = _settings(server.settings(await server.operator()))
        found = list(judge_bus(await read_bus(settings, fleet=True)))
    assert bad(found) == {}
    assert "valid until 20" in one(found, "TLS").what
    assert one(found, "credentials").what.startswith("operator, from ")


async def test_with_a_nodes_credentials_nothing_hangs_on_what_it_may_not_see(server: OperatorServer) -> None:
    """The newest snapshot can be read, so JetStream answers; the server's clock is not the node's to ask for."""
    async with server:
        settings = _settings(server.settings(await server.node("work-laptop")), node="work-laptop")
        found = list(judge_bus(await read_bus(settings, fleet=False)))
    assert bad(found) == {"clock": State.SKIP}
    assert one(found, "clock").what == "a node's credentials do not show it"


async def test_without_credentials_it_is_told_what_is_missing(server: OperatorServer) -> None:
    """NATS is there and closed: one failure for each, and the rest is skipped."""
    async with server:
        found = states(judge_bus(await read_bus(_settings(server.settings(None)), fleet=True)))
    assert found["NATS"] is found["credentials"] is State.FAIL
    assert found["TLS"] is found["JetStream"] is State.SKIP


async def test_credentials_that_end_soon_are_seen_to(server: OperatorServer) -> None:
    """By the token itself, without asking anybody."""
    file = await server.joining("J0123456789abcdef", datetime.now(UTC) + timedelta(days=3))
    found = list(judge_bus(await read_bus(_settings(server.settings(file)), fleet=False)))
    assert one(found, "credentials").state is State.WARN
    assert "2 days more" in one(found, "credentials").what


@pytest.mark.parametrize(
    ("mode", "said"), [(0o604, "can be read by everybody"), (None, "there are no NATS credentials")]
)
async def test_credentials_that_cannot_be_used(tmp_path: Path, mode: int | None, said: str) -> None:
    """Open to everybody, or not there."""
    file = tmp_path / "nats.creds"
    if mode is not None:
        file.touch(mode)
        file.chmod(mode)
    assert said in str(await read_login(NatsSettings(credentials_file=file)))


async def test_a_login_in_the_url_is_one() -> None:
    """It counts, and is not shown."""
    seen = await read_login(NatsSettings.model_validate({"url": "nats://me:s3cret@cp1", "credentials_file": None}))
    assert "s3cret" not in repr(seen)
    assert "nats.url" in repr(seen)
