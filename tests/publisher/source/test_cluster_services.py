"""LoadBalancer Services of all namespaces: what counts of them, and following them through all that goes wrong."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from common.errors import AccessDenied, ConfigError, SourceUnavailable
from common.settings.publisher import PublisherSettings
from publisher.source.cluster import Timing
from publisher.source.cluster.services import Services, open_services, read_service
from publisher.source.cluster_service import ClusterService, ServicePort
from tests.fakes.kubernetes import FakeKubernetes
from tests.publisher.source.following import following
from tests.publisher.source.worlds import FAST, kill

IP, OTHER_IP = "100.67.243.10", "100.67.243.11"
CALM = Timing(watch_s=60, pause_max_s=0.2, denied_pause_s=0.1)


@pytest.fixture
def settings(api: FakeKubernetes, tmp_path: Path) -> PublisherSettings:
    """Point to the fake server."""
    return PublisherSettings(kubeconfig=api.kubeconfig(tmp_path / "kubeconfig"), relist_every_s=60)


@pytest.fixture(params=[FAST, CALM], ids=["short", "long"])
async def services(settings: PublisherSettings, request: pytest.FixtureRequest) -> AsyncIterator[Services]:
    """Run a test with watches that end all the time, and with watches that never do."""
    async with open_services(settings, request.param) as opened:
        yield opened


@pytest.fixture
async def fast(settings: PublisherSettings) -> AsyncIterator[Services]:
    """Open the Services with short watches."""
    async with open_services(settings, FAST) as opened:
        yield opened


def found(ingress: list[dict[str, Any]] | None = None, **spec: Any) -> dict[str, Any]:
    """Write a Service as the API returns it."""
    return {
        "metadata": {"name": "web", "namespace": "apps"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80, "protocol": "TCP"}], **spec},
        "status": {"loadBalancer": {} if ingress is None else {"ingress": ingress}},
    }


def the(made: ClusterService | None) -> ClusterService:
    """Expect a LoadBalancer Service."""
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("ingress", "addresses"),
    [
        (None, ()),
        ([], ()),
        ([{"hostname": "lb.example.net"}], ()),
        ([{"ip": ""}], ()),
        ([{"ip": IP, "ipMode": "VIP"}], (IP,)),
        ([{"hostname": "lb.example.net"}, {"ip": IP}], (IP,)),
        ([{"ip": "fd7a::1"}, {"ip": OTHER_IP}, {"ip": IP}], (OTHER_IP, IP, "fd7a::1")),
        ([{"ip": "fd7a::2"}, {"ip": "fd7a::1"}], ("fd7a::2", "fd7a::1")),
    ],
)
def test_the_address_is_that_of_the_load_balancer(
    ingress: list[dict[str, Any]] | None, addresses: tuple[str, ...]
) -> None:
    """IPv4 before IPv6, otherwise as listed; a host name is no address, and pending is none."""
    made = the(read_service(found(ingress)))
    assert made.ip == (addresses[0] if addresses else None)
    assert made.other_ips == addresses[1:]


def test_only_what_counts_of_a_service_is_read() -> None:
    """TCP ports, with their names, and annotations that can be ours: a rollout of a chart is no change."""
    ports = [{"name": "http", "port": 80}, {"name": "h3", "port": 443, "protocol": "UDP"}, {"port": 9000}]
    service = found(ports=ports)
    ours = {"home.example.net/subdomain": "x", "home.example.net/port": "80"}
    service["metadata"]["annotations"] = ours | {"kubectl.kubernetes.io/last-applied-configuration": "{…}"}
    made = the(read_service(service))
    assert made.ports == (ServicePort("http", 80), ServicePort("", 9000))
    assert made.annotations == ours
    assert made.key == ("apps", "web")


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort", "ExternalName", None])
def test_a_service_of_another_type_is_none(kind: str | None) -> None:
    """Nothing outside the cluster reaches it by an address of its own."""
    assert read_service(found([{"ip": IP}], type=kind)) is None
    assert read_service({"metadata": {"name": "web", "namespace": "apps"}}) is None
    assert the(read_service({"metadata": found()["metadata"], "spec": {"type": "LoadBalancer"}})).ports == ()


@pytest.mark.parametrize(("text", "kept_out"), [("false", True), (" False", True), ("true", False), ("", False)])
def test_a_person_can_keep_a_service_out(text: str, *, kept_out: bool) -> None:
    """The annotation ZONE/discover: "false" is a person's word that this is no app."""
    service = found([{"ip": IP}])
    service["metadata"]["annotations"] = {"mycloud.local/discover": text}
    assert (read_service(service) is None) is kept_out


async def test_services_of_all_namespaces_are_listed(api: FakeKubernetes, fast: Services) -> None:
    """By namespace and name, those of other types left out; one request, for all of them."""
    asked = {"mynodeone.io/subdomain": "x"}
    api.put_service("web", "b", ip=IP, ports=[{"name": "http", "port": 80}], annotations=asked)
    api.put_service("web", "a")
    api.put_service("inner", "a", type="ClusterIP")
    assert await fast.list_services() == [
        ClusterService("web", "a", None, (ServicePort("", 80),), {}),
        ClusterService("web", "b", IP, (ServicePort("http", 80),), asked),
    ]
    assert [(request.verb, request.path) for request in api.requests] == [("list", "/api/v1/services")]


async def test_the_whole_set_is_told_at_first_and_after_each_change(api: FakeKubernetes, services: Services) -> None:
    """Made, given an address, changed, turned into another type, deleted."""
    async with following(services) as follow:
        assert await follow.names() == ()
        api.put_service("web", "apps")
        assert (await follow.names("web"))[0].ip is None
        api.put_service("web", "apps", ip=IP)
        await follow.until(lambda current: current[0].ip == IP)
        api.put_service("web", "apps", ip=IP, ports=[8080], annotations={"mycloud.local/subdomain": "x"})
        changed = await follow.until(lambda current: current[0].ports == (ServicePort("", 8080),))
        assert changed[0].annotations == {"mycloud.local/subdomain": "x"}
        api.put_service("web", "admin", ip=OTHER_IP)
        assert [each.namespace for each in await follow.names("web", "web")] == ["admin", "apps"]
        api.put_service("web", "apps", type="ClusterIP")
        assert [each.namespace for each in await follow.names("web")] == ["admin"]
        api.delete_service("web", "apps")
        api.delete_service("web", "admin")
        assert await follow.names() == ()


async def test_what_changes_nothing_that_counts_is_not_told(api: FakeKubernetes, services: Services) -> None:
    """Nor what is listed again, nor Services of other types."""
    api.put_service("web", "apps", ip=IP)
    api.faults.expire_watches(3)
    async with following(services) as follow:
        await follow.names("web")
        await api.until(lambda: sum(request.verb == "list" for request in api.requests) >= 3)
        api.put_service("web", "apps", ip=IP, annotations={"meta.helm.sh/release-name": "web"})
        api.put_service("inner", "apps", type="ClusterIP")
        api.delete_service("inner", "apps")
        api.put_service("zoo", "apps", ip=IP)
        await follow.names("web", "zoo")
        assert len(follow.sets) == 2


async def test_a_burst_is_joined_and_its_end_is_told(api: FakeKubernetes, services: Services) -> None:
    """Never more sets than changes, and the last one is what there is."""
    async with following(services) as follow:
        await follow.names()
        await api.until(lambda: api.open_watches == 1)
        for number in range(50):
            api.put_service(f"web-{number:02}", "apps", ip=IP)
        await follow.until(lambda current: len(current) == 50)
        assert len(follow.sets) <= 51
        assert list(follow.sets[-1]) == await services.list_services()


async def test_the_watch_starts_where_the_list_ended(api: FakeKubernetes, services: Services) -> None:
    """Under limits on both sides, with bookmarks; nothing of it outlives the one who follows."""
    async with following(services) as follow:
        await follow.names()
        await api.until(lambda: api.open_watches == 1)
    await api.until(lambda: api.open_watches == 0)
    watched = [request.query for request in api.requests if request.verb == "watch"]
    assert watched
    for query in watched:
        assert int(query["timeoutSeconds"]) < 300
        assert query["resourceVersion"] not in {"", "0"}
        assert query["allowWatchBookmarks"].lower() == "true"


@pytest.mark.parametrize("times", [1, 5])
async def test_an_expired_watch_is_listed_again(api: FakeKubernetes, services: Services, times: int) -> None:
    """410: the history from there on is gone."""
    api.faults.expire_watches(times)
    async with following(services) as follow:
        await follow.names()
        api.put_service("web", "apps")
        await follow.names("web")


async def test_what_was_deleted_while_the_server_was_away_is_gone(api: FakeKubernetes, fast: Services) -> None:
    """Though no event tells of it: a list is the whole truth. Nothing is told while the server is away."""
    api.put_service("old", "apps")
    async with following(fast) as follow:
        await follow.names("old")
        await api.until(lambda: api.open_watches == 1)
        await kill(api)
        api.delete_service("old", "apps")
        api.put_service("new", "apps")
        api.compact()
        await api.accept()
        await follow.names("new")
        assert len(follow.sets) == 2


async def test_a_watch_that_is_cut_is_taken_up_again(api: FakeKubernetes, services: Services) -> None:
    """Without losing what happened in between."""
    async with following(services) as follow:
        await follow.names()
        await api.until(lambda: api.open_watches == 1)
        assert api.faults.cut_watches() == 1
        api.put_service("web", "apps")
        await follow.names("web")


async def test_half_an_event_is_none(api: FakeKubernetes, services: Services) -> None:
    """Nor is half a list: it would make Services vanish."""
    api.put_service("old", "apps")
    async with following(services) as follow:
        await follow.names("old")
        await api.until(lambda: api.open_watches == 1)
        api.faults.halve_bodies()
        api.put_service("web", "apps")
        with pytest.raises(SourceUnavailable, match="does not answer list services"):
            await services.list_services()
        api.faults.heal()
        await follow.names("old", "web")
        assert len(follow.sets) == 2


async def test_a_watch_that_went_silent_is_noticed(api: FakeKubernetes, fast: Services) -> None:
    """Connected, and never a word: a little after its time the client ends it and lists."""
    async with following(fast) as follow:
        await follow.names()
        await api.until(lambda: api.open_watches == 1)
        api.faults.silence_watches()
        api.put_service("web", "apps")
        await follow.names("web")


async def test_services_are_listed_now_and_then_in_any_case(api: FakeKubernetes, settings: PublisherSettings) -> None:
    """The net below the watch."""
    often = settings.model_copy(update={"relist_every_s": 0.05})
    async with open_services(often, FAST) as services, following(services):
        await api.until(lambda: sum(request.verb == "list" for request in api.requests) >= 3, limit_s=15)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_in_trouble_is_tried_again(
    api: FakeKubernetes, services: Services, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """And what it said is logged once, not with every try."""
    api.put_service("web", "apps")
    api.faults.answer(status, verb="list", times=3)
    async with following(services) as follow:
        await follow.names("web")
    said = [record for record in caplog.records if "waiting for the API server" in record.getMessage()]
    assert [record.levelname for record in said] == ["WARNING", "DEBUG", "DEBUG"]
    assert f"answers {status}" in said[0].getMessage()


async def test_a_server_that_is_too_slow_is_lost(api: FakeKubernetes, settings: PublisherSettings) -> None:
    """No request hangs."""
    api.faults.slow_down(60)
    async with open_services(settings, Timing(request_s=0.3, pause_max_s=0.2)) as services:
        with pytest.raises(SourceUnavailable, match="does not answer list services"):
            await services.list_services()


async def test_missing_rights_say_how_to_grant_them_and_are_tried_again(
    api: FakeKubernetes, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    """A Role of the registry's namespace is not enough; as soon as the ClusterRole is there, it goes on."""
    api.put_service("web", "apps")
    api.grant("list", "watch", resource="services", namespace="kube-system")
    with pytest.raises(AccessDenied) as denied:
        await services.list_services()
    assert "this user may not list the services of all namespaces; check with `kubectl --kubeconfig " in str(
        denied.value
    )
    assert "auth can-i list services --all-namespaces`" in str(denied.value)
    assert str(denied.value).endswith("apply -f deploy/kubernetes/components/discover/access.yaml`")
    async with following(services) as follow:
        await api.until(lambda: sum(request.verb == "list" for request in api.requests) >= 3)
        assert follow.sets == [], "what may not be read is not empty"
        api.grant("list", "watch", resource="services")
        await follow.names("web")
    (warning, *_) = [record.getMessage() for record in caplog.records if "resource denied" in record.getMessage()]
    assert "components/discover/access.yaml" in warning


async def test_rights_that_are_taken_away_leave_what_is_known(api: FakeKubernetes, fast: Services) -> None:
    """Nothing vanishes because it cannot be seen."""
    api.put_service("web", "apps")
    async with following(fast) as follow:
        await follow.names("web")
        await api.until(lambda: api.open_watches == 1)
        api.deny("list", resource="services")
        api.deny("watch", resource="services")
        api.faults.cut_watches()
        api.requests.clear()
        await api.until(lambda: sum(request.verb == "list" for request in api.requests) >= 2)
        api.put_service("zoo", "apps")
        api.allow_all()
        await follow.names("web", "zoo")
        assert len(follow.sets) == 2


async def test_services_that_may_be_listed_but_not_watched_are_still_followed(
    api: FakeKubernetes, services: Services
) -> None:
    """Slower, by listing them again and again."""
    api.deny("watch", resource="services")
    async with following(services) as follow:
        await follow.names()
        api.put_service("web", "apps")
        await follow.names("web")


async def test_a_kubeconfig_that_is_not_usable_is_said_at_once(tmp_path: Path) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigError, match="is not usable"):
        async with open_services(PublisherSettings(kubeconfig=tmp_path / "none")):
            pass
