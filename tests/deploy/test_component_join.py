import pytest

from common.settings.publisher import PublisherSettings
from publisher.source.document import SYNC_CONTROLLER_REGISTRY
from tests.deploy.kustomize import Manifest, identity, render
from tests.deploy.patches import added, with_component
from tests.deploy.schema import faults
from tests.deploy.systemd import ROOT

BASE = ROOT / "deploy" / "kubernetes"
COMPONENT = BASE / "components" / "join"


@pytest.fixture(scope="module")
def base() -> list[Manifest]:
    """Render what is there without the component."""
    return render(BASE)


def _the(kind: str, manifests: list[Manifest]) -> Manifest:
    """Return the one manifest of a kind."""
    [found] = [each for each in manifests if each["kind"] == kind]
    return found


def test_it_writes_one_configmap_and_no_more() -> None:
    """The one that lists the nodes: services, domains and routes stay out of its reach."""
    role = _the("Role", added(COMPONENT))
    assert role["metadata"]["namespace"] == PublisherSettings().namespace
    [rule] = role["rules"]
    assert rule == {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": [SYNC_CONTROLLER_REGISTRY],
        "verbs": ["patch"],
    }


def test_the_right_is_the_publishers(base: list[Manifest]) -> None:
    """Bound to its own account, where the registry is."""
    role, binding = _the("Role", added(COMPONENT)), _the("RoleBinding", added(COMPONENT))
    assert binding["metadata"] == role["metadata"]
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": role["metadata"]["name"],
    }
    account = _the("ServiceAccount", base)["metadata"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}
    ]


def test_it_adds_its_two_objects_and_changes_nothing(base: list[Manifest]) -> None:
    """Everything of the base is there as it was; every field is known to Kubernetes."""
    joining = with_component(base, COMPONENT)
    before, after = ({identity(each): each for each in manifests} for manifests in (base, joining))
    assert {kind for kind, _, _ in after.keys() - before.keys()} == {"Role", "RoleBinding"}
    assert {name: after[name] for name in before} == before
    assert not [fault for manifest in joining for fault in faults(manifest)]


def test_it_is_off_by_default(base: list[Manifest]) -> None:
    """The base does not let the publisher write the nodes."""
    rules = [rule for each in base for rule in each.get("rules", ())]
    names = [rule.get("resourceNames", ()) for rule in rules if "patch" in rule["verbs"]]
    assert not [each for each in names if SYNC_CONTROLLER_REGISTRY in each]
