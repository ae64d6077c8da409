"""All checks of the control plane, from what was seen. Pure."""

from collections.abc import Iterator

from cli.doctor.bus.facts import BusSeen
from cli.doctor.bus.judge import jetstream_of
from cli.doctor.check import Check
from cli.doctor.control_plane.fleet import judge_nodes
from cli.doctor.control_plane.publisher import alive, judge_publishers
from cli.doctor.control_plane.snapshot import SeedSeen, judge_seed, judge_snapshot
from cli.doctor.control_plane.source import judge_source
from cli.doctor.control_plane.source_facts import SourceSeen
from cli.doctor.control_plane.streams import judge_durables, judge_streams
from cli.newest import Newest


def judge_control_plane(bus: BusSeen, source: SourceSeen, seed: SeedSeen) -> Iterator[Check]:
    """Yield the checks in the order in which one rests on the other: the source, the streams, the publisher, nodes."""
    seen = jetstream_of(bus)
    newest = None if isinstance(seen, str) or not isinstance(seen.newest, Newest) else seen.newest
    yield from judge_source(source, alive(seen))
    yield judge_seed(seed, newest)
    yield from judge_streams(seen)
    yield from judge_publishers(seen, cluster=source.in_cluster)
    yield from judge_snapshot(seen)
    yield from judge_durables(seen)
    yield from judge_nodes(seen)
