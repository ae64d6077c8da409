"""`routecast publisher`: the service as a process, and its public key."""

import asyncio
import base64
import shutil
import signal
from pathlib import Path

import pytest

from cli import exits
from common.bus import Bus
from common.streams import read_newest
from tests.cli.conftest import Routecast, run_routecast
from tests.cli.processes import running
from tests.nats import NatsServer
from tests.registries import SIGNER
from tests.registry_folder import REFERENCE_FOLDER
from tests.world import until


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """Write the signing seed of the tests."""
    file = tmp_path / "signing.seed"
    file.write_bytes(base64.b64encode(bytes(range(32))))
    file.chmod(0o600)
    return file


def test_the_public_key_is_that_of_the_seed(seed: Path) -> None:
    """It is printed alone, to be put into nodes' settings."""
    result = run_routecast("publisher", "public-key", env={"ROUTECAST_PUBLISHER_SIGNING_SEED_FILE": str(seed)})
    assert (result.exit_code, result.stdout, result.stderr) == (exits.OK, f"{SIGNER.public_key}\n", "")


def test_a_missing_seed_is_said_with_the_command_that_makes_one(tmp_path: Path) -> None:
    """No seed is a matter of settings: exit code 2, and how to make one; the same when the service starts."""
    env = {"ROUTECAST_PUBLISHER_SIGNING_SEED_FILE": str(tmp_path / "none")}
    for command in ("public-key", "run"):
        result = run_routecast("publisher", command, env=env)
        assert result.exit_code == exits.USAGE
        assert "head -c 32 /dev/urandom | base64" in result.stderr
        assert not result.stdout


def test_a_bare_number_is_no_interval(tmp_path: Path) -> None:
    """The replaced tool took `reconcile 4` for hours; we ask for the unit."""
    result = run_routecast("publisher", "run", "--registry-dir", str(tmp_path), "--reconcile-every", "4")
    assert result.exit_code == exits.USAGE
    assert "as 90s, 30m, 4h or 7d" in result.stderr
    too_long = run_routecast("publisher", "run", "--reconcile-every", "8d")
    assert too_long.exit_code == exits.USAGE
    assert "publisher.reconcile_every_s" in too_long.stderr


async def test_it_publishes_until_it_is_told_to_stop(
    bus: Bus, server: NatsServer, seed: Path, tmp_path: Path, routecast: Routecast
) -> None:
    """Started on a folder it publishes, answers push and reconcile, takes options for settings, and stops in order."""
    folder = tmp_path / "registry"
    await asyncio.to_thread(shutil.copytree, REFERENCE_FOLDER, folder)
    words = ("--registry-dir", str(folder), "publisher", "run", "--reconcile-every", "4h", "--http-port", "0")
    env = {"ROUTECAST_NATS_URL": server.url, "ROUTECAST_PUBLISHER_SIGNING_SEED_FILE": str(seed)}
    async with running(*words, env=env) as publisher:
        await until(lambda: read_newest(bus), "a snapshot")
        assert (await routecast("reconcile")).stdout.endswith("nothing had changed\n")
        pushed = await routecast("push")
        assert pushed.exit_code == exits.OK, pushed.stderr
        assert (await routecast("problems")).stdout == "no problems\n"
        assert '"republish_every_s": 14400' in (await routecast("stream", "show", "-o", "json")).stdout
        code, output, log = await publisher.stop(signal.SIGTERM)
    assert code == exits.OK
    assert not output
    assert b"publisher stopped" in log
