import asyncio
from pathlib import Path

import pytest

from common.models import Registry, Role
from common.settings import Settings
from common.settings.subscriber import TargetName
from subscriber.adopt import Removed, adopt, plan_adoption
from subscriber.files import LiveFile
from subscriber.leftovers import Kind
from subscriber.local import answering
from subscriber.state import NodeState
from subscriber.targets import build_targets
from tests.features.conftest import world
from tests.registries import REFERENCE, snapshot, with_service
from tests.subscriber.mounts import names_in
from tests.subscriber.test_removal import BELOW, BLOCK, OWNER
from tests.world import World, until

__all__ = ["world"]


class OldNode:
    """A node on which the replaced system was, and ours has started."""

    def __init__(self, folder: Path, role: Role, *targets: TargetName, node: str | None = "contabo-vps") -> None:
        self.hosts = folder / "hosts"
        self.hosts.write_bytes(OWNER + BLOCK + BELOW)
        self.routes = folder / "dynamic" / "mynodeone-routes.yml"
        self.routes.parent.mkdir()
        self.routes.write_bytes(b"rule: Host(`photos.curiios.com`)\n")
        self.settings = Settings.model_validate(
            {
                "subscriber": {"node": node, "role": role, "state_dir": folder / "state", "targets": targets or None},
                "hosts": {"path": self.hosts, "flush_command": ["sh", "-c", f"echo >> {folder}/flushed"]},
                "traefik": {
                    "directory": self.routes.parent,
                    "staging_dir": folder / "staging",
                    "api_url": None,
                },
                "dnsmasq": {"drop_in": folder / "dnsmasq.conf", "hosts_file": folder / "dnsmasq.hosts"},
            }
        )

    async def accept(self, registry: Registry = REFERENCE) -> None:
        """Accept a snapshot, without applying it."""
        directory = self.settings.subscriber.state_dir
        directory.mkdir(exist_ok=True)
        await asyncio.to_thread(NodeState(directory).write_accepted, snapshot(registry).to_body())

    async def apply(self, registry: Registry = REFERENCE) -> None:
        """Bring its targets to a registry."""
        for target in build_targets(self.settings):
            await target.apply(registry)

    async def reason(self, kind: Kind) -> str | None:
        """Return what is against the removal of one leftover."""
        plan = await plan_adoption(self.settings)
        (found,) = [removal for removal in plan.removals if removal.leftover.kind is kind]
        return found.against


async def test_names_go_once_ours_stand(tmp_path: Path) -> None:
    """The hosts target has written its block: the old one goes, and the resolver's cache is emptied."""
    laptop = OldNode(tmp_path, Role.LAPTOP)
    await laptop.accept()
    reason = await laptop.reason(Kind.NAMES)
    assert reason == (
        "ours (hosts) does not have chat.mycloud.local, photos.mycloud.local yet; run: routecast subscriber sync"
    )
    await laptop.apply()
    (tmp_path / "flushed").unlink()
    plan = await plan_adoption(laptop.settings)
    chosen = plan.chosen(force=False)
    assert [removal.leftover.kind for removal in chosen] == [Kind.NAMES]
    (removed,) = await adopt(laptop.settings, chosen, plan.zone)
    assert removed.error is None
    assert removed.backup is not None
    assert laptop.hosts.read_bytes().startswith(OWNER + BELOW)
    assert b"100.67.243.10\tphotos.mycloud.local" in laptop.hosts.read_bytes()
    assert (tmp_path / "flushed").exists()
    assert [each.leftover.kind for each in (await plan_adoption(laptop.settings)).removals] == [Kind.ROUTES]
    assert await adopt(laptop.settings, chosen, plan.zone) == (Removed(chosen[0].leftover, None),)


async def test_names_that_the_registry_does_not_have_hold_nothing_up(tmp_path: Path) -> None:
    """Only names of the old block that ours are to give, and do not yet, are a reason to wait."""
    laptop = OldNode(tmp_path, Role.LAPTOP)
    await laptop.apply()
    more = with_service("new", REFERENCE.services["immich"].model_copy(update={"subdomain": "new"}))
    await laptop.accept(more)
    assert await laptop.reason(Kind.NAMES) is None


async def test_dnsmasq_stands_in_for_the_hosts_file(tmp_path: Path) -> None:
    """A node whose names come from dnsmasq: its files count."""
    laptop = OldNode(tmp_path, Role.LAPTOP, TargetName.DNSMASQ)
    await laptop.accept()
    assert "ours (dnsmasq) does not have" in (await laptop.reason(Kind.NAMES) or "")
    laptop.settings.dnsmasq.hosts_file.write_text(
        "100.67.243.10\tphotos.mycloud.local\n100.67.243.11\tchat.mycloud.local\n"
    )
    assert await laptop.reason(Kind.NAMES) is None


async def test_routes_go_once_ours_stand(tmp_path: Path) -> None:
    """The old file stays while routecast.yml lacks a route that the registry wants here: else it would drop."""
    vps = OldNode(tmp_path, Role.VPS)
    await vps.accept()
    assert "ours (traefik) does not have chat.curiios.com" in (await vps.reason(Kind.ROUTES) or "")
    assert "no target of this node writes names" in (await vps.reason(Kind.NAMES) or "")
    await vps.apply()
    plan = await plan_adoption(vps.settings)
    (removed,) = await adopt(vps.settings, plan.chosen(force=False), plan.zone)
    assert removed.backup is not None
    assert names_in(vps.routes.parent) == ["routecast.yml"]
    assert vps.hosts.read_bytes() == OWNER + BLOCK + BELOW


async def test_no_route_wanted_needs_no_file(tmp_path: Path) -> None:
    """The registry has the node and no route for it: what the old file serves is to go."""
    vps = OldNode(tmp_path, Role.VPS)
    await vps.accept(REFERENCE.model_copy(update={"routing": {}}))
    assert await vps.reason(Kind.ROUTES) is None


async def test_a_node_that_is_not_registered_keeps_its_routes(tmp_path: Path) -> None:
    """No route for it then means that nobody knows it, not that nothing is to be served."""
    vps = OldNode(tmp_path, Role.VPS, node="nobody")
    await vps.accept()
    assert "the registry has no node 'nobody'" in (await vps.reason(Kind.ROUTES) or "")


async def test_before_the_first_snapshot_nothing_goes(tmp_path: Path) -> None:
    """The zone is not known, so no name is the old system's; its routes stay, but for a person who insists."""
    vps = OldNode(tmp_path, Role.VPS)
    plan = await plan_adoption(vps.settings)
    assert plan.zone is None
    assert [line.number for line in plan.unsure] == [5]
    (removal,) = plan.removals
    assert "no snapshot was accepted here yet" in (removal.against or "")
    assert plan.chosen(force=False) == ()
    (removed,) = await adopt(vps.settings, plan.chosen(force=True), plan.zone)
    assert removed.backup is not None
    assert not vps.routes.exists()


async def test_a_target_that_cannot_be_read_is_a_reason(tmp_path: Path) -> None:
    """Nobody knows then whether ours stand."""
    vps = OldNode(tmp_path, Role.VPS)
    await vps.accept()
    (vps.routes.parent / "routecast.yml").mkdir()
    assert str(vps.routes.parent / "routecast.yml") in (await vps.reason(Kind.ROUTES) or "")


async def test_a_removal_that_fails_keeps_no_other_from_its_turn(tmp_path: Path) -> None:
    """The hosts file cannot be changed: its error is told, the routes go."""
    node = OldNode(tmp_path, Role.VPS, TargetName.HOSTS, TargetName.TRAEFIK)
    await node.accept()
    await node.apply()
    plan = await plan_adoption(node.settings)
    assert len(plan.chosen(force=False)) == 2
    node.hosts.unlink()
    node.hosts.mkdir()
    names, routes = await adopt(node.settings, plan.chosen(force=False), plan.zone)
    assert str(node.hosts) in (names.error or "")
    assert routes.backup is not None


@pytest.mark.parametrize("command", [["false"], ["/nowhere/to/be/found"]])
async def test_a_cache_that_is_not_emptied_is_no_failure(tmp_path: Path, command: list[str]) -> None:
    """The lines are gone; that the command failed is logged."""
    laptop = OldNode(tmp_path, Role.LAPTOP)
    await laptop.accept()
    await laptop.apply()
    hosts = laptop.settings.hosts.model_copy(update={"flush_command": tuple(command)})
    plan = await plan_adoption(laptop.settings)
    settings = laptop.settings.model_copy(update={"hosts": hosts})
    (removed,) = await adopt(settings, plan.chosen(force=False), plan.zone)
    assert removed.error is None


class BusyService:
    """A running subscriber, some of whose writes began before a removal and bring the old block back."""

    def __init__(self, hosts: Path, *, writes: int) -> None:
        self.hosts, self.writes, self.asked = hosts, writes, 0

    async def sync(self) -> dict[str, object]:
        """Write, as long as there is something to write."""
        self.asked += 1
        if self.asked <= self.writes:
            await asyncio.to_thread(self.hosts.write_bytes, OWNER + BLOCK + BELOW)
        return {"ack": {}}


async def test_a_block_that_a_running_subscriber_brought_back_is_removed_again(tmp_path: Path) -> None:
    """It is asked to look at its own lines until nothing of the old ones is back."""
    laptop = OldNode(tmp_path, Role.LAPTOP)
    await laptop.accept()
    await laptop.apply()
    plan = await plan_adoption(laptop.settings)
    chosen = [each for each in plan.removals if each.leftover.kind is Kind.NAMES]
    service = BusyService(laptop.hosts, writes=2)
    async with answering(laptop.settings.subscriber.state_dir / "subscriber.sock", {"sync": service.sync}):
        (removed,) = await adopt(laptop.settings, chosen, plan.zone)
    assert service.asked == 3
    assert removed.error is None
    assert removed.backup is not None
    assert laptop.hosts.read_bytes() == OWNER + BELOW


async def test_a_running_subscriber_that_cannot_look_is_not_asked_again(tmp_path: Path) -> None:
    """What it says instead of a result is no failure of the removal."""
    laptop = OldNode(tmp_path, Role.LAPTOP)
    await laptop.accept()
    plan = await plan_adoption(laptop.settings)

    async def fail() -> dict[str, object]:
        return {"error": "there is no snapshot yet"}

    async with answering(laptop.settings.subscriber.state_dir / "subscriber.sock", {"sync": fail}):
        names, _ = await adopt(laptop.settings, plan.chosen(force=True), plan.zone)
    assert names.error is None
    assert laptop.hosts.read_bytes() == OWNER + BELOW


async def test_a_removal_and_a_running_subscriber_do_not_undo_each_other(world: World) -> None:
    """While names change all the time: after each adoption the old block is gone and the newest names stand."""
    node = world.node("vinay-laptop")
    hosts = LiveFile(node.hosts)
    async with world.publisher(max_delay_s=0.05, quiet_delay_s=0.01), node.running():
        await world.synced("vinay-laptop")
        plan = None
        for number in range(1, 11):
            for _ in range(1000):
                current = await asyncio.to_thread(hosts.read) or b""
                if await asyncio.to_thread(hosts.replace, OWNER + BLOCK + b"\n" + current, expected=current):
                    break
            plan = plan or await plan_adoption(node.settings)
            ip = f"100.67.9.{number}"
            await asyncio.to_thread(world.registry.edit_services, lambda it, ip=ip: it["immich"].update(ip=ip))
            (removed,) = await adopt(node.settings, plan.chosen(force=False), plan.zone)
            assert removed.error is None
            await until(lambda ip=ip: f"{ip}\tphotos.mycloud.local" in node.hosts.read_text(errors="replace"), ip)
            assert BLOCK not in node.hosts.read_bytes()
        assert node.hosts.read_bytes().startswith((OWNER + b"\n") * 10)
