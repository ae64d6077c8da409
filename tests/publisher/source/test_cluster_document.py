from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from common.settings.publisher import PublisherSettings
from common.status import SourceState
from publisher.source.cluster.document import Commands, denied_document, read_document
from publisher.source.document import SERVICE_REGISTRY

COMMANDS = Commands.of(PublisherSettings())


def _found(**metadata: Any) -> dict[str, Any]:
    return {"metadata": {"name": SERVICE_REGISTRY, "resourceVersion": "7", **metadata}, "data": {"k": "v"}}


@pytest.mark.parametrize(
    ("managed", "by", "second"),
    [
        ([], None, 1),
        (None, None, 1),
        ([{"manager": "old"}, {"manager": "odd", "time": "yesterday"}], None, 1),
        ([{"manager": "a", "time": "2025-11-06T18:00:03Z"}, {"manager": "b", "time": "2025-11-06T18:00:02Z"}], "a", 3),
    ],
)
def test_the_latest_managed_field_says_who_changed_it(managed: Any, by: str | None, second: int) -> None:
    """Without any, the time of its creation is all that is known."""
    found = _found(managedFields=managed, creationTimestamp="2025-11-06T18:00:01Z")
    document = read_document(SERVICE_REGISTRY, found, COMMANDS)
    assert document.changed_by == by
    assert document.changed_at == datetime(2025, 11, 6, 18, 0, second, tzinfo=UTC)
    assert document.resource_version == "7"


def test_a_configmap_without_anything_is_readable_and_has_no_keys() -> None:
    """Its keys are missing then, which is for the parser to say."""
    document = read_document(SERVICE_REGISTRY, {"data": None}, COMMANDS)
    assert document.data == {}
    assert (document.changed_by, document.changed_at, document.resource_version) == (None, None, None)


def test_each_state_has_the_command_that_mends_it() -> None:
    """Ready to paste."""
    edit = "kubectl -n kube-system edit configmap service-registry"
    assert read_document(SERVICE_REGISTRY, _found(), COMMANDS).edit == edit
    missing = read_document(SERVICE_REGISTRY, None, COMMANDS)
    assert missing.state is SourceState.MISSING
    assert missing.edit == f"kubectl -n kube-system create configmap service-registry && {edit}"
    denied = denied_document(SERVICE_REGISTRY, "denied", COMMANDS)
    assert denied.state is SourceState.UNREADABLE
    assert denied.edit == "kubectl apply -f deploy/kubernetes/access.yaml"


def test_the_commands_name_the_cluster_that_the_settings_name() -> None:
    """Or they would mend another one."""
    settings = PublisherSettings(kubeconfig=Path("/home/my files/config"), context="home", namespace="net")
    commands = Commands.of(settings)
    assert commands.can_i("create", "x") == (
        "kubectl --kubeconfig '/home/my files/config' --context home -n net auth can-i create configmaps"
    )
