"""Look at this machine as a node. Nothing is changed, a canary that is asked for apart."""

import asyncio
import os
import socket
from collections.abc import Mapping
from functools import partial
from ipaddress import ip_address
from typing import Any

from cli.doctor.attempt import Fault, attempt
from cli.doctor.beside import beside, beside_in_own_loop
from cli.doctor.node.facts import NodeSeen, PathSeen, ServiceSeen, TargetSeen
from cli.doctor.node.look import look_at_path
from cli.doctor.node.read_names import read_dnsmasq, read_names, read_resolver
from cli.doctor.node.read_traefik import read_traefik
from cli.text import count
from common.ack import NodeAck
from common.errors import ConfigError, RoutecastError, SnapshotRejected
from common.files import read_bytes
from common.models import Registry
from common.settings import Settings
from common.settings.subscriber import TargetName
from common.snapshot import Snapshot
from subscriber.local import ask
from subscriber.policy import Policy
from subscriber.state import NodeState
from subscriber.survey import look
from subscriber.targets import build_targets
from subscriber.targets.hosts_block import split
from subscriber.targets.hosts_lines import entry_lines, shadowed
from subscriber.targets.target import Plan, Target

_ASK_S = 5.0
"""How long the running service may take to answer, in s."""


async def read_node(settings: Settings, *, canary: bool) -> NodeSeen:
    """Return what this machine is as a node; never raises. `canary` has a file put into Traefik's directory."""
    state = NodeState(settings.subscriber.state_dir)
    async with asyncio.TaskGroup() as reads:
        file = reads.create_task(beside(partial(_settings_file, settings)), name="file")
        state_dir = reads.create_task(
            attempt("the state directory", beside(partial(look_at_path, state.directory))), name="state dir"
        )
        service = reads.create_task(attempt("the running subscriber", _ask_service(state), _ASK_S + 1), name="service")
        accepted = reads.create_task(
            attempt("the stored snapshot", beside(partial(_read_accepted, state))), name="accepted"
        )
        brought = reads.create_task(beside(state.read_keys), name="keys")
        resolver = reads.create_task(beside(read_resolver), name="resolver")
    kept = accepted.result()
    registry = kept.registry if isinstance(kept, Snapshot) else None
    async with asyncio.TaskGroup() as reads:
        targets = reads.create_task(_read_targets(settings, registry), name="targets")
        shadows = reads.create_task(
            attempt("the hosts file", beside(partial(_read_shadows, settings, registry))), name="shadows"
        )
        dnsmasq = reads.create_task(read_dnsmasq(settings, registry), name="dnsmasq")
        traefik = reads.create_task(read_traefik(settings, registry, canary=canary), name="traefik")
        names = reads.create_task(read_names(settings, registry), name="names")
        leftovers = reads.create_task(attempt("leftovers", beside(partial(look, settings, registry))), name="leftovers")
        address = reads.create_task(beside(partial(_own_address, settings, registry)), name="address")
    return NodeSeen(
        settings=settings,
        root=os.geteuid() == 0,
        settings_file=file.result(),
        state_dir=state_dir.result(),
        service=service.result(),
        accepted=kept,
        brought=brought.result(),
        address=address.result(),
        targets=targets.result(),
        shadows=shadows.result(),
        dnsmasq=dnsmasq.result(),
        traefik=traefik.result(),
        names=names.result(),
        resolver=resolver.result(),
        leftovers=leftovers.result(),
        canary=canary,
    )


def _settings_file(settings: Settings) -> PathSeen | None:
    return look_at_path(settings.file) if settings.file is not None else None


async def _ask_service(state: NodeState) -> ServiceSeen | None:
    said = await ask(state.socket, "status", _ASK_S)
    if said is None:
        return None
    if "error" in said:
        raise RoutecastError(f"the running subscriber could not say how it is: {said['error']}")
    return _service(said)


def _service(said: Mapping[str, Any]) -> ServiceSeen:
    ack = said.get("last_ack")
    return ServiceSeen(
        node=str(said["node"]),
        connected=bool(said["connected"]),
        stale=bool(said["stale"]),
        last_ack=NodeAck.model_validate(ack) if ack is not None else None,
        trouble=said.get("trouble"),
    )


def _read_accepted(state: NodeState) -> Snapshot | None:
    """Return the stored snapshot, None when none was ever accepted.

    Raises:
        ConfigError: this user may not read it, or it is damaged.

    """
    file = state.directory / "accepted.json"
    try:
        body = read_bytes(file)
        return None if body is None else Snapshot.from_body(body)
    except OSError as e:
        raise ConfigError(f"{file} cannot be read: {e.strerror}") from e
    except SnapshotRejected as e:
        raise ConfigError(f"{file} is damaged ({e}): the next snapshot replaces it") from e


async def _read_targets(settings: Settings, registry: Registry | None) -> tuple[TargetSeen, ...] | Fault:
    if registry is None:
        return ()
    try:
        targets = build_targets(settings)
    except ConfigError as e:
        return Fault(e)
    return tuple(await asyncio.gather(*(_read_target(target, settings, registry) for target in targets)))


async def _read_target(target: Target, settings: Settings, registry: Registry) -> TargetSeen:
    plan = await attempt(f"target {target.name}", beside_in_own_loop(partial(target.plan, registry)))
    return TargetSeen(
        target.name, _holds(target.name, settings, registry), plan if isinstance(plan, Fault) else _say(plan)
    )


def _holds(target: TargetName, settings: Settings, registry: Registry) -> str:
    if target is TargetName.TRAEFIK:
        node = registry.node(settings.subscriber.node or "")
        routes = Policy(settings.policy).routes(registry, node.address).routes if node is not None else ()
        return count(len(routes), "route")
    return count(len(Policy(settings.policy).names(registry).records), "name")


def _say(plan: Plan) -> str | None:
    if not plan.changed:
        return None
    parts = {"missing": plan.created, "different": plan.updated, "too many": plan.deleted}
    return ", ".join(f"{len(names)} {word}" for word, names in parts.items() if names) or "other bytes"


def _read_shadows(settings: Settings, registry: Registry | None) -> dict[str, str]:
    """Return the names that lines above our block give another address: the earlier line wins."""
    if registry is None or TargetName.HOSTS not in settings.subscriber.target_names:
        return {}
    records = Policy(settings.policy).names(registry).records
    try:
        content = settings.hosts.path.read_bytes()
    except OSError as e:
        raise ConfigError(f"{settings.hosts.path} cannot be read: {e.strerror}") from e
    return shadowed(split(content, frozenset(entry_lines(records))).before, records)


def _own_address(settings: Settings, registry: Registry | None) -> tuple[str, bool] | None:
    """Return the address that this node is registered with, and whether a socket can be bound to it."""
    node = registry.node(settings.subscriber.node or "") if registry is not None else None
    if node is None:
        return None
    family = socket.AF_INET6 if ip_address(node.address).version == 6 else socket.AF_INET  # noqa: PLR2004
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((node.address, 0))
        except OSError:
            return node.address, False
    return node.address, True
