import copy
import subprocess
from pathlib import Path

import pytest
import yaml

from common.settings import Settings
from common.settings.publisher import PublisherSettings
from publisher.source.document import SERVICE_REGISTRY
from tests.deploy.kustomize import Manifest, containers, identity, render
from tests.deploy.patches import added, with_component
from tests.deploy.room import missing
from tests.deploy.schema import faults
from tests.deploy.systemd import ROOT

BASE = ROOT / "deploy" / "kubernetes"
COMPONENT = BASE / "components" / "discover"
SWITCH = "ROUTECAST_PUBLISHER_DISCOVER"


@pytest.fixture(scope="module")
def base() -> list[Manifest]:
    """Render what is there without the component."""
    return render(BASE)


@pytest.fixture(scope="module")
def discovering(base: list[Manifest]) -> list[Manifest]:
    """Render the base with the component."""
    return with_component(base, COMPONENT)


def _the(kind: str, manifests: list[Manifest]) -> Manifest:
    """Return the one manifest of a kind."""
    [found] = [each for each in manifests if each["kind"] == kind]
    return found


def _environment(manifests: list[Manifest]) -> dict[str, str]:
    [container] = containers(_the("Deployment", manifests))
    assert len({each["name"] for each in container["env"]}) == len(container["env"])
    return {each["name"]: each["value"] for each in container["env"]}


def test_every_field_is_known_to_kubernetes(discovering: list[Manifest]) -> None:
    """Also of what the patch is merged into."""
    assert not [fault for manifest in discovering for fault in faults(manifest)]


def test_it_reads_services_everywhere_and_no_more() -> None:
    """A Role would not do: a watch of all namespaces is a request to the cluster. No verb that changes a Service."""
    from publisher.source.cluster.services import NEEDED  # noqa: PLC0415 - the client takes 2 s to import

    [rule] = _the("ClusterRole", added(COMPONENT))["rules"]
    assert rule == {"apiGroups": [""], "resources": ["services"], "verbs": list(NEEDED)}


def test_it_writes_one_configmap_and_no_more() -> None:
    """Discovery has addresses to say, and new entries: domains, routes and nodes stay out of its reach."""
    role = _the("Role", added(COMPONENT))
    assert role["metadata"]["namespace"] == PublisherSettings().namespace
    [rule] = role["rules"]
    assert rule == {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "resourceNames": [SERVICE_REGISTRY],
        "verbs": ["patch"],
    }


@pytest.mark.parametrize("kind", ["Role", "ClusterRole"])
def test_the_rights_are_the_publishers(base: list[Manifest], kind: str) -> None:
    """Bound to its own account, where the registry is and in the whole cluster."""
    role, binding = _the(kind, added(COMPONENT)), _the(f"{kind}Binding", added(COMPONENT))
    name = role["metadata"]["name"]
    assert binding["metadata"] == role["metadata"]
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
    account = _the("ServiceAccount", base)["metadata"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}
    ]


def test_it_switches_discovery_on(
    base: list[Manifest], discovering: list[Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By one variable, which the publisher reads as its setting; rights alone change nothing, and neither does it."""
    before, after = _environment(base), _environment(discovering)
    assert after == before | {SWITCH: "true"}
    for name, value in before.items():
        monkeypatch.setenv(name, value)
    assert not Settings().publisher.discover
    monkeypatch.setenv(SWITCH, after[SWITCH])
    assert Settings().publisher.discover


def test_it_adds_its_objects_and_changes_only_the_environment(
    base: list[Manifest], discovering: list[Manifest]
) -> None:
    """Everything of the base is there as it was, but for the one variable."""
    before, after = ({identity(each): each for each in manifests} for manifests in (base, discovering))
    assert {kind for kind, _, _ in after.keys() - before.keys()} == {
        "ClusterRole",
        "ClusterRoleBinding",
        "Role",
        "RoleBinding",
    }
    assert [name for name, each in before.items() if after[name] != each] == [identity(_the("Deployment", base))]
    deployment = copy.deepcopy(_the("Deployment", discovering))
    [container] = containers(deployment)
    container["env"] = [each for each in container["env"] if each["name"] != SWITCH]
    assert deployment == _the("Deployment", base)


def test_it_is_off_by_default(base: list[Manifest]) -> None:
    """Neither the base nor the usual overlay reads Services, or lets the publisher write a registry."""
    for manifests in (base, render(ROOT / "deploy" / "overlays" / "tailnet")):
        rules = [rule for each in manifests for rule in each.get("rules", ())]
        assert not [rule for rule in rules if "services" in rule["resources"]]
        assert not [rule for rule in rules if "patch" in rule["verbs"] and SERVICE_REGISTRY in rule["resourceNames"]]
        assert SWITCH not in _environment(manifests)


@pytest.mark.skipif(bool(missing(["kubectl"])), reason="kubectl is not installed: only our own rendering is checked")
@pytest.mark.parametrize("beside", [[], ["nats-tailnet", "events"]])
def test_kubectl_renders_the_same(tmp_path: Path, discovering: list[Manifest], beside: list[str]) -> None:
    """Kustomize takes it as these tests do, and beside the other components, whatever their order."""
    overlay = _overlay(tmp_path, [*beside, "discover"])
    done = subprocess.run(
        ["kubectl", "kustomize", str(overlay), "--load-restrictor=LoadRestrictionsNone"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rendered = {identity(each): each for each in yaml.safe_load_all(done.stdout)}
    for each in (*added(COMPONENT), _the("Deployment", discovering)):
        assert rendered[identity(each)] == each


def _overlay(folder: Path, components: list[str]) -> Path:
    """Write an overlay that names components."""
    up = Path(*[".."] * len(folder.resolve().parts[1:])) / BASE.resolve().relative_to("/")
    text = yaml.safe_dump(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [str(up)],
            "components": [str(up / "components" / name) for name in components],
        }
    )
    (folder / "kustomization.yaml").write_text(text)
    return folder
