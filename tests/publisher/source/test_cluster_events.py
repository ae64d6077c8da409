"""Events on the ConfigMaps, written as the API server takes them and as `kubectl describe` finds them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio import client

from common.clock import now
from common.errors import AccessDenied, SourceUnavailable
from common.problems import Problem, Severity
from common.settings.publisher import PublisherSettings
from publisher.events import Event, Reason
from publisher.source.cluster import Timing, open_cluster
from publisher.source.cluster.access import NEEDED_FOR_EVENTS
from publisher.source.cluster.events import COMPONENT, new_event, read_event
from publisher.source.cluster.telling import TellingSource
from publisher.source.document import SERVICE_REGISTRY
from publisher.source.source import Conflict
from tests.fakes.cluster import connect
from tests.fakes.kubernetes import FakeKubernetes
from tests.publisher.source.worlds import FAST, kill

PROBLEM = Problem(
    severity=Severity.ERROR,
    document="service-registry/services.json",
    entry="immich",
    message="port is missing",
    mend="kubectl edit",
)


@pytest.fixture
async def source(settings: PublisherSettings) -> AsyncIterator[TellingSource]:
    """Open the source."""
    async with open_cluster(settings, FAST) as opened:
        yield opened


@pytest.fixture
async def v1(api: FakeKubernetes, tmp_path: Path) -> AsyncIterator[Any]:
    """Be somebody else in the cluster."""
    async with await connect(api.kubeconfig(tmp_path / "theirs")) as connected:
        yield client.CoreV1Api(connected)


def _reasons(api: FakeKubernetes) -> list[tuple[str, int]]:
    return sorted((event["reason"], event["count"]) for event in api.events("kube-system"))


def _changes(api: FakeKubernetes) -> list[str]:
    """Return what was written, verb by verb."""
    return [verb for verb, path, _ in api.requests if "/events" in path and verb != "list"]


async def test_an_event_is_found_from_its_configmap(api: FakeKubernetes, source: TellingSource) -> None:
    """By kind, namespace, name and uid; with first and last time, count, source and the part that is meant."""
    await source.tell([PROBLEM])
    [event] = api.events()
    assert event["metadata"]["name"].startswith("service-registry.")
    assert event["involvedObject"] == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "namespace": "kube-system",
        "name": "service-registry",
        "uid": api.document(SERVICE_REGISTRY)["metadata"]["uid"],
        "fieldPath": "data{services.json}",
    }
    assert (event["type"], event["reason"], event["count"]) == ("Warning", "RegistryError", 1)
    assert event["message"] == "services.json 'immich': port is missing; mend: kubectl edit"
    assert event["source"] == {"component": COMPONENT}
    assert event["firstTimestamp"] == event["lastTimestamp"]
    assert abs(datetime.fromisoformat(event["lastTimestamp"]) - datetime.now(UTC)) < timedelta(seconds=10)


async def test_what_is_told_already_is_not_written_again(
    api: FakeKubernetes, source: TellingSource, settings: PublisherSettings
) -> None:
    """By the same publisher, by one that was started anew, and by another one."""
    await source.tell([PROBLEM])
    async with open_cluster(settings, FAST) as another:
        await another.tell([PROBLEM])
    await source.tell([PROBLEM])
    assert _changes(api) == ["create"]


async def test_a_publisher_that_did_not_see_the_problem_closes_it(
    api: FakeKubernetes, source: TellingSource, settings: PublisherSettings
) -> None:
    """What was mended while no publisher ran is said by the next one; the same again is counted up in place."""
    await source.tell([PROBLEM])
    async with open_cluster(settings, FAST) as another:
        await another.tell([])
    assert _reasons(api) == [("RegistryError", 1), ("RegistryMended", 1)]
    await source.tell([PROBLEM])
    await source.tell([])
    assert _reasons(api) == [("RegistryError", 2), ("RegistryMended", 2)]


async def test_an_old_event_is_kept_from_being_forgotten(api: FakeKubernetes, source: TellingSource, v1: Any) -> None:
    """Half an hour after its last write it is counted up; of its first time nothing changes."""
    await source.tell([PROBLEM])
    [young] = api.events()
    old = {"firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": _ago(minutes=31)}
    await v1.patch_namespaced_event(young["metadata"]["name"], "kube-system", old)
    await source.tell([PROBLEM])
    [event] = api.events()
    assert (event["firstTimestamp"], event["count"]) == ("2026-01-01T00:00:00Z", 2)
    assert event["lastTimestamp"] > _ago(minutes=1)


async def test_an_event_moves_to_the_configmap_that_was_made_anew(api: FakeKubernetes, source: TellingSource) -> None:
    """Deleted and made again it has another uid; while it is away the Event stands without one."""
    api.delete_config_map(SERVICE_REGISTRY)
    await source.tell([PROBLEM])
    assert "uid" not in api.events()[0]["involvedObject"]
    api.put_config_map(SERVICE_REGISTRY, {})
    await source.tell([PROBLEM])
    [event] = api.events()
    assert event["involvedObject"]["uid"] == api.document(SERVICE_REGISTRY)["metadata"]["uid"]
    assert event["count"] == 1


async def test_a_configmap_that_may_not_be_read_has_events_all_the_same(
    api: FakeKubernetes, source: TellingSource
) -> None:
    """That it may not be read is the problem, and is told."""
    api.deny("get", SERVICE_REGISTRY)
    await source.tell([PROBLEM])
    assert _reasons(api) == [("RegistryError", 1)]


async def test_others_events_are_left_alone(api: FakeKubernetes, source: TellingSource, v1: Any) -> None:
    """Those of others, and what somebody writes under our name, are not read as ours and not written to."""
    for name, component, message in (("a.1", "kubelet", "x"), ("a.2", COMPONENT, None)):
        about = client.V1ObjectReference(kind="ConfigMap", name="service-registry", namespace="kube-system")
        event = client.CoreV1Event(
            metadata=client.V1ObjectMeta(name=name),
            involved_object=about,
            source=client.V1EventSource(component=component),
            reason="RegistryError",
            type="Warning",
            message=message,
        )
        await v1.create_namespaced_event("kube-system", event)
    api.requests.clear()
    await source.tell([])
    assert _changes(api) == []


async def test_two_publishers_at_once_make_one_event(
    api: FakeKubernetes, source: TellingSource, settings: PublisherSettings
) -> None:
    """The names follow from the problems: who comes second is told so, plans again, and has nothing to do."""
    api.faults.slow_down(0.05)
    async with open_cluster(settings, FAST) as another:
        results = await asyncio.gather(source.tell([PROBLEM]), another.tell([PROBLEM]), return_exceptions=True)
        assert all(isinstance(each, bool | Conflict) for each in results)
        await another.tell([PROBLEM])
    assert _reasons(api) == [("RegistryError", 1)]


async def test_a_newer_event_is_not_written_over(api: FakeKubernetes, source: TellingSource, v1: Any) -> None:
    """A patch holds for the Event that was read: here another publisher counts it up after the list."""
    await source.tell([PROBLEM])
    name = api.events()[0]["metadata"]["name"]
    await v1.patch_namespaced_event(name, "kube-system", {"lastTimestamp": _ago(minutes=31)})
    api.faults.slow_down(0.2)  # each answer: the other's patch comes while the uid is read
    api.requests.clear()
    telling = asyncio.create_task(source.tell([PROBLEM]))
    await api.until(lambda: any(request.verb == "get" for request in api.requests))
    await v1.patch_namespaced_event(name, "kube-system", {"count": 7})
    with pytest.raises(Conflict):
        await telling
    assert _reasons(api) == [("RegistryError", 7)]


@pytest.mark.parametrize("status", [404, 409])
async def test_a_write_over_what_others_wrote_is_planned_again(
    api: FakeKubernetes, source: TellingSource, status: int
) -> None:
    """Also over what the cluster forgot in between; the other Events are written all the same."""
    await source.tell([PROBLEM])
    api.delete_config_map(SERVICE_REGISTRY)
    api.put_config_map(SERVICE_REGISTRY, {})  # another uid: the Event is to be patched
    api.faults.answer(status, verb="patch")
    with pytest.raises(Conflict):
        await source.tell([PROBLEM, PROBLEM.model_copy(update={"entry": "grafana"})])
    assert len(api.events()) == 2


async def test_one_event_that_is_refused_does_not_stop_the_others(
    api: FakeKubernetes, source: TellingSource, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged with what the server said."""
    api.faults.answer(422, verb="create", times=1)
    await source.tell([PROBLEM, PROBLEM.model_copy(update={"entry": "grafana"})])
    assert len(api.events()) == 1
    assert "a problem is not told as an Event" in caplog.text
    assert "422" in caplog.text


@pytest.mark.parametrize("verb", NEEDED_FOR_EVENTS)
async def test_a_missing_right_says_how_to_grant_it(
    api: FakeKubernetes, source: TellingSource, verb: str, caplog: pytest.LogCaptureFixture
) -> None:
    """When it is asked for at start, in one line; and in the error of each try."""
    await source.tell([PROBLEM])
    assert await source.may_tell()
    api.deny(verb, resource="events")
    assert not await source.may_tell()
    [line] = [record.getMessage() for record in caplog.records if "rights are missing" in record.getMessage()]
    assert f"{verb} events" in line
    assert "apply -f deploy/kubernetes/components/events/access.yaml" in line
    api.delete_config_map(SERVICE_REGISTRY)
    api.put_config_map(SERVICE_REGISTRY, {})
    with pytest.raises(AccessDenied, match=r"components/events/access\.yaml"):
        await source.tell([PROBLEM, PROBLEM.model_copy(update={"entry": "grafana"})])


async def test_no_right_is_needed_but_those_that_are_asked_for(api: FakeKubernetes, source: TellingSource) -> None:
    """Create, list and patch, and nothing besides: also for an Event that is counted up."""
    api.grant(*NEEDED_FOR_EVENTS, resource="events")
    for problems in ([PROBLEM], [], [PROBLEM]):
        await source.tell(problems)
    assert {verb for verb, path, _ in api.requests if "/events" in path} == set(NEEDED_FOR_EVENTS)


@pytest.mark.parametrize("status", [401, 500, 429])
async def test_a_server_that_refuses_is_no_fault_of_ours(
    api: FakeKubernetes, source: TellingSource, status: int
) -> None:
    """An unknown user is denied; a server in trouble is tried again."""
    api.faults.answer(status)
    with pytest.raises(AccessDenied if status == 401 else SourceUnavailable):
        await source.tell([PROBLEM])


async def test_an_unknown_user_may_not_tell(api: FakeKubernetes, source: TellingSource) -> None:
    """That it is unknown is said by the check of the other rights."""
    api.faults.answer(503, times=2)
    api.faults.answer(401)
    assert not await source.may_tell()


async def test_half_an_answer_is_none(api: FakeKubernetes, source: TellingSource) -> None:
    """Of a list that was cut nothing is concluded, above all not that nothing was told yet."""
    api.faults.halve_bodies()
    with pytest.raises(SourceUnavailable):
        await source.tell([PROBLEM])
    assert api.events() == []


async def test_no_request_waits_for_ever(api: FakeKubernetes, settings: PublisherSettings) -> None:
    """A server that does not answer is given up, and so is one that is gone."""
    api.faults.slow_down(60)
    async with open_cluster(settings, Timing(request_s=0.2)) as hasty:
        with pytest.raises(SourceUnavailable, match="does not answer list Events"):
            await hasty.tell([PROBLEM])
        await kill(api)
        with pytest.raises(SourceUnavailable, match="does not answer list Events"):
            await hasty.tell([PROBLEM])


def test_an_event_is_read_as_it_was_written() -> None:
    """With a key and without, with a uid and without."""
    at = now().replace(microsecond=0)
    for document, uid in (("service-registry/services.json", "u"), ("cluster-info", None)):
        event = Event("x.1", document, Reason.WARNING, "text", uid, at, at, 3, "7")
        found = new_event(event, "kube-system")
        found["metadata"]["resourceVersion"] = "7"
        assert read_event(found) == event


def _ago(**since: float) -> str:
    return (datetime.now(UTC) - timedelta(**since)).strftime("%Y-%m-%dT%H:%M:%SZ")
