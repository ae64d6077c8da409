"""`routecast doctor node` on a real machine's parts: NATS, a subscriber, its files. Each check seen failing."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from common import subjects
from common.ack import State
from common.bus import Bus
from common.models import Role
from common.snapshot import Snapshot
from subscriber.local import answering
from tests.cli.bus_data import ack_of, make_consumers, online, publish_registry
from tests.cli.conftest import run_routecast
from tests.cli.doctor_laptop import NODE, Laptop, at_home
from tests.nats import NatsServer
from tests.registries import REFERENCE, snapshot


@pytest.fixture
def laptop(server: NatsServer, tmp_path: Path) -> Laptop:
    """Return a laptop that has never synced."""
    return Laptop(tmp_path, server.url)


@pytest.fixture
async def published(bus: Bus) -> Snapshot:
    """Publish the registry with the laptop at an address of this machine; make its durable."""
    published = await publish_registry(bus, at_home())
    await make_consumers(bus, NODE)
    return published


async def test_a_laptop_in_order_and_then_not(bus: Bus, published: Snapshot, laptop: Laptop) -> None:
    """A running subscriber: all is ok. Its file, the owner's lines, the old system's, its durable: each is seen."""
    assert published
    async with laptop.running():
        await laptop.settled()
        checks = await laptop.checks()
        assert checks["target hosts"]["what"].startswith("5 names")
        assert checks["durable"]["what"] == f"node-{NODE} is there, the service waits at it"
        block = laptop.hosts.read_text()
        laptop.hosts.write_text(block.replace("100.67.243.10\tphotos.mycloud.local\n", ""))
        assert (await laptop.checks())["target hosts"]["what"].endswith(": 1 missing")
        laptop.hosts.write_text("10.0.0.1 photos.mycloud.local\n" + block)
        assert await laptop.bad() == {"own lines": "warn", "names": "skip"}
        laptop.hosts.write_text(f"# MyNodeOne Services\n10.0.0.1 photos.mycloud.local\n{block}")
        assert await laptop.bad() == {"leftovers": "warn", "names": "skip"}
        laptop.hosts.write_text(f"{block}10.0.0.1 photos.mycloud.local\n")
        assert await laptop.bad() == {"names": "skip"}, "a later line does not win"
        async with online(bus, NODE):
            assert "2 machines take turns" in (await laptop.checks())["durable"]["what"]
        await bus.js.delete_consumer(subjects.REGISTRY, subjects.durable(NODE))
        assert (await laptop.checks())["durable"]["state"] == "fail"


@pytest.mark.usefixtures("published")
async def test_a_laptop_that_never_ran(laptop: Laptop) -> None:
    """No state, no service, no snapshot: said, and what rests on them is skipped."""
    assert await laptop.bad() == {
        "state directory": "fail",
        "service": "fail",
        "last answer": "skip",
        "address": "skip",
        "targets": "skip",
        "names": "skip",
    }


async def test_a_laptop_without_nats_still_knows_its_files(laptop: Laptop, server: NatsServer) -> None:
    """What the bus knows is skipped, the files are judged by the stored snapshot."""
    await server.kill()
    laptop.keep(snapshot())
    checks = await laptop.checks()
    assert checks["NATS"]["state"] == "fail"
    assert {checks[name]["state"] for name in ("registration", "address", "durable", "trust")} == {"skip"}
    assert checks["target hosts"]["what"] == "not as the stored snapshot has it: 5 missing"


@pytest.mark.usefixtures("published")
async def test_a_name_a_key_or_a_role_that_is_not_the_registrys(laptop: Laptop) -> None:
    """Not registered, not believed, registered as something else: each with the command that mends it."""
    laptop.write(node="stranger", keys="A" * 43 + "=")
    checks = await laptop.checks()
    assert checks["registration"]["next"] == "routecast node add laptop stranger ADDRESS"
    assert "unknown_key" in checks["trust"]["what"]
    assert checks["durable"]["state"] == "fail"
    laptop.write(role=Role.WORKER)
    assert (await laptop.checks())["registration"]["state"] == "warn"


async def test_an_address_that_is_another_machines(bus: Bus, laptop: Laptop) -> None:
    """The reference's laptop has an address that this machine has not; IPv6 is looked for as well."""
    await publish_registry(bus)
    laptop.keep(snapshot())
    assert (await laptop.checks())["address"]["state"] == "warn"
    nodes = tuple(node.model_copy(update={"address": "fd7a:115c:a1e0::1"}) for node in REFERENCE.nodes[-1:])
    moved = REFERENCE.model_copy(update={"nodes": nodes})
    await publish_registry(bus, moved, version=58)
    laptop.keep(snapshot(moved, version=58))
    assert "fd7a:115c:a1e0::1" in (await laptop.checks())["address"]["what"]


@pytest.mark.usefixtures("published")
async def test_a_file_that_the_target_cannot_read(laptop: Laptop) -> None:
    """A directory in the place of the hosts file: its own words."""
    laptop.keep(snapshot())
    laptop.hosts.unlink()
    laptop.hosts.mkdir()
    checks = await laptop.checks()
    assert checks["target hosts"]["state"] == "fail"
    assert "it must be a file" in checks["target hosts"]["what"]
    assert checks["own lines"]["state"] == "skip"


async def test_a_damaged_memory_is_no_memory(laptop: Laptop) -> None:
    """The stored snapshot is half there: the targets cannot be judged, a sync brings a new one."""
    laptop.keep(snapshot())
    (laptop.state.directory / "accepted.json").write_bytes(b"{")
    check = (await laptop.checks())["targets"]
    assert (check["state"], check["next"]) == ("skip", "sudo routecast subscriber sync")
    assert "is damaged" in check["what"]


async def test_what_the_service_says(published: Snapshot, laptop: Laptop) -> None:
    """Another name, no NATS, stale, a failed answer, an answer that is none: whatever it says is judged."""
    failed = ack_of(NODE, published, state=State.FAILED).model_dump(mode="json", by_alias=True)
    said: dict[str, Any] = {"node": NODE, "connected": True, "stale": False, "last_ack": failed}

    async def say() -> Mapping[str, Any]:
        return said

    laptop.state.directory.mkdir()
    async with answering(laptop.state.socket, {"status": say}):
        checks = await laptop.checks()
        assert (checks["service"]["state"], checks["last answer"]["state"]) == ("ok", "fail")
        said["stale"] = True
        assert (await laptop.checks())["service"]["state"] == "warn"
        said["connected"] = False
        assert (await laptop.checks())["service"]["state"] == "fail"
        said["node"] = "old-name"
        assert "runs as old-name" in (await laptop.checks())["service"]["what"]
        said["error"] = "no"
        assert (await laptop.checks())["service"]["what"] == "the running subscriber could not say how it is: no"
        said.clear()
        assert "KeyError" in (await laptop.checks())["service"]["what"]


async def test_a_service_that_hangs_costs_its_limit(laptop: Laptop) -> None:
    """A socket on which nobody answers: failed within seconds, and nothing else waits for it."""

    async def hang() -> Mapping[str, Any]:
        await asyncio.Event().wait()
        return {}

    laptop.keep(snapshot())
    async with answering(laptop.state.socket, {"status": hang}):
        checks = await laptop.checks()
    assert "did not answer within 5 s" in checks["service"]["what"]
    assert checks["target hosts"]["state"] == "fail"


async def test_settings_that_others_could_change(laptop: Laptop) -> None:
    """Whoever writes them says whom this node believes; without a file the environment counts."""
    laptop.config.chmod(0o666)
    check = (await laptop.checks())["settings file"]
    assert (check["state"], check["next"]) == ("fail", f"sudo chmod o-w {laptop.config}")
    env = {"ROUTECAST_NATS_URL": laptop.url, "ROUTECAST_SUBSCRIBER_STATE_DIR": str(laptop.state.directory)}
    result = await asyncio.to_thread(run_routecast, "doctor", "node", "-o", "json", env=env)
    states = {check["check"]: check["state"] for check in orjson.loads(result.stdout)["checks"]}
    assert (states["settings"], states["settings file"]) == ("fail", "skip")


async def test_a_target_without_a_node_is_said(laptop: Laptop) -> None:
    """Routes are those of one node: without its name there is nothing to compare."""
    laptop.keep(snapshot())
    laptop.config.write_text(
        f'[subscriber]\nrole = "vps"\nstate_dir = "{laptop.state.directory}"\n[nats]\nurl = "{laptop.url}"\n'
    )
    assert "set [subscriber] node" in (await laptop.checks())["targets"]["what"]


AS_NOBODY = """
import os, sys
from click.testing import CliRunner
from cli.main import main
words = sys.argv[1:]
CliRunner().invoke(main, words)  # imports all: nobody may not read where this is installed
os.setgid(65534)
os.setuid(65534)
result = CliRunner().invoke(main, words)
print(result.stderr, file=sys.stderr)
print(result.stdout)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
@pytest.mark.parametrize("mode", [0o700, 0o755])
async def test_who_is_not_root_is_told_what_needs_root(server: NatsServer, mode: int) -> None:
    """What is root's, the seed included, is skipped with the command; want of rights is never called a fault of it."""
    with tempfile.TemporaryDirectory() as folder:
        private = Path(folder) / "private"
        private.mkdir(mode)
        (private / "signing.seed").touch(0o600)
        laptop = Laptop(Path(folder), server.url)
        laptop.keep(snapshot())
        laptop.write(f'[publisher]\nregistry_dir = "{folder}"\nsigning_seed_file = "{private}/signing.seed"')
        for path, bits in ((Path(folder), 0o755), (laptop.config, 0o644), (laptop.state.directory, 0o755)):
            path.chmod(bits)
        words = ("--config", str(laptop.config), "doctor", "-o", "json")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", AS_NOBODY, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        output, errors = await process.communicate()
        assert not errors.strip(), errors.decode()
    checks = {check["check"]: check for check in orjson.loads(output)["checks"]}
    for name in ("state directory", "targets"):
        assert (checks[name]["state"], checks[name]["next"]) == ("skip", "sudo routecast doctor node")
    assert (checks["signing seed"]["state"], checks["signing seed"]["next"]) == (
        "skip",
        "sudo routecast doctor control-plane",
    )
    assert f"write {folder}" in checks["rights"]["what"]
