"""Clusters in which the names that help and pages use as examples are there, and shells on their machines."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from common.ack import AckError, State
from common.clock import now
from common.models import Role
from publisher.pipeline.parse import parse
from publisher.source.manifests import read_folder
from publisher.trust.claims import OPERATOR
from publisher.trust.directory import TrustDirectory
from tests.cli.bus_data import ack_of, answer, make_streams, publish_registry
from tests.docs.pages import ROOT, blocks
from tests.docs.shell import Shell, trust_in
from tests.fakes.kubernetes import FakeKubernetes
from tests.nats import free_port
from tests.registries import SIGNER, without_service
from tests.registry_folder import Entries
from tests.secure import SecureWorld, opened
from tests.world import World

LEGACY = ROOT / "tests" / "publisher" / "source" / "samples" / "legacy.yaml"
OLD_LINES = (
    "127.0.0.1\tlocalhost\n"
    "\n# MyNodeOne Services - Auto-generated on Thu Nov  6 18:30:00 UTC 2025\n"
    "100.67.243.10        photos.mycloud.local\n"
)
"""A hosts file that the replaced system has written to."""


def _lay_out(shell: Shell, world: World, node: str, **publisher: Path) -> Shell:
    """Make a shell that of a machine which is control plane and node in one; return it."""
    home = world.folder / node
    shell.lay_out(
        {
            "nats": {"url": world.server.url},
            "publisher": {"http_port": free_port(), **{name: str(path) for name, path in publisher.items()}},
            "subscriber": {"node": node, "public_keys": [SIGNER.public_key], "state_dir": str(home / "state")},
            "hosts": {"path": str(home / "hosts")},
            "traefik": {"directory": str(home / "dynamic"), "staging_dir": str(home / "staging"), "api_url": ""},
        }
    )
    seed = Path(trust_in(shell.folder)["ROUTECAST_PUBLISHER_SIGNING_SEED_FILE"])
    if not seed.exists():
        shutil.copy(world.seed, seed)
    return shell


class HomeCluster:
    """The cluster that `--help` speaks of. Its registry is the folder `./registry` of most shells."""

    def __init__(self, world: World, kubeconfig: Path, alone: World, trusting: SecureWorld) -> None:
        self._world = world
        self._alone = alone
        self._kubeconfig = kubeconfig
        self.here = self._shell(world.folder, "vinay-laptop", world.registry.folder)
        """On the control plane, which is `vinay-laptop` too."""
        self.old_laptop = self._shell(world.folder / "old", "old-laptop", world.registry.folder)
        """On a registered node whose subscriber does not run."""
        self.legacy = self._shell(world.folder / "legacy", "any", world.folder / "legacy" / "registry")
        """On the control plane of a cluster of the replaced system."""
        shutil.copy(LEGACY, world.folder / "legacy" / "registry")
        self.quiet = _lay_out(Shell(alone.folder), alone, "any", registry_dir=alone.registry.folder)
        """On the control plane of a cluster of its own, whose publisher does not run."""
        self.joining = Shell(world.folder / "joining")
        """On a machine that has a join token, of a cluster with trust on, and an image that is to be a node."""
        self.joining.lay_out({})
        (self.joining.folder / "image").mkdir()
        self.rotating = Shell(trusting.folder / "rotating", ROUTECAST_PUBLISHER_SIGNING_SEED_FILE=str(trusting.seed))
        """On the control plane of a cluster with trust on, whose nodes are all away."""
        self.rotating.lay_out({"nats": trusting.nats(OPERATOR).model_dump(mode="json", exclude_defaults=True)})
        self._made = 0
        self.with_keys = self.new()
        """On a control plane with keys and certificates."""
        keys = trust_in(self.with_keys.folder)
        folders = (Path(keys[f"ROUTECAST_TRUST_{which}DIRECTORY"]) for which in ("", "SERVER_"))
        TrustDirectory(*folders).make(("localhost",), now())

    def new(self) -> Shell:
        """Return a shell on the control plane of a cluster that has no registry yet."""
        self._made += 1
        folder = self._world.folder / f"new-{self._made}"
        return self._shell(folder, "any", folder / "registry")

    def change_in_quiet(self) -> None:
        """Change the registry of the quiet cluster, each time to something else."""
        self._made += 1
        port = 8000 + self._made
        self._alone.registry.edit_services(lambda services: services["immich"].update(port=port))

    def _shell(self, folder: Path, node: str, registry: Path) -> Shell:
        registry.mkdir(parents=True, exist_ok=True)
        return _lay_out(Shell(folder), self._world, node, registry_dir=registry, kubeconfig=self._kubeconfig)


@asynccontextmanager
async def home_cluster(folder: Path) -> AsyncIterator[HomeCluster]:
    """Run it: all nodes but the old laptop are online, one entry of the registry has a fault."""
    (folder / "trust").mkdir()
    async with (
        FakeKubernetes() as api,
        World(folder) as world,
        World(folder / "alone") as alone,
        await opened(folder / "trust") as trusting,
    ):
        api.put_service("vaultwarden", "vaultwarden", ip="100.67.243.30", ports=[80])
        world.registry.edit("sync-controller-registry", "registry.json", _add_old_laptop)
        world.registry.edit_services(_add_faulty)
        await _publish_past_versions(world)
        world.node("vinay-laptop").hosts.write_text(OLD_LINES)
        trusting.registry.edit("sync-controller-registry", "registry.json", _add_old_laptop)
        cluster = HomeCluster(world, api.kubeconfig(folder / "kubeconfig"), alone, trusting)
        async with world.publisher(), world.nodes(), trusting.publisher():
            await world.synced()
            token = await trusting.invite("vinay-laptop")
            (cluster.joining.folder / "join-token").write_text(token.encode())
            yield cluster


def _add_old_laptop(nodes: Entries) -> None:
    nodes["management_laptops"].append({"name": "old-laptop", "ip": "100.88.1.9"})


def _add_faulty(services: Entries) -> None:
    services["wiki"] = {"subdomain": "wiki", "ip": "100.67.243.40", "port": "none", "public": False}


async def _publish_past_versions(world: World) -> None:
    """Store the versions 41, 56 and 57, and that the old laptop failed at the second of them."""
    registry = parse(read_folder(world.registry.folder, "kube-system"), None).registry
    failed = AckError(code="read_only", message="/etc/hosts: Read-only file system")
    async with world.bus() as bus:
        await make_streams(bus)
        await publish_registry(bus, without_service("grafana", registry), version=41)
        before = await publish_registry(bus, without_service("open-webui", registry), version=56)
        await answer(bus, ack_of("old-laptop", before, state=State.FAILED, applied=None, error=failed))
        await publish_registry(bus, registry, version=57)


@dataclass(frozen=True, slots=True)
class PageCluster:
    """The cluster that the pages speak of, and a shell on its control plane, which is `my-laptop` too."""

    api: FakeKubernetes
    shell: Shell


@asynccontextmanager
async def page_cluster(folder: Path) -> AsyncIterator[PageCluster]:
    """Run it: the registry of the README in a cluster, its two nodes online."""
    (manifest,) = [block.text for block in blocks(ROOT / "README.md", "yaml") if "ConfigMap" in block.text]
    async with FakeKubernetes() as api, World(folder) as world:
        for document in yaml.safe_load_all(manifest):
            api.put_config_map(document["metadata"]["name"], document["data"])
        api.put_service("vaultwarden", "vaultwarden", ip="100.67.243.30", ports=[80])
        kubeconfig = api.kubeconfig(folder / "kubeconfig")
        shell = Shell(folder / "home", KUBECONFIG=str(kubeconfig), EDITOR="true")
        _lay_out(shell, world, "my-laptop", kubeconfig=kubeconfig)
        (shell.folder / "registry.yaml").write_text(manifest)
        laptop, vps = world.node("my-laptop"), world.node("my-vps", Role.VPS)
        laptop.hosts.write_text(OLD_LINES)
        async with (
            world.publisher(registry_dir=None, kubeconfig=kubeconfig),
            laptop.running(),
            vps.running(),
        ):
            await world.synced("my-laptop", "my-vps")
            yield PageCluster(api, shell)
