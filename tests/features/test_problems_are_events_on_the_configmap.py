import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.fakes.kubernetes import FakeKubernetes
from tests.world import World, until

DOCUMENTS = ("cluster-info", "service-registry", "domain-registry", "sync-controller-registry")
SERVICES, ROUTING = ("service-registry", "services.json"), ("domain-registry", "routing.json")

Told = list[tuple[str, str, str]]


class Cluster:
    """An API server with the reference registry, and what its Events say."""

    def __init__(self, api: FakeKubernetes, folder: Path) -> None:
        self.api = api
        self.kubeconfig = api.kubeconfig(folder / "kubeconfig")

    def edit(self, where: tuple[str, str], change: Callable[[Any], Any]) -> None:
        """Change the JSON value of a key, as `kubectl edit` would."""
        name, key = where
        data = self.api.config_map(name) or {}
        value = orjson.loads(data[key])
        change(value)
        self.api.put_config_map(name, {**data, key: orjson.dumps(value).decode()})

    def set_port(self, port: Any) -> None:
        """Give immich a port."""
        self.edit(SERVICES, lambda services: services["immich"].update(port=port))

    def told(self, name: str) -> Told:
        """Return type, reason and text of the Events on a ConfigMap as it is now, the way `kubectl describe` asks."""
        about = {"kind": "ConfigMap", "namespace": "kube-system", "name": name}
        about["uid"] = self.api.document(name)["metadata"]["uid"]
        return [
            (event["type"], event["reason"], event["message"])
            for event in sorted(self.api.events("kube-system"), key=lambda event: event["lastTimestamp"])
            if about.items() <= event["involvedObject"].items()
        ]

    async def tells(self, name: str, *reasons: str) -> Told:
        """Wait until the Events on a ConfigMap have these reasons, the newest last."""
        found: Told = await until(
            lambda: (told := self.told(name)) and [reason for _, reason, _ in told] == [*reasons] and told,
            f"{name} tells {reasons}, not {self.told(name)}",
        )
        return found


@pytest.fixture
async def cluster(world: World, tmp_path: Path) -> AsyncIterator[Cluster]:
    """Run an API server that holds the reference registry, in which nothing is wrong."""
    async with FakeKubernetes() as api:
        for name in DOCUMENTS:
            api.put_config_map(name, world.registry.data(name))
        yield Cluster(api, tmp_path)


async def test_a_bad_entry_is_a_warning_on_its_configmap_until_it_is_mended(world: World, cluster: Cluster) -> None:
    """One event with entry, reason and command; the same problem again makes no second one; a Normal one ends it."""
    async with world.publisher(registry_dir=None, kubeconfig=cluster.kubeconfig):
        before = await world.published()
        cluster.set_port(0)
        [(kind, _, text)] = await cluster.tells("service-registry", "RegistryError")
        assert kind == "Warning"
        assert "'immich': port must be a number" in text
        assert "; mend: " in text

        cluster.edit(SERVICES, lambda services: services["grafana"].update(port=8080))
        await world.published(above=before.order)
        cluster.set_port(80)
        closed = await cluster.tells("service-registry", "RegistryError", "RegistryMended")
        assert closed[1][:2] == ("Normal", "RegistryMended")
        assert closed[1][2].startswith("mended: services.json 'immich': port must be a number")
        assert len(cluster.api.events()) == 2, "nothing on the other ConfigMaps"


async def test_a_restart_and_a_second_publisher_write_no_second_event(world: World, cluster: Cluster) -> None:
    """And what was mended while none ran is closed by the next one."""
    where = {"registry_dir": None, "kubeconfig": cluster.kubeconfig}
    async with world.publisher(**where), world.publisher(**where):
        await world.published()
        cluster.set_port(0)
        await cluster.tells("service-registry", "RegistryError")
    cluster.edit(ROUTING, lambda routing: routing["immich"].update(domains=["example.org"]))
    async with world.publisher(**where):
        await cluster.tells("domain-registry", "RegistryWarning")
        assert len(cluster.told("service-registry")) == 1
        assert all(event["count"] == 1 for event in cluster.api.events())
    cluster.set_port(80)
    async with world.publisher(**where):
        await cluster.tells("service-registry", "RegistryError", "RegistryMended")
        assert len(cluster.told("domain-registry")) == 1


async def test_without_the_right_it_is_said_once_and_publishing_goes_on(
    world: World, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    """At start, with the command that grants it."""
    cluster.api.deny("create", resource="events")
    async with world.publisher(registry_dir=None, kubeconfig=cluster.kubeconfig):
        before = await world.published()
        cluster.edit(SERVICES, lambda services: services["grafana"].update(port=0))
        cluster.set_port(8080)
        after = await world.published(above=before.order)
        assert after.registry.services["immich"].port == 8080
        refused = ("create", "/api/v1/namespaces/kube-system/events")
        await cluster.api.until(lambda: refused in [(each.verb, each.path) for each in cluster.api.requests])
    said = [each.getMessage() for each in caplog.records if each.levelname != "DEBUG"]
    [line] = [line for line in said if "not told as Events" in line or "Events in kube-system" in line]
    assert "create events" in line
    assert "apply -f deploy/kubernetes/components/events/access.yaml" in line


async def test_an_edit_is_judged_while_nats_is_away(world: World, cluster: Cluster) -> None:
    """Nothing can be published then, but what is wrong is told within seconds all the same."""
    async with world.publisher(registry_dir=None, kubeconfig=cluster.kubeconfig):
        await world.published()
        await world.server.stop()
        cluster.set_port(0)
        [(_, _, text)] = await cluster.tells("service-registry", "RegistryError")
        assert "the previous form is kept" in text


async def test_slow_events_do_not_delay_a_publish(world: World, cluster: Cluster) -> None:
    """They are written beside the rounds: an edit is published while the Events of the one before still wait."""
    async with world.publisher(registry_dir=None, kubeconfig=cluster.kubeconfig):
        before = await world.published()
        cluster.api.faults.answer(503, verb="create")
        cluster.edit(SERVICES, lambda services: services["immich"].update(port=0, subdomain="pictures"))
        cluster.edit(SERVICES, lambda services: services["grafana"].update(subdomain="graphs"))
        after = await world.published(above=before.order)
        assert after.registry.services["grafana"].subdomain == "graphs"
        assert not cluster.told("service-registry")
        cluster.api.faults.heal()
        await cluster.tells("service-registry", "RegistryError")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed: what it prints is not looked at")
async def test_kubectl_describe_tells_them(world: World, cluster: Cluster) -> None:
    """What an operator types, and reads."""
    async with world.publisher(registry_dir=None, kubeconfig=cluster.kubeconfig):
        await world.published()
        cluster.set_port(0)
        await cluster.tells("service-registry", "RegistryError")
        cluster.set_port(80)
        await cluster.tells("service-registry", "RegistryError", "RegistryMended")
    printed = await _kubectl(cluster, "-n", "kube-system", "describe", "configmap", "service-registry")
    events = [line.split() for line in printed.partition("Events:")[2].splitlines() if "routecast-publisher" in line]
    assert [line[:2] for line in events] == [["Warning", "RegistryError"], ["Normal", "RegistryMended"]]
    assert "services.json 'immich': port must be a number" in printed
    assert "Events:  <none>" in await _kubectl(cluster, "-n", "kube-system", "describe", "configmap", "cluster-info")


async def _kubectl(cluster: Cluster, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "kubectl",
        f"--kubeconfig={cluster.kubeconfig}",
        f"--cache-dir={cluster.kubeconfig.with_name('cache')}",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        printed, error = await process.communicate()
    assert process.returncode == 0, error.decode()
    return printed.decode()
