"""What the fake forbids, as RBAC forbids it; the refusals are measured on a real server in FACTS 7a."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from kubernetes.aio import client
from kubernetes.aio.client.exceptions import ApiException

from tests.fakes.cluster import collect, named, status
from tests.fakes.kubernetes import FakeKubernetes

NAMESPACE = "kube-system"
CALLS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "get": lambda v1: v1.read_namespaced_config_map("a", NAMESPACE),
    "list": lambda v1: v1.list_namespaced_config_map(NAMESPACE, field_selector=named("a")),
    "watch": lambda v1: collect(v1, NAMESPACE, field_selector=named("a"), timeout_seconds=1, resource_version="1"),
    "patch": lambda v1: v1.patch_namespaced_config_map("a", NAMESPACE, {"data": {"k": "2"}}),
    "create": lambda v1: v1.create_namespaced_config_map(
        NAMESPACE, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="c"))
    ),
}


async def reviewed(v1: Any, verb: str, name: str | None = None, resource: str = "configmaps") -> bool:
    """Ask the server whether a request would be allowed."""
    attributes = client.V1ResourceAttributes(verb=verb, resource=resource, name=name, namespace=NAMESPACE)
    body = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes))
    reviews: Any = client.AuthorizationV1Api(v1.api_client)
    return bool((await reviews.create_self_subject_access_review(body)).status.allowed)


@pytest.mark.parametrize("verb", CALLS)
async def test_a_denied_verb_is_403_until_it_is_allowed_again(api: FakeKubernetes, v1: Any, verb: str) -> None:
    """Each verb can be denied by itself: 403 with a Status, the review says so too, and the other verbs pass."""
    api.put_config_map("a", {"k": "1"})
    api.deny(verb, None if verb == "create" else "a")
    with pytest.raises(ApiException, match="Forbidden") as refused:
        await CALLS[verb](v1)
    assert refused.value.status == 403
    allowed = {other: await reviewed(v1, other, None if other == "create" else "a") for other in CALLS}
    assert allowed == {other: other != verb for other in CALLS}
    api.allow_all()
    await CALLS[verb](v1)


async def test_a_refusal_says_who_may_not_do_what(api: FakeKubernetes, v1: Any) -> None:
    """The Status of a 403 reads as the real server's: object, user, verb, namespace."""
    api.deny("list", "a")
    with pytest.raises(ApiException) as refused:
        await CALLS["list"](v1)
    assert status(refused.value)["message"] == (
        'configmaps "a" is forbidden: User "system:serviceaccount:tests:client" cannot list resource "configmaps"'
        ' in API group "" in the namespace "kube-system"'
    )


async def test_another_name_stays_allowed(api: FakeKubernetes, v1: Any) -> None:
    """A name that is denied takes the nameless requests of its verb with it, and no other name."""
    api.put_config_map("b", {})
    api.deny("list", "a")
    assert len((await v1.list_namespaced_config_map(NAMESPACE, field_selector=named("b"))).items) == 1
    with pytest.raises(ApiException, match="Forbidden"):
        await v1.list_namespaced_config_map(NAMESPACE)
    assert not await reviewed(v1, "list")


async def test_a_role_with_resource_names_needs_the_field_selector(api: FakeKubernetes, v1: Any) -> None:
    """Granted by name, list and watch work with `metadata.name=X` only: not bare, by label, or for another name."""
    api.put_config_map("a", {})
    api.grant("get", "list", "watch", "patch", names=["a", "b"])
    for verb in ("get", "list", "watch", "patch"):
        await CALLS[verb](v1)
    selectors: list[dict[str, Any]] = [{}, {"label_selector": "app=x"}, {"field_selector": named("c")}]
    for selector in selectors:
        for request in (
            v1.list_namespaced_config_map(NAMESPACE, **selector),
            collect(v1, NAMESPACE, timeout_seconds=1, **selector),
            v1.list_config_map_for_all_namespaces(**selector),
        ):
            with pytest.raises(ApiException, match="Forbidden"):
                await request


async def test_create_cannot_be_granted_by_name(api: FakeKubernetes, v1: Any) -> None:
    """A rule with names does not cover a create, which has none yet; a rule without names does."""
    api.grant("create", names=["c"])
    with pytest.raises(ApiException, match="Forbidden"):
        await CALLS["create"](v1)
    api.grant("create")
    await CALLS["create"](v1)


async def test_resources_are_ruled_apart(api: FakeKubernetes, v1: Any) -> None:
    """Events can be forbidden while ConfigMaps are not."""
    api.deny("create", resource="events")
    event = client.CoreV1Event(
        metadata=client.V1ObjectMeta(generate_name="a."), involved_object=client.V1ObjectReference(namespace=NAMESPACE)
    )
    with pytest.raises(ApiException, match="Forbidden"):
        await v1.create_namespaced_event(NAMESPACE, event)
    await CALLS["create"](v1)
    assert (await reviewed(v1, "create"), await reviewed(v1, "create", resource="events")) == (True, False)


async def test_an_open_watch_outlives_its_permission(api: FakeKubernetes, v1: Any) -> None:
    """Permission is asked for when a watch opens, never again: a revoked one shows at the next request."""
    newest = api.put_config_map("a", {})
    response = await v1.list_namespaced_config_map_without_preload_content(
        NAMESPACE, watch=True, resource_version=newest, field_selector=named("a")
    )
    api.deny("watch", "a")
    api.put_config_map("a", {"k": "1"})
    assert b"MODIFIED" in await response.content.readline()
    response.close()
