"""`routecast doctor control-plane` on a real server and a real source: each check seen failing."""

import asyncio
import dataclasses
import shutil
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from common import subjects
from common.bus import Bus
from common.clock import now
from common.snapshot import Sealed
from common.status import DocumentStatus, SourceState
from publisher.pipeline.keeper import consumer_config
from tests.cli.bus_data import ack_of, answer, make_consumers, online, publish_raw, publish_registry, report
from tests.cli.conftest import run_routecast
from tests.fakes.kubernetes import FakeKubernetes
from tests.nats import NatsServer
from tests.publisher.source.worlds import fake_api
from tests.registries import REFERENCE
from tests.registry_folder import REFERENCE_FOLDER, RegistryFolder
from tests.subscriber.mounts import immutable
from tests.world import SEED

ALL = tuple(node.name for node in REFERENCE.nodes)
DOCUMENTS = ("cluster-info", "domain-registry", "service-registry", "sync-controller-registry")

Checks = Mapping[str, Mapping[str, Any]]


class ControlPlane:
    """A control plane's settings: NATS, a folder, a seed; or a cluster instead of the folder."""

    def __init__(self, folder: Path, url: str) -> None:
        self.registry = RegistryFolder(folder / "registry")
        self.seed = folder / "signing.seed"
        self.seed.write_text(SEED)
        self.seed.chmod(0o600)
        self.source = f'registry_dir = "{self.registry.folder}"'
        self._config = folder / "control-plane.toml"
        self._url = url

    async def checks(self, *words: str) -> Checks:
        """Run `routecast doctor control-plane` and return its checks by name."""
        self._config.write_text(
            f'[nats]\nurl = "{self._url}"\nconnect_timeout_s = 1\n'
            f'[publisher]\n{self.source}\nsigning_seed_file = "{self.seed}"\n'
        )
        line = ("--config", str(self._config), "doctor", "control-plane", "-o", "json", *words)
        result = await asyncio.to_thread(run_routecast, *line)
        assert not result.stderr
        return {check["check"]: check for check in orjson.loads(result.stdout)["checks"]}

    async def bad(self) -> dict[str, str]:
        """Return the checks that are not ok, with their states."""
        return {name: check["state"] for name, check in (await self.checks()).items() if check["state"] != "ok"}


@pytest.fixture
def control_plane(server: NatsServer, tmp_path: Path) -> ControlPlane:
    """Return the settings of one."""
    return ControlPlane(tmp_path, server.url)


@pytest.fixture
async def fleet(bus: Bus) -> AsyncIterator[Bus]:
    """Hold what a publisher and four nodes in order leave on the bus; the nodes wait for messages."""
    snapshot = await publish_registry(bus)
    await make_consumers(bus, *ALL)
    sources = {name: DocumentStatus(state=SourceState.READABLE) for name in DOCUMENTS}
    await report(bus, epoch=snapshot.epoch, version=snapshot.version, sources=sources)
    async with online(bus, *ALL):
        for node in ALL:
            await answer(bus, ack_of(node, snapshot))
        yield bus


async def test_all_is_well(fleet: Bus, control_plane: ControlPlane) -> None:
    """What the tests below break, one thing each."""
    assert fleet
    assert not await control_plane.bad()


async def test_an_empty_server(server: NatsServer, control_plane: ControlPlane) -> None:
    """Before any publisher: four streams are missing, nothing was published, the time is not told, nodes not known."""
    assert server
    assert await control_plane.bad() == {
        "clock": "skip",
        **{f"stream {name}": "fail" for name in (subjects.REGISTRY, subjects.HISTORY, subjects.ACKS, subjects.STATUS)},
        "publisher": "fail",
        "newest snapshot": "fail",
        "publisher's clock": "skip",
        "durables": "skip",
        "nodes": "skip",
    }


async def test_a_server_without_jetstream(tmp_path: Path) -> None:
    """It answers, and cannot keep anything: the next command starts one that can."""
    config = tmp_path / "nats.conf"
    config.write_text("accounts { A: { users: [ { user: a, password: a } ] } }\nno_auth_user: a\n")
    async with NatsServer(tmp_path / "nats", "-c", str(config)) as server:
        checks = await ControlPlane(tmp_path, server.url).checks()
    assert (checks["NATS"]["state"], checks["JetStream"]["state"]) == ("ok", "fail")
    assert checks["streams"]["what"] == "JetStream does not answer"


async def test_a_server_that_is_away_hides_nothing_else(
    bus: Bus, server: NatsServer, control_plane: ControlPlane
) -> None:
    """The registry and the seed are judged all the same."""
    await bus.close()
    await server.kill()
    checks = await control_plane.checks()
    assert (checks["NATS"]["state"], checks["NATS"]["next"]) == ("fail", f"nc -vz 127.0.0.1 {server.port}")
    assert {checks[name]["state"] for name in ("registry source", "problems", "signing seed")} == {"ok"}


async def test_a_server_that_lets_nobody_in(tmp_path: Path) -> None:
    """That is a matter of settings: the next command shows them."""
    config = tmp_path / "nats.conf"
    config.write_text("authorization { user: a, password: a }\n")
    async with NatsServer(tmp_path / "nats", "-c", str(config)) as server:
        checks = await ControlPlane(tmp_path, server.url).checks()
    assert (checks["NATS"]["state"], checks["NATS"]["next"]) == ("fail", "routecast config show")


async def test_streams_that_somebody_changed(fleet: Bus, control_plane: ControlPlane) -> None:
    """Each setting that differs is named with both values."""
    info = await fleet.js.stream_info(subjects.REGISTRY)
    await fleet.js.update_stream(info.config.evolve(max_msgs_per_subject=8, max_age=3600.0))
    checks = await control_plane.checks()
    assert checks["stream REGISTRY"]["state"] == "warn"
    assert "max_msgs_per_subject is 8 instead of 1" in checks["stream REGISTRY"]["what"]
    assert "max_age is 3600 instead of 0" in checks["stream REGISTRY"]["what"]


async def test_replicas_count_only_where_they_are_set(fleet: Bus, control_plane: ControlPlane) -> None:
    """An operator's machine need not know how many servers keep the streams; the publisher's does."""
    assert fleet
    control_plane.source += "\nreplicas = 3"
    checks = await control_plane.checks()
    assert checks["stream ACKS"]["what"] == "num_replicas is 1 instead of 3"


async def test_durables_that_are_not_as_they_should_be(fleet: Bus, control_plane: ControlPlane) -> None:
    """One is missing, one has other settings, one is of no node."""
    for node in ("contabo-vps", "vinay-laptop"):
        await fleet.js.delete_consumer(subjects.REGISTRY, subjects.durable(node))
    odd = dataclasses.replace(consumer_config("vinay-laptop"), max_deliver=2)
    await fleet.js.add_consumer(subjects.REGISTRY, odd)
    await make_consumers(fleet, "stranger")
    bad = await control_plane.bad()
    assert bad.items() >= {
        ("durables", "fail"),
        ("durable node-vinay-laptop", "fail"),
        ("spare durables", "warn"),
        ("node contabo-vps", "warn"),
    }
    assert "max_deliver is 2" in (await control_plane.checks())["durable node-vinay-laptop"]["what"]


async def test_more_durables_than_one_answer_holds(bus: Bus, control_plane: ControlPlane) -> None:
    """The server lists 256 at a time: none is overlooked, none is named twice."""
    await publish_registry(bus)
    await make_consumers(bus, *ALL, *(f"stranger-{i:03}" for i in range(256)))
    checks = await control_plane.checks()
    assert checks["durables"]["state"] == "ok"
    assert checks["spare durables"]["what"].endswith("and 251 more: no such node is registered")


async def test_a_newest_message_that_nobody_can_read(fleet: Bus, control_plane: ControlPlane) -> None:
    """It is said why; the nodes of the version before are judged."""
    await publish_raw(fleet, Sealed(b"\x00garbage", {}))
    checks = await control_plane.checks()
    assert checks["newest snapshot"]["state"] == "fail"
    assert "is not signed" in checks["newest snapshot"]["what"]
    assert "4 nodes" in checks["nodes"]["what"]


async def test_a_publisher_that_lags_or_waits(fleet: Bus, control_plane: ControlPlane) -> None:
    """Its own status says so; a wrong clock shows in what it dates."""
    snapshot = await publish_registry(fleet, version=58, published_at=now() + timedelta(minutes=10))
    checks = await control_plane.checks()
    assert (checks["publisher"]["state"], checks["publisher's clock"]["state"]) == ("warn", "fail")
    await report(fleet, epoch=snapshot.epoch, version=58, waiting_for="not readable yet: services")
    assert "publishes nothing: not readable yet" in (await control_plane.checks())["publisher"]["what"]


async def test_nodes_that_did_not_apply_it(fleet: Bus, control_plane: ControlPlane) -> None:
    """A new version that nobody answered for: each online node lags."""
    await publish_registry(fleet, version=58)
    bad = await control_plane.bad()
    assert bad.items() >= {(f"node {node}", "fail") for node in ALL}


async def test_a_folder_that_is_broken_in_places(fleet: Bus, control_plane: ControlPlane) -> None:
    """A document that is missing, one that is no YAML, an entry that is not valid: each where it belongs."""
    assert fleet
    folder = control_plane.registry
    folder.edit_services(lambda services: services["immich"].update(port=99999))
    assert (await control_plane.bad()) == {"problems": "fail"}
    folder.path("domain-registry").unlink()
    checks = await control_plane.checks()
    assert checks["document domain-registry"]["next"] == "routecast init --registry-only"
    folder.path("cluster-info").write_text("{broken")
    checks = await control_plane.checks()
    assert "cannot be read: cluster-info.yaml" in checks["document cluster-info"]["what"]
    assert checks["document service-registry"]["state"] == "ok"
    shutil.rmtree(folder.folder)
    checks = await control_plane.checks()
    assert (checks["registry source"]["state"], checks["registry source"]["next"]) == (
        "fail",
        f"ls -ld {folder.folder}",
    )
    assert checks["problems"]["state"] == "ok", "what the publisher reports counts then"


async def test_a_folder_that_may_not_be_written(fleet: Bus, control_plane: ControlPlane) -> None:
    """The publisher keeps its mark there; one that reads everything is another user's."""
    with immutable(control_plane.registry.folder):
        check = (await control_plane.checks())["rights"]
        assert (check["state"], f"write {control_plane.registry.folder}" in check["what"]) == ("warn", True)
        await fleet.js.purge_stream(subjects.STATUS)
        assert (await control_plane.checks())["rights"]["state"] == "fail"


async def test_a_seed_that_is_not_private_not_the_one_or_none(fleet: Bus, control_plane: ControlPlane) -> None:
    """Each comes with its command; where there is none at all the publisher has it elsewhere."""
    assert fleet
    control_plane.seed.chmod(0o644)
    assert (await control_plane.checks())["signing seed"]["next"] == f"sudo chmod 600 {control_plane.seed}"
    control_plane.seed.write_text("A" * 43 + "=")
    control_plane.seed.chmod(0o600)
    assert (await control_plane.bad()) == {"signing seed": "warn"}
    control_plane.seed.write_text("no seed")
    assert (await control_plane.bad()) == {"signing seed": "fail"}
    control_plane.seed.unlink()
    assert (await control_plane.bad()) == {"signing seed": "skip"}
    control_plane.seed = Path("/dev/null/seed")
    assert (await control_plane.bad()) == {"signing seed": "skip"}


@pytest.fixture
async def api() -> AsyncIterator[FakeKubernetes]:
    """Run an API server with the reference registry in it."""
    async with fake_api() as running:
        for name in DOCUMENTS:
            manifest = yaml.safe_load((REFERENCE_FOLDER / f"{name}.yaml").read_bytes())
            running.put_config_map(name, manifest["data"])
        yield running


async def test_a_cluster(fleet: Bus, api: FakeKubernetes, control_plane: ControlPlane, tmp_path: Path) -> None:
    """All rights, all documents; then one right is taken, one document is denied, and the server goes away."""
    assert fleet
    control_plane.source = f'kubeconfig = "{api.kubeconfig(tmp_path / "kubeconfig")}"'
    checks = await control_plane.checks()
    assert not {name: check for name, check in checks.items() if check["state"] != "ok"}
    api.deny("patch", "routecast-state")
    api.deny("list", "service-registry")
    checks = await control_plane.checks()
    assert checks["rights"]["state"] == "warn"
    assert "list service-registry" in checks["rights"]["what"]
    assert "patch routecast-state" in checks["rights"]["what"]
    assert "apply -f deploy/kubernetes/access.yaml" in checks["rights"]["next"]
    assert checks["document service-registry"]["state"] == "fail"
    await api.refuse()
    checks = await control_plane.checks()
    assert checks["registry source"]["state"] == "fail"
    assert checks["registry source"]["next"].startswith("kubectl get --raw /readyz --kubeconfig ")
    await api.accept()


async def test_a_cluster_that_does_not_know_us(
    fleet: Bus, api: FakeKubernetes, control_plane: ControlPlane, tmp_path: Path
) -> None:
    """Everything is denied, and the rights say why."""
    assert fleet
    control_plane.source = f'kubeconfig = "{api.kubeconfig(tmp_path / "kubeconfig")}"'
    api.faults.answer(401)
    checks = await control_plane.checks()
    assert (checks["rights"]["state"], checks["rights"]["next"]) == ("fail", "kubectl auth whoami")
    assert checks["document cluster-info"]["state"] == "fail"


async def test_a_kubeconfig_that_is_not_usable(fleet: Bus, control_plane: ControlPlane, tmp_path: Path) -> None:
    """It is named by a setting, so it fails; the publisher's own problems are told."""
    assert fleet
    control_plane.source = f'kubeconfig = "{tmp_path / "none"}"'
    checks = await control_plane.checks()
    assert (checks["registry source"]["state"], checks["registry source"]["next"]) == ("fail", "routecast config show")
    assert checks["problems"]["state"] == "ok"
