"""What the fake promises of Events in both API groups; run on a real cluster as well where KUBECONFIG names one."""

import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio import client
from kubernetes.aio.client.exceptions import ApiException

from tests.fakes.cluster import Cluster, status
from tests.fakes.kubernetes import FakeKubernetes

NOW = datetime(2026, 11, 25, 10, 30, 0, 123456, tzinfo=UTC)
MERGE = "application/merge-patch+json"


def new_api(cluster: Cluster) -> Any:
    """Reach the API group of Events."""
    return client.EventsV1Api(cluster.v1.api_client)


def about(cluster: Cluster) -> client.V1ObjectReference:
    """Name the ConfigMap that the Events are about, which need not exist."""
    return client.V1ObjectReference(
        api_version="v1", kind="ConfigMap", name=f"{cluster.prefix}-a", namespace=cluster.namespace, uid="1234"
    )


def new_event(cluster: Cluster, **changed: Any) -> client.EventsV1Event:
    """Make an Event that the new group takes; None takes a field away, which the client's own checks would not let."""
    fields: dict[str, Any] = {
        "metadata": client.V1ObjectMeta(name=f"{cluster.prefix}-a.{time.time_ns():x}"),
        "event_time": NOW,
        "action": "Publish",
        "reason": "RemovalsHeld",
        "note": "12 removals are held",
        "regarding": about(cluster),
        "reporting_controller": "routecast.io/publisher",
        "reporting_instance": "publisher-1",
        "type": "Warning",
    }
    return client.EventsV1Event.model_construct(**(fields | changed))


async def test_an_event_of_the_new_group_is_seen_in_core(cluster: Cluster) -> None:
    """One object, two shapes: what kubectl asks core/v1 for has the same content under its older names."""
    made = await new_api(cluster).create_namespaced_event(cluster.namespace, new_event(cluster))
    seen = await cluster.v1.read_namespaced_event(made.metadata.name, cluster.namespace)
    assert (seen.metadata.uid, seen.metadata.resource_version) == (made.metadata.uid, made.metadata.resource_version)
    assert seen.message == made.note == "12 removals are held"
    assert (seen.involved_object.name, seen.involved_object.uid) == (f"{cluster.prefix}-a", "1234")
    assert (seen.reporting_component, seen.reporting_instance) == ("routecast.io/publisher", "publisher-1")
    assert (seen.event_time, seen.first_timestamp, seen.count) == (NOW, None, None)
    assert (seen.action, seen.reason, seen.type) == ("Publish", "RemovalsHeld", "Warning")


async def test_an_event_of_core_is_seen_in_the_new_group(cluster: Cluster) -> None:
    """Count, times and source of core/v1 are there as what is deprecated."""
    event = client.CoreV1Event(
        metadata=client.V1ObjectMeta(generate_name=f"{cluster.prefix}-a."),
        involved_object=about(cluster),
        reason="RemovalsHeld",
        message="12 removals are held",
        type="Warning",
        source=client.V1EventSource(component="routecast", host="cloud"),
        count=3,
        first_timestamp=NOW,
        last_timestamp=NOW + timedelta(minutes=1),
    )
    made = await cluster.v1.create_namespaced_event(cluster.namespace, event)
    read = new_api(cluster).read_namespaced_event_without_preload_content
    seen = await (await read(made.metadata.name, cluster.namespace)).json()  # the client's model needs an eventTime
    assert (seen["note"], seen["regarding"]["kind"], seen["deprecatedCount"]) == (
        "12 removals are held",
        "ConfigMap",
        3,
    )
    assert seen["deprecatedSource"] == {"component": "routecast", "host": "cloud"}
    assert seen["deprecatedFirstTimestamp"] == "2026-11-25T10:30:00Z"
    assert seen["deprecatedLastTimestamp"] == "2026-11-25T10:31:00Z"
    assert seen["eventTime"] is None


async def test_a_series_is_counted_in_either_shape(cluster: Cluster) -> None:
    """The new group counts repetitions by a patch of `series`, core/v1 by `count` and `lastTimestamp`."""
    events = new_api(cluster)
    made = await events.create_namespaced_event(cluster.namespace, new_event(cluster))
    name = made.metadata.name
    series = {"series": {"count": 2, "lastObservedTime": "2026-11-25T10:31:00.000001Z"}}
    patched = await events.patch_namespaced_event(name, cluster.namespace, series, _content_type=MERGE)
    assert (patched.series.count, patched.note) == (2, "12 removals are held")
    counted = {"count": 5, "lastTimestamp": "2026-11-25T10:32:00Z"}
    await cluster.v1.patch_namespaced_event(name, cluster.namespace, counted, _content_type=MERGE)
    seen = await events.read_namespaced_event(name, cluster.namespace)
    assert (seen.deprecated_count, seen.series.count) == (5, 2)
    assert seen.deprecated_last_timestamp == datetime(2026, 11, 25, 10, 32, tzinfo=UTC)


async def test_each_group_selects_by_its_own_field_names(cluster: Cluster) -> None:
    """`involvedObject.*` in core/v1 and `regarding.*` in the new group find the same; the other's name is a 400."""
    made = await new_api(cluster).create_namespaced_event(cluster.namespace, new_event(cluster))
    terms = f"kind=ConfigMap,{{0}}.name={cluster.prefix}-a,{{0}}.namespace={cluster.namespace},{{0}}.uid=1234"
    for api, field in ((cluster.v1, "involvedObject"), (new_api(cluster), "regarding")):
        selector = f"{field}.{terms.format(field)}"
        listed = await api.list_namespaced_event(cluster.namespace, field_selector=selector)
        assert [item.metadata.name for item in listed.items] == [made.metadata.name]
        other = selector.replace("uid=1234", "uid=5678")
        assert (await api.list_namespaced_event(cluster.namespace, field_selector=other)).items == []
    for api, field in ((cluster.v1, "regarding"), (new_api(cluster), "involvedObject")):
        with pytest.raises(ApiException, match="field label not supported"):
            await api.list_namespaced_event(cluster.namespace, field_selector=f"{field}.name=a")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"event_time": None}, "eventTime: Required value"),
        ({"action": None}, "action: Required value"),
        ({"reason": None}, "reason: Required value"),
        ({"reporting_controller": None}, "reportingController: Required value"),
        ({"reporting_controller": "route cast"}, "reportingController: Invalid value"),
        ({"reporting_instance": None}, "reportingInstance: Required value"),
        ({"reporting_instance": "x" * 129}, "reportingInstance: Invalid value.*at most 128"),
        ({"note": "x" * 1025}, "message: Invalid value.*at most 1024"),
        ({"type": None}, "type: Invalid value"),
        ({"type": "Error"}, "type: Invalid value.*Error"),
        ({"deprecated_count": 1}, "count: Invalid value.*needs to be unset"),
        ({"series": client.EventsV1EventSeries(count=1, last_observed_time=NOW)}, r"series\.count: .*at least 2"),
        ({"metadata": client.V1ObjectMeta(generate_name="a.")}, r"metadata\.generateName: Invalid value"),
    ],
)
async def test_the_new_group_is_strict(cluster: Cluster, changed: dict[str, Any], said: str) -> None:
    """It needs who, what, when and why, and refuses what is deprecated and a generated name after a dot: 422."""
    with pytest.raises(ApiException, match=said) as refused:
        await new_api(cluster).create_namespaced_event(cluster.namespace, new_event(cluster, **changed))
    assert (refused.value.status, status(refused.value)["reason"]) == (422, "Invalid")


async def test_the_new_group_needs_an_object_of_the_namespace(cluster: Cluster) -> None:
    """An Event without one has no place but in two namespaces of the system: 422."""
    reference = client.V1ObjectReference(kind="ConfigMap", name="a")
    made = await new_api(cluster).create_namespaced_event("default", new_event(cluster, regarding=reference))
    assert made.regarding.namespace is None
    with pytest.raises(ApiException, match=r"does not match event\.namespace"):
        await new_api(cluster).create_namespaced_event("kube-public", new_event(cluster, regarding=reference))


async def test_a_generated_name_may_end_in_a_hyphen(cluster: Cluster) -> None:
    """In the new group too."""
    event = new_event(cluster, metadata=client.V1ObjectMeta(generate_name=f"{cluster.prefix}-a-"))
    made = await new_api(cluster).create_namespaced_event(cluster.namespace, event)
    assert len(made.metadata.name) == len(f"{cluster.prefix}-a-") + 5


async def test_in_the_new_group_only_the_series_changes(cluster: Cluster) -> None:
    """A patch of anything else is a 422; through core/v1 the note can be changed."""
    made = await new_api(cluster).create_namespaced_event(cluster.namespace, new_event(cluster))
    name = made.metadata.name
    with pytest.raises(ApiException, match=r"message: Invalid value.*field is immutable") as refused:
        await new_api(cluster).patch_namespaced_event(name, cluster.namespace, {"note": "other"}, _content_type=MERGE)
    assert refused.value.status == 422
    await cluster.v1.patch_namespaced_event(name, cluster.namespace, {"message": "other"}, _content_type=MERGE)
    assert (await new_api(cluster).read_namespaced_event(name, cluster.namespace)).note == "other"


async def test_the_time_of_an_event_has_six_decimals(cluster: Cluster) -> None:
    """Python leaves out microseconds that are zero, and the server does not read such a time: 400. Zones are turned."""
    event = new_event(cluster, event_time=NOW.replace(microsecond=0))
    with pytest.raises(ApiException, match="parsing time") as refused:
        await new_api(cluster).create_namespaced_event(cluster.namespace, event)
    assert refused.value.status == 400
    east = new_event(cluster, event_time=NOW.astimezone(timezone(timedelta(hours=2))))
    made = await new_api(cluster).create_namespaced_event(cluster.namespace, east)
    assert made.event_time == NOW


async def test_the_groups_are_ruled_apart(api: FakeKubernetes, v1: Any, tmp_path: Path) -> None:
    """Who may create Events of one group may not of the other; the refusal and the review name the group."""
    cluster = Cluster(v1, "kube-system", "test", 1, tmp_path)
    api.grant("create", "patch", resource="events.events.k8s.io", namespace="kube-system")
    api.deny("create", resource="events")
    made = await new_api(cluster).create_namespaced_event("kube-system", new_event(cluster))
    assert [event["message"] for event in api.events()] == [made.note]
    core = client.CoreV1Event(metadata=client.V1ObjectMeta(generate_name="a."), involved_object=about(cluster))
    with pytest.raises(ApiException, match="Forbidden"):
        await v1.create_namespaced_event("kube-system", core)
    with pytest.raises(ApiException, match="Forbidden") as refused:
        await new_api(cluster).list_namespaced_event("kube-system")
    assert 'resource "events" in API group "events.k8s.io"' in status(refused.value)["message"]
    reviews: Any = client.AuthorizationV1Api(v1.api_client)
    allowed = []
    for group in ("events.k8s.io", ""):
        attributes = client.V1ResourceAttributes(verb="create", resource="events", group=group, namespace="kube-system")
        review = client.V1SelfSubjectAccessReview(
            spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
        )
        allowed.append((await reviews.create_self_subject_access_review(review)).status.allowed)
    assert allowed == [True, False]


async def test_an_event_on_the_wire_has_its_empty_fields(api: FakeKubernetes, v1: Any, tmp_path: Path) -> None:
    """Whoever reads the JSON meets null and {} where nothing was set, as the real server sends them."""
    cluster = Cluster(v1, "kube-system", "test", 1, tmp_path)
    made = await new_api(cluster).create_namespaced_event("kube-system", new_event(cluster))
    core = api.events("kube-system")[0]
    assert {key: core[key] for key in ("source", "firstTimestamp", "lastTimestamp")} == {
        "source": {}, "firstTimestamp": None, "lastTimestamp": None,
    }  # fmt: skip
    response = await new_api(cluster).read_namespaced_event_without_preload_content(made.metadata.name, "kube-system")
    raw = await response.json()
    assert (raw["apiVersion"], raw["deprecatedSource"]) == ("events.k8s.io/v1", {})
    assert "message" not in raw
    assert raw["eventTime"] == "2026-11-25T10:30:00.123456Z"
