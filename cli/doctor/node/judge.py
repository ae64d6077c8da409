"""All checks of a node, from what was seen. Pure."""

from collections.abc import Iterator

from cli.doctor.bus.facts import BusSeen
from cli.doctor.bus.judge import jetstream_of
from cli.doctor.check import Check
from cli.doctor.node.facts import NodeSeen
from cli.doctor.node.names import judge_names
from cli.doctor.node.service import judge_service
from cli.doctor.node.settings import judge_settings
from cli.doctor.node.standing import judge_standing
from cli.doctor.node.targets import judge_targets
from cli.doctor.node.traefik import judge_traefik


def judge_node(bus: BusSeen, seen: NodeSeen) -> Iterator[Check]:
    """Yield the checks in the order in which one rests on the other: settings, service, bus, targets, their readers."""
    yield from judge_settings(seen)
    yield from judge_service(seen)
    yield from judge_standing(seen, jetstream_of(bus))
    yield from judge_targets(seen)
    yield from judge_names(seen)
    yield from judge_traefik(seen)
