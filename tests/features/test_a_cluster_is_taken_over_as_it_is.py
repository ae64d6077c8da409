from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest
import yaml

from tests.fakes.kubernetes import FakeKubernetes
from tests.registry_folder import REFERENCE_FOLDER
from tests.world import World, until

DOCUMENTS = ("cluster-info", "service-registry", "domain-registry", "sync-controller-registry")


def _data(name: str) -> dict[str, str]:
    data: dict[str, str] = yaml.safe_load((REFERENCE_FOLDER / f"{name}.yaml").read_bytes())["data"]
    return data


@pytest.fixture
async def api() -> AsyncIterator[FakeKubernetes]:
    """Run an API server that holds the reference registry."""
    async with FakeKubernetes() as server:
        for name in DOCUMENTS:
            server.put_config_map(name, _data(name))
        yield server


def _changed(name: str) -> dict[str, str]:
    """Return another form of a ConfigMap."""
    data = _data(name)
    match name:
        case "cluster-info":
            return {**data, "cluster-domain": "othercloud"}
        case "service-registry":
            services = orjson.loads(data["services.json"])
            return {"services.json": orjson.dumps({**services, "jellyfin": services["grafana"]}).decode()}
        case "domain-registry":
            return {**data, "routing.json": "{}"}
        case _:
            nodes = orjson.loads(data["registry.json"])
            nodes["management_laptops"].append({"ip": "100.88.150.20", "name": "new-laptop"})
            return {"registry.json": orjson.dumps(nodes).decode()}


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_change_in_the_cluster_reaches_every_node(
    world: World, api: FakeKubernetes, tmp_path: Path, name: str
) -> None:
    """Whichever ConfigMap an operator edits, all nodes run it; the snapshot says who edited it."""
    cluster = {"registry_dir": None, "kubeconfig": api.kubeconfig(tmp_path / "kubeconfig")}
    async with world.publisher(**cluster), world.nodes():
        before = await world.synced()
        api.put_config_map(name, _changed(name), manager="kubectl-edit")
        after = await world.published(above=before.order)
        await world.synced()
    assert after.version == before.version + 1
    assert after.sources[name].changed_by == "kubectl-edit"


async def test_the_mark_is_kept_in_the_cluster(world: World, api: FakeKubernetes, tmp_path: Path) -> None:
    """The publisher keeps what it published last in `routecast-state`, and touches no other ConfigMap."""
    cluster = {"registry_dir": None, "kubeconfig": api.kubeconfig(tmp_path / "kubeconfig")}
    async with world.publisher(**cluster):
        newest = await world.published()
        await until(lambda: api.config_map("routecast-state"), "the state")
    state = orjson.loads((api.config_map("routecast-state") or {})["state.json"])
    assert (state["mark"]["epoch"], state["mark"]["version"]) == (newest.epoch, newest.version)
    assert {name: api.config_map(name) for name in DOCUMENTS} == {name: _data(name) for name in DOCUMENTS}


async def test_a_lost_api_server_takes_nothing_away(world: World, api: FakeKubernetes, tmp_path: Path) -> None:
    """While the API server is away nothing changes; what was edited meanwhile arrives when it is back."""
    cluster = {"registry_dir": None, "kubeconfig": api.kubeconfig(tmp_path / "kubeconfig")}
    async with world.publisher(**cluster) as publisher, world.nodes("vinay-laptop"):
        before = await world.synced("vinay-laptop")
        await api.refuse()
        await until(
            lambda: all(s.state.value == "lost" for s in publisher.report.status().sources.values()), "all lost"
        )
        assert await world.order() == before.order
        api.put_config_map("cluster-info", _changed("cluster-info"))
        await api.accept()
        after = await world.published(above=before.order)
        await world.synced("vinay-laptop")
    assert after.registry.cluster.domain == "othercloud"
