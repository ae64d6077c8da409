import subprocess
from pathlib import Path

import pytest
import yaml

from common.settings.publisher import PublisherSettings
from tests.deploy.kustomize import Manifest, identity, render
from tests.deploy.room import missing
from tests.deploy.schema import faults
from tests.deploy.systemd import ROOT

BASE = ROOT / "deploy" / "kubernetes"
COMPONENT = BASE / "components" / "events"


def _the(kind: str, manifests: list[Manifest]) -> Manifest:
    """Return the one manifest of a kind."""
    [found] = [each for each in manifests if each["kind"] == kind]
    return found


def test_the_component_allows_what_the_publisher_asks_for_and_no_more() -> None:
    """Verb by verb, beside the registry, to the publisher's own account; nothing else is in it."""
    from publisher.source.cluster.access import NEEDED_FOR_EVENTS  # noqa: PLC0415 - the client takes 2 s to import

    manifests = render(COMPONENT)
    assert not [fault for manifest in manifests for fault in faults(manifest)]
    role, binding = _the("Role", manifests), _the("RoleBinding", manifests)
    assert len(manifests) == 2
    [rule] = role["rules"]
    assert rule.keys() == {"apiGroups", "resources", "verbs"}
    assert (rule["apiGroups"], rule["resources"]) == ([""], ["events"])
    assert sorted(rule["verbs"]) == sorted(NEEDED_FOR_EVENTS)

    registry = PublisherSettings().namespace
    assert {each["metadata"]["namespace"] for each in manifests} == {registry}
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": role["metadata"]["name"],
    }
    account = _the("ServiceAccount", render(BASE))["metadata"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}
    ]


def test_an_overlay_switches_it_on(tmp_path: Path) -> None:
    """Named under `components:` it adds its two objects to the base, and takes nothing from it."""
    overlay = _overlay(tmp_path)
    base, with_events = render(BASE), render(overlay)
    added = {identity(each) for each in with_events} - {identity(each) for each in base}
    assert {kind for kind, _, _ in added} == {"Role", "RoleBinding"}
    assert len(with_events) == len(base) + 2


def test_it_is_off_by_default() -> None:
    """Neither the base nor the usual overlay lets the publisher write anything but its own ConfigMap."""
    for folder in (BASE, ROOT / "deploy" / "overlays" / "tailnet"):
        assert not [
            rule for each in render(folder) for rule in each.get("rules", ()) if "events" in rule.get("resources", ())
        ]


@pytest.mark.skipif(bool(missing(["kubectl"])), reason="kubectl is not installed: only our own rendering is checked")
def test_kubectl_takes_the_overlay(tmp_path: Path) -> None:
    """Kustomize makes of it what these tests look at."""
    done = subprocess.run(
        ["kubectl", "kustomize", str(_overlay(tmp_path)), "--load-restrictor=LoadRestrictionsNone"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rendered = {identity(each): each for each in yaml.safe_load_all(done.stdout)}
    assert all(rendered[identity(each)] == each for each in render(COMPONENT))


def _overlay(folder: Path) -> Path:
    """Write an overlay as docs/operations.md shows it."""
    up = Path(*[".."] * len(folder.resolve().parts[1:])) / ROOT.resolve().relative_to("/") / "deploy" / "kubernetes"
    text = yaml.safe_dump(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [str(up)],
            "components": [str(up / "components" / "events")],
        }
    )
    (folder / "kustomization.yaml").write_text(text)
    return folder
