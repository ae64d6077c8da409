"""What the cluster lets us do, and the state that is kept there."""

import asyncio

import pytest

from common.errors import AccessDenied, SourceUnavailable
from common.status import SourceState
from publisher.source.cluster import ClusterSource
from publisher.source.document import CLUSTER_INFO, SERVICE_REGISTRY, STATE
from publisher.source.source import Mark, PublisherState
from tests.fakes.kubernetes import FakeKubernetes
from tests.publisher.source.watching import watching
from tests.publisher.source.worlds import OLD

STATE_1 = PublisherState(installation="i", mark=Mark(epoch=1, version=1, digest="d", counts={}))


async def test_a_denied_document_says_how_to_find_out_and_is_tried_again(
    api: FakeKubernetes, fast: ClusterSource
) -> None:
    """The others are read; once the right is granted, this one is too."""
    api.deny("list", SERVICE_REGISTRY)
    async with watching(fast) as watch:
        denied = await watch.document(SERVICE_REGISTRY, lambda document: document.state is SourceState.UNREADABLE)
        assert denied == (await fast.list())[SERVICE_REGISTRY]
        assert denied.why is not None
        assert denied.why.startswith("denied: ")
        assert "-n kube-system auth can-i list configmap/service-registry`" in denied.why
        assert denied.edit.endswith("apply -f deploy/kubernetes/access.yaml")
        await watch.document(CLUSTER_INFO, lambda document: document.data == OLD)
        api.allow_all()
        await watch.document(SERVICE_REGISTRY, lambda document: document.data == OLD)


async def test_an_unknown_user_is_denied_everything(api: FakeKubernetes, fast: ClusterSource) -> None:
    """401, as after a token has run out."""
    api.faults.answer(401)
    listed = await fast.list()
    assert all("does not know this user" in (document.why or "") for document in listed.values())


async def test_missing_rights_are_named_at_start(
    api: FakeKubernetes, fast: ClusterSource, caplog: pytest.LogCaptureFixture
) -> None:
    """All of them in one line, with the command that grants them."""
    api.deny("watch", SERVICE_REGISTRY)
    api.deny("patch", STATE)
    api.deny("create")
    async with watching(fast):
        await api.until(lambda: sum("accessreviews" in request.path for request in api.requests) >= 15)
        await _logged(caplog, "rights are missing in the cluster")
    [line] = [record.getMessage() for record in caplog.records if "rights are missing" in record.getMessage()]
    assert "watch service-registry, patch routecast-state, create routecast-state" in line
    assert "apply -f deploy/kubernetes/access.yaml" in line


@pytest.mark.parametrize(("status", "said"), [(None, "all rights are there"), (401, "does not let us in")])
async def test_rights_are_asked_for_until_the_server_answers(
    api: FakeKubernetes, fast: ClusterSource, caplog: pytest.LogCaptureFixture, status: int | None, said: str
) -> None:
    """Whatever it says first."""
    api.faults.answer(503, times=30)
    if status is not None:
        api.faults.answer(status)
    async with watching(fast):
        await _logged(caplog, said)


async def _logged(caplog: pytest.LogCaptureFixture, text: str) -> None:
    async with asyncio.timeout(10):
        while not any(text in record.getMessage() for record in caplog.records):  # noqa: ASYNC110 - logs ring no bell
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("verb", "with_state"), [("get", True), ("patch", True), ("create", False)])
async def test_a_state_that_may_not_be_kept_says_how_to_find_out(
    api: FakeKubernetes, fast: ClusterSource, verb: str, with_state: bool
) -> None:
    """A person must act."""
    if with_state:
        api.put_config_map(STATE, {})
    api.deny(verb, None if verb == "create" else STATE)
    with pytest.raises(AccessDenied, match=f"auth can-i {verb} configmap"):
        await fast.write_state(STATE_1)


async def test_the_state_is_one_key_among_others(api: FakeKubernetes, fast: ClusterSource) -> None:
    """What others keep in the same ConfigMap stays."""
    api.put_config_map(STATE, {"other": "x"})
    assert await fast.read_state() is None
    await fast.write_state(STATE_1)
    assert await fast.read_state() == STATE_1
    assert (api.config_map(STATE) or {})["other"] == "x"


async def test_a_conflict_without_end_is_given_up(api: FakeKubernetes, fast: ClusterSource) -> None:
    """Every retry has a ceiling."""
    api.put_config_map(STATE, {})
    api.faults.answer(409, verb="patch")
    with pytest.raises(SourceUnavailable, match="somebody else wrote"):
        await fast.write_state(STATE_1)
