"""What the fake promises of reads, writes and watches; run on a real cluster as well where KUBECONFIG names one."""

from datetime import UTC, datetime
from typing import Any

import pytest
from kubernetes.aio import client
from kubernetes.aio.client.exceptions import ApiException

from tests.fakes.cluster import Cluster, kinds, named, revision, status
from tests.fakes.kubernetes import FakeKubernetes


def owner(config_map: Any, key: str) -> str:
    """Name the manager of one key of the data."""
    entries = config_map.metadata.managed_fields
    return next(str(entry.manager) for entry in entries if f"f:{key}" in entry.fields_v1.get("f:data", {}))


async def test_a_created_config_map_reads_back(cluster: Cluster) -> None:
    """What was created is what a read returns, with identity and revision given by the server."""
    made = await cluster.create(data={"services.json": "{}"})
    read = await cluster.read(made)
    assert read.data == {"services.json": "{}"}
    assert read.metadata.uid == made.metadata.uid
    assert read.metadata.creation_timestamp is not None
    assert revision(read) == revision(made)


async def test_a_list_by_name_finds_one(cluster: Cluster) -> None:
    """The field selector picks one object, in a namespace or in all, and the list has a revision to watch from."""
    made, other = await cluster.create(), await cluster.create("b")
    listed = await cluster.v1.list_namespaced_config_map(cluster.namespace, field_selector=named(made.metadata.name))
    everywhere = await cluster.v1.list_config_map_for_all_namespaces(
        field_selector=f"{named(made.metadata.name)},metadata.namespace={cluster.namespace}"
    )
    assert [item.metadata.name for item in listed.items] == [made.metadata.name]
    assert [item.metadata.name for item in everywhere.items] == [made.metadata.name]
    assert revision(listed) >= revision(other)


async def test_two_names_in_a_selector_find_nothing(cluster: Cluster) -> None:
    """The terms of a selector must all hold, so there is no list of two names."""
    made, other = await cluster.create(), await cluster.create("b")
    both = f"{named(made.metadata.name)},{named(other.metadata.name)}"
    assert (await cluster.v1.list_namespaced_config_map(cluster.namespace, field_selector=both)).items == []


@pytest.mark.parametrize("content_type", ["application/merge-patch+json", None])
async def test_a_patch_changes_only_what_it_names(cluster: Cluster, content_type: str | None) -> None:
    """A merge patch and the client's default (strategic) set keys, delete those that are null and keep the rest."""
    made = await cluster.create(data={"gone": "1", "kept": "2", "set": "3"})
    patched = await cluster.patch(made, {"data": {"gone": None, "set": "4", "new": "5"}}, _content_type=content_type)
    assert patched.data == {"kept": "2", "set": "4", "new": "5"}
    assert revision(patched) > revision(made)


async def test_a_patch_with_a_stale_revision_is_refused(cluster: Cluster) -> None:
    """A resourceVersion inside a patch is a lock: the newest passes, an older one is a 409 and changes nothing."""
    made = await cluster.create()
    old = made.metadata.resource_version
    fresh = await cluster.patch(made, {"metadata": {"resourceVersion": old}, "data": {"k": "2"}})
    with pytest.raises(ApiException) as refused:
        await cluster.patch(made, {"metadata": {"resourceVersion": old}, "data": {"k": "3"}})
    assert (refused.value.status, status(refused.value)["reason"]) == (409, "Conflict")
    now = await cluster.read(made)
    assert (now.data, revision(now)) == ({"k": "2"}, revision(fresh))


async def test_a_replace_with_a_stale_revision_is_refused(cluster: Cluster) -> None:
    """Put back with the revision that was read, an object is replaced once; the second writer gets 409."""
    made = await cluster.create()
    made.data = {"other": "2"}
    replaced = await cluster.replace(made)
    assert replaced.data == {"other": "2"}
    with pytest.raises(ApiException) as refused:
        await cluster.replace(made)
    assert refused.value.status == 409


async def test_an_object_that_was_deleted_in_between_is_not_replaced(cluster: Cluster) -> None:
    """A lock on the first of two objects of one name does not open the second."""
    made = await cluster.create()
    await cluster.delete(made)
    await cluster.create()
    with pytest.raises(ApiException) as refused:
        await cluster.replace(made)
    assert refused.value.status == 409


async def test_a_write_without_a_change_leaves_no_trace(cluster: Cluster) -> None:
    """A patch to the same content keeps the revision and its manager, so it shows in no watch."""
    made = await cluster.create()
    same = await cluster.patch(made, {"data": {"k": "1"}}, field_manager="somebody-else")
    assert revision(same) == revision(made)
    assert "somebody-else" not in [entry.manager for entry in same.metadata.managed_fields]


async def test_empty_data_reads_back_as_none(cluster: Cluster) -> None:
    """A ConfigMap whose last key went has no data at all, so its reader gets None and not an empty dictionary."""
    made = await cluster.create()
    assert (await cluster.patch(made, {"data": {"k": None}})).data is None


async def test_managed_fields_name_the_last_writer_of_each_key(cluster: Cluster) -> None:
    """The writer is the `fieldManager`, else the user agent up to its first slash; a key moves to who changes it."""
    made = await cluster.create(data={"a": "1", "b": "1"})
    agent = cluster.v1.api_client.user_agent.split("/")[0]
    patched = await cluster.patch(made, {"data": {"a": "2"}}, field_manager="kubectl-edit")
    assert (owner(made, "a"), owner(patched, "a"), owner(patched, "b")) == (agent, "kubectl-edit", agent)
    entry = next(entry for entry in patched.metadata.managed_fields if entry.manager == "kubectl-edit")
    assert (entry.operation, entry.time is None) == ("Update", False)


async def test_who_removes_a_key_is_not_named(cluster: Cluster) -> None:
    """A removal leaves no entry: the last changer cannot always be told from managedFields."""
    made = await cluster.create(data={"a": "1", "b": "1"})
    patched = await cluster.patch(made, {"data": {"a": None}}, field_manager="remover")
    assert "remover" not in [entry.manager for entry in patched.metadata.managed_fields]


async def test_an_event_gets_a_generated_name(cluster: Cluster) -> None:
    """An Event of core/v1 is created under `generateName`, two of one prefix under two names."""
    about = client.V1ObjectReference(kind="ConfigMap", name=f"{cluster.prefix}-a", namespace=cluster.namespace)
    event = client.CoreV1Event(
        metadata=client.V1ObjectMeta(generate_name=f"{cluster.prefix}-a."),
        involved_object=about,
        reason="Held",
        message="12 removals are held",
        type="Warning",
    )
    names = {(await cluster.v1.create_namespaced_event(cluster.namespace, event)).metadata.name for _ in range(2)}
    assert len(names) == 2
    assert all(name.startswith(f"{cluster.prefix}-a.") for name in names)


async def test_a_client_can_ask_what_it_may_do(cluster: Cluster) -> None:
    """A SelfSubjectAccessReview of a user without limits answers yes."""
    attributes = client.V1ResourceAttributes(
        verb="patch", resource="configmaps", name="service-registry", namespace="kube-system"
    )
    spec = client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes)
    reviews: Any = client.AuthorizationV1Api(cluster.v1.api_client)
    review = await reviews.create_self_subject_access_review(client.V1SelfSubjectAccessReview(spec=spec))
    assert review.status.allowed is True


async def test_a_watch_replays_what_was_missed(cluster: Cluster) -> None:
    """From the revision of a list, a watch of one name sends everything since, in order, then ends at its timeout."""
    listed = await cluster.v1.list_namespaced_config_map(cluster.namespace)
    made = await cluster.create()
    await cluster.create("b")
    patched = await cluster.patch(made, {"data": {"k": "2"}})
    await cluster.delete(made)
    added, modified, deleted = await cluster.watch(made, resource_version=listed.metadata.resource_version)
    assert kinds([added, modified, deleted]) == ["ADDED", "MODIFIED", "DELETED"]
    assert [revision(added["object"]), revision(modified["object"])] == [revision(made), revision(patched)]
    assert revision(deleted["object"]) > revision(patched)
    assert deleted["object"].data == {"k": "2"}


async def test_a_watch_carries_a_large_config_map(cluster: Cluster) -> None:
    """A ConfigMap of 890 KB arrives whole in one event."""
    made = await cluster.create()
    await cluster.patch(made, {"data": {"k": "x" * 890_000}})
    events = await cluster.watch(made, resource_version=made.metadata.resource_version, at_most=1)
    assert [len(event["object"].data["k"]) for event in events] == [890_000]


async def test_a_bookmark_comes_before_the_timeout(cluster: Cluster) -> None:
    """A watch on a quiet object ends with a bookmark that has the revision of what happened elsewhere meanwhile."""
    quiet, busy = await cluster.create(), await cluster.create("b")
    newest = quiet.metadata.resource_version
    events = await cluster.watch(quiet, resource_version=newest, allow_watch_bookmarks=True)
    assert kinds(events)[-1:] == ["BOOKMARK"]
    assert int(events[-1]["raw_object"]["metadata"]["resourceVersion"]) >= revision(busy)


async def test_a_manager_bears_the_time_of_its_last_change() -> None:
    """Entries are sorted by time, so the last one is the last writer: to a second, and with a clock of the test's."""
    seconds = iter(range(60))
    async with FakeKubernetes(clock=lambda: datetime(2026, 1, 1, 0, 0, next(seconds), tzinfo=UTC)) as api:
        api.put_config_map("a", {"k": "1", "l": "1"}, manager="zoe")
        api.put_config_map("a", {"k": "2", "l": "1"}, manager="adam")
        api.put_config_map("a", {"k": "2", "l": "2"}, manager="zoe")
        entries = api.document("a")["metadata"]["managedFields"]
    assert [entry["manager"] for entry in entries] == ["adam", "zoe"]
    assert entries[0]["time"] < entries[1]["time"]
