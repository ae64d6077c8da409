import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.deploy.engine import Engine
from tests.deploy.room import wait_for
from tests.deploy.systemd import ROOT

FILE = ROOT / "docker-compose.yml"
MONITOR = "http://127.0.0.1:8222"

STORE = """
import asyncio, nats

async def main():
    connection = await nats.connect("nats://127.0.0.1:4222")
    jetstream = connection.jetstream()
    await jetstream.add_stream(name="KEPT", subjects=["kept"])
    await jetstream.publish("kept", b"hello")
    await connection.close()

asyncio.run(main())
"""

SERVICE = yaml.safe_load(FILE.read_text())["services"]["nats"]


@pytest.fixture(scope="module")
def running(docker: Engine, nats_base: str) -> Iterator[Engine]:
    """Bring the compose file up, on an image like the one it names."""
    assert nats_base == SERVICE["image"]
    docker.compose(FILE, "up", "--detach")
    yield docker
    docker.compose(FILE, "down", "--volumes")


def _healthy(engine: Engine) -> None:
    """Wait until the health check of the file says so."""

    def health() -> bool:
        container = engine.compose(FILE, "ps", "--quiet", "nats").strip()
        return engine.docker("inspect", "--format={{.State.Health.Status}}", container).strip() == "healthy"

    wait_for(health, "a healthy container", engine.room)


def _ask(engine: Engine, path: str) -> dict[str, Any]:
    """Ask the monitoring port, where the file publishes it: on the loopback of the engine's machine."""
    answer: dict[str, Any] = json.loads(engine.room.run("busybox", "wget", "-q", "-O", "-", f"{MONITOR}{path}"))
    return answer


def test_the_file_is_read_by_docker_compose(docker: Engine) -> None:
    """docker-compose (1.29 on Debian 12) takes the file as it is."""
    read = yaml.safe_load(docker.compose(FILE, "config"))
    assert read["services"].keys() == {"nats"}
    assert read["volumes"].keys() == {"jetstream"}


def test_the_file_has_nothing_that_a_compose_version_refuses() -> None:
    """No `version`, which v2 warns of; no `name`, which 1.29 does not know."""
    assert yaml.safe_load(FILE.read_text()).keys() == {"services", "volumes"}


def test_nothing_listens_beyond_this_machine() -> None:
    """Every published port is on 127.0.0.1: without keys the server asks nobody for a login."""
    assert {port.split(":")[0] for port in SERVICE["ports"]} == {"127.0.0.1"}


def test_who_may_connect_is_what_a_variable_names(docker: Engine) -> None:
    """`init` puts it where the variable says; without it everybody may, and for nothing of ours is it a setting."""
    [mount] = [each for each in SERVICE["volumes"] if "/etc/routecast/nats" in each]
    assert mount == "${NATS_ACCESS:-./deploy/nats/open}:/etc/routecast/nats:ro"
    read = yaml.safe_load(docker.compose(FILE, "config"))["services"]["nats"]["volumes"]
    assert f"{ROOT}/deploy/nats/open:/etc/routecast/nats:ro" in read


def test_jetstream_answers_and_the_container_gets_healthy(running: Engine) -> None:
    """After `docker-compose up` JetStream is there on 127.0.0.1, with our limits, and the health check says healthy."""
    _healthy(running)
    said, jetstream = _ask(running, "/varz"), _ask(running, "/jsz")["config"]
    assert said["version"] == SERVICE["image"].removeprefix("nats:").removesuffix("-alpine")
    assert (said["max_payload"], said["ping_interval"]) == (8_388_608, 20_000_000_000)
    assert jetstream["store_dir"].startswith("/data")


def test_what_is_stored_survives_a_new_container(running: Engine) -> None:
    """A message in JetStream is there again after `docker-compose down` and `up`."""
    _healthy(running)
    running.room.run(sys.executable, "-c", STORE)
    assert _ask(running, "/jsz")["messages"] == 1

    running.compose(FILE, "down")
    running.compose(FILE, "up", "--detach")
    _healthy(running)
    assert _ask(running, "/jsz")["messages"] == 1


def test_the_configuration_can_be_changed_while_it_runs(running: Engine) -> None:
    """The container sees the whole folders, and the server in it calls the configuration valid."""
    _healthy(running)
    seen = running.compose(FILE, "exec", "-T", "nats", "sh", "-c", "echo /etc/nats/* /etc/routecast/nats/*")
    assert {"/etc/nats/nats-server.conf", "/etc/routecast/nats/access.conf"} <= set(seen.split())
    running.compose(FILE, "exec", "-T", "nats", "nats-server", "-t", "-c", "/etc/nats/nats-server.conf")
    running.compose(FILE, "kill", "-s", "HUP", "nats")
    wait_for(lambda: "Reloaded server configuration" in running.compose(FILE, "logs"), "a reload", running.room)
