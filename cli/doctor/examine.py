"""Look at everything at once, then judge it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from cli.doctor.bus.judge import judge_bus
from cli.doctor.bus.read import read_bus
from cli.doctor.check import Check, Report
from cli.doctor.control_plane.judge import judge_control_plane
from cli.doctor.control_plane.read_seed import read_seed_of
from cli.doctor.control_plane.read_source import options_of, read_source
from cli.doctor.node.judge import judge_node
from cli.doctor.node.read import read_node
from cli.doctor.node.traefik import CANARY
from cli.doctor.sides import Side, choose
from common.clock import now
from common.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for."""

    side: Side | None = None
    registry_dir: Path | None = None
    cluster: bool = False
    canary: bool = False


async def examine(settings: Settings, asked: Asked) -> Report:
    """Return the checks of what this machine is; what cannot be read is a check that failed, nothing is raised."""
    node_named = settings.subscriber.node is not None
    options = options_of(asked.registry_dir, cluster=asked.cluster)
    as_node = asked.side is Side.NODE or (asked.side is None and node_named)
    async with asyncio.TaskGroup() as reads:
        bus = reads.create_task(read_bus(settings, fleet=asked.side is not Side.NODE), name="NATS")
        seed = reads.create_task(read_seed_of(settings.publisher), name="seed")
        node = reads.create_task(read_node(settings, canary=asked.canary), name="node") if as_node else None
        source = None
        if asked.side is not Side.NODE:
            reading = read_source(settings.publisher, cluster=asked.cluster, options=options)
            source = reads.create_task(reading, name="registry source")
    seen = source.result() if source is not None else None
    sides = choose(asked.side, node_named=node_named, source=seen)
    checks: list[Check] = [*judge_bus(bus.result())]
    if sides.control_plane and seen is not None:
        checks += judge_control_plane(bus.result(), seen, seed.result())
    if sides.node and node is not None:
        checks += judge_node(bus.result(), node.result())
    elif asked.canary:
        checks.append(CANARY.skip("the node's side is not checked", "sudo routecast doctor node --canary"))
    return Report(now(), (*checks, *sides.skipped))
