"""`routecast subscriber`: the service as a process, a single sync, and what the node knows of itself."""

import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from cli import exits
from common.bus import Bus
from subscriber.local import answering
from tests.cli.bus_data import make_consumers, publish_registry
from tests.cli.conftest import Routecast, run_routecast
from tests.cli.processes import running
from tests.nats import NatsServer
from tests.registries import SIGNER, snapshot
from tests.world import until

NODE = "work-laptop"


class Laptop:
    """A laptop's settings, and its hosts file."""

    def __init__(self, folder: Path, url: str) -> None:
        self.hosts = folder / "hosts"
        self.hosts.write_text("127.0.0.1 localhost\n")
        self.config = folder / "routecast.toml"
        self.config.write_text(
            f'[nats]\nurl = "{url}"\nconnect_timeout_s = 1\n'
            f'[subscriber]\nnode = "{NODE}"\npublic_keys = ["{SIGNER.public_key}"]\nstate_dir = "{folder}/state"\n'
            f'[hosts]\npath = "{self.hosts}"\n'
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run its subscriber as a process while the body runs, then stop it in order."""
        async with running("--config", str(self.config), "subscriber", "run", env={}) as service:
            yield
            code, _, log = await service.stop(signal.SIGTERM)
        assert code == exits.OK
        assert b"subscriber stopped" in log


@pytest.fixture
def laptop(server: NatsServer, tmp_path: Path) -> Laptop:
    """Return a laptop that has never synced."""
    return Laptop(tmp_path, server.url)


@pytest.fixture
def on_laptop(laptop: Laptop, routecast: Routecast) -> Routecast:
    """Run `routecast` on it."""

    async def run(*words: str) -> object:
        return await routecast("--config", str(laptop.config), *words)

    return run  # type: ignore[return-value]


async def test_a_dry_run_changes_nothing(bus: Bus, laptop: Laptop, on_laptop: Routecast) -> None:
    """The plan of each target is printed; no file is touched, no record sent."""
    await publish_registry(bus)
    result = await on_laptop("subscriber", "sync", "--dry-run")
    assert result.exit_code == exits.OK, result.stderr
    assert result.stdout == "hosts  5 created, 0 updated, 0 deleted\n"
    assert laptop.hosts.read_text() == "127.0.0.1 localhost\n"
    assert (await bus.js.stream_info("ACKS")).state.messages == 0
    found = orjson.loads((await on_laptop("subscriber", "sync", "--dry-run", "-o", "json")).stdout)
    assert found["plans"] == {"hosts": "5 created, 0 updated, 0 deleted"}


async def test_a_sync_without_a_service(bus: Bus, laptop: Laptop, on_laptop: Routecast) -> None:
    """The node is brought to the newest snapshot at once, and answers for it."""
    await publish_registry(bus)
    result = await on_laptop("subscriber", "sync", "-o", "json")
    assert result.exit_code == exits.OK, result.stderr
    found = orjson.loads(result.stdout)
    assert (found["by_service"], found["ack"]["state"], found["ack"]["applied"]["version"]) == (False, "applied", 57)
    assert "photos.mycloud.local" in laptop.hosts.read_text()
    assert (await bus.js.stream_info("ACKS")).state.messages == 1


async def test_a_sync_without_nats_heals_from_what_is_kept(
    bus: Bus, server: NatsServer, laptop: Laptop, on_laptop: Routecast
) -> None:
    """Somebody emptied the hosts file while NATS is away: it is healed, with a warning; a dry run only says so."""
    await publish_registry(bus)
    assert (await on_laptop("subscriber", "sync")).exit_code == exits.OK
    await bus.close()
    await server.kill()
    laptop.hosts.write_text("127.0.0.1 localhost\n")
    planned = await on_laptop("subscriber", "sync", "--dry-run")
    assert planned.stdout == "hosts  5 created, 0 updated, 0 deleted\n"
    healed = await on_laptop("subscriber", "sync")
    assert healed.exit_code == exits.OK
    for result in (planned, healed):
        assert "warning: NATS at " in result.stderr
    assert "photos.mycloud.local" in laptop.hosts.read_text()


async def test_nothing_to_sync_is_not_so(bus: Bus, on_laptop: Routecast) -> None:
    """Before the first snapshot there is nothing to bring a node to: exit code 1."""
    assert bus
    for words in ((), ("--dry-run",)):
        result = await on_laptop("subscriber", "sync", *words)
        assert result.exit_code == exits.NOT_SO
        assert "no snapshot was published yet" in result.stderr


async def test_a_failed_target_is_not_so(bus: Bus, laptop: Laptop, on_laptop: Routecast) -> None:
    """What a target could not do is printed: exit code 1."""
    await publish_registry(bus)
    laptop.hosts.unlink()
    laptop.hosts.mkdir()
    result = await on_laptop("subscriber", "sync")
    assert result.exit_code == exits.NOT_SO
    assert f"{NODE}  version 57  failed" in result.stdout


async def test_the_running_service_is_asked(bus: Bus, laptop: Laptop, on_laptop: Routecast) -> None:
    """Beside a service, status and sync are its answers; once it stopped, status is what it left."""
    await publish_registry(bus)
    await make_consumers(bus, NODE)

    async def status() -> Mapping[str, object]:
        found: dict[str, object] = orjson.loads((await on_laptop("subscriber", "status", "-o", "json")).stdout)
        return found

    async def applied() -> bool:
        found = await status()
        return bool(found["running"] and found["last_ack"])

    async with laptop.running():
        await until(applied, "the service has applied the snapshot")
        said = await on_laptop("subscriber", "status")
        assert said.exit_code == exits.OK
        assert "accepted      version 57 of epoch" in said.stdout
        assert "connected to nats://" in said.stdout
        synced = await on_laptop("subscriber", "sync", "-o", "json")
        assert orjson.loads(synced.stdout)["by_service"] is True
        second = await on_laptop("subscriber", "run")
        assert second.exit_code == exits.USAGE
        assert "another subscriber runs" in second.stderr
    left = await on_laptop("subscriber", "status")
    assert left.exit_code == exits.NOT_SO
    assert "does not run here" in left.stdout
    assert "hosts     version 57" in left.stdout
    assert (await status())["running"] is False


async def test_a_service_that_cannot_says_why(laptop: Laptop, on_laptop: Routecast) -> None:
    """What the running service answers instead of a result is the error; a stale one is not so."""

    async def fail() -> dict[str, object]:
        return {"error": "there is no snapshot yet"}

    state = laptop.config.parent / "state"
    state.mkdir()
    async with answering(state / "subscriber.sock", {"sync": fail, "status": fail}):
        for command in ("sync", "status"):
            result = await on_laptop("subscriber", command)
            assert result.exit_code == exits.NOT_SO
            assert result.stderr.endswith("there is no snapshot yet\n")


async def test_status_of_a_node_that_never_ran(on_laptop: Routecast) -> None:
    """Nothing runs and nothing is kept: said, exit code 1."""
    result = await on_laptop("subscriber", "status")
    assert result.exit_code == exits.NOT_SO
    assert "no snapshot yet" in result.stdout


@pytest.mark.parametrize("words", [["run"], ["sync"]])
def test_a_node_needs_a_name_and_a_key(words: list[str], tmp_path: Path) -> None:
    """Missing settings are said all at once: exit code 2."""
    result = run_routecast("subscriber", *words, env={"ROUTECAST_SUBSCRIBER_STATE_DIR": str(tmp_path)})
    assert result.exit_code == exits.USAGE
    assert "subscriber.node" in result.stderr
    assert "subscriber.public_keys" in result.stderr


async def test_a_rejected_snapshot_is_not_so(bus: Bus, laptop: Laptop, on_laptop: Routecast) -> None:
    """A snapshot that no trusted key signed is refused, also as a plan: exit code 1, the file stays."""
    await publish_registry(bus)
    other = laptop.config.read_text().replace(SIGNER.public_key, "A" * 43 + "=")
    laptop.config.write_text(other)
    assert (await on_laptop("subscriber", "sync", "--dry-run")).exit_code == exits.NOT_SO
    result = await on_laptop("subscriber", "sync")
    assert result.exit_code == exits.NOT_SO
    assert "rejected" in result.stdout
    assert "photos" not in laptop.hosts.read_text()
    assert snapshot().version == 57
