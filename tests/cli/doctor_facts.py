"""What the doctor could have seen, made by hand: all is well unless the fields say otherwise."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cli.doctor.attempt import Fault
from cli.doctor.bus.facts import BusSeen, ClockSeen, JetStreamSeen, LoginSeen, ServerSeen, StreamSeen
from cli.doctor.bus.judge import judge_bus
from cli.doctor.check import Check, State
from cli.doctor.control_plane.judge import judge_control_plane
from cli.doctor.control_plane.snapshot import SeedSeen
from cli.doctor.control_plane.source_facts import DocumentSeen, Read, Rights, SourceSeen
from cli.doctor.node.facts import NodeSeen, PathSeen, ResolverSeen, ServiceSeen, TargetSeen
from cli.doctor.node.judge import judge_node
from cli.newest import Newest
from common import subjects
from common.errors import BusUnavailable, RoutecastError, TargetFailed
from common.settings import Settings
from common.settings.subscriber import TargetName
from common.snapshot import Snapshot, seal
from common.status import DocumentStatus, PublisherStatus, SourceState
from common.streams import ConsumerState, Stored
from publisher.source.document import DOCUMENTS
from subscriber.survey import Survey
from tests.cli.bus_data import ack_of
from tests.registries import SIGNER, snapshot

NOW = datetime(2025, 11, 6, 18, 30, tzinfo=UTC)
SNAPSHOT = snapshot()
NODES = tuple(node.name for node in SNAPSHOT.registry.nodes)
SEQ = 12
NODE = "work-laptop"
ADDRESS = "100.87.123.45"


def fault(said: str = "it is gone", kind: type[RoutecastError] = BusUnavailable) -> Fault:
    """Return a reason why something could not be read."""
    return Fault(kind(said))


def newest(of: Snapshot = SNAPSHOT, *, stored: timedelta = timedelta(), why: str | None = None) -> Newest:
    """Return the newest message, stored so long ago."""
    return Newest(Stored(seal(of, SIGNER), SEQ, NOW - stored), of, why)


def consumer(node: str = NODE, waiting: int = 1, *, paused: bool = False, held: int = 0) -> ConsumerState:
    """Return a node's durable."""
    return ConsumerState(subjects.durable(node), waiting, 0, held, None, paused)


def consumers(*nodes: str, **fields: Any) -> dict[str, ConsumerState]:
    """Return the durables of some nodes, by default of all."""
    return {subjects.durable(node): consumer(node, **fields) for node in nodes or NODES}


def status(instance: str = "cp1-1", heard: timedelta = timedelta(), **fields: Any) -> PublisherStatus:
    """Return what a publisher said."""
    made = PublisherStatus(
        instance=instance,
        host="cp1",
        agent_version="0.1.0",
        started_at=NOW,
        at=NOW - heard,
        epoch=SNAPSHOT.epoch,
        version=SNAPSHOT.version,
        sources={name: DocumentStatus(state=SourceState.READABLE) for name in DOCUMENTS},
    )
    return made.model_copy(update=fields)


def jetstream(**fields: Any) -> JetStreamSeen:
    """Return what JetStream holds."""
    streams = (subjects.REGISTRY, subjects.HISTORY, subjects.ACKS, subjects.STATUS)
    given: dict[str, Any] = {
        "now": NOW,
        "clock": ClockSeen(0.0, 0.001),
        "streams": {name: StreamSeen(1, ()) for name in streams},
        "newest": newest(),
        "statuses": [status()],
        "consumers": consumers(),
        "odd_consumers": {},
        "acks": {node: ack_of(node, SNAPSHOT, SEQ, finished_at=NOW) for node in NODES},
    }
    return JetStreamSeen(**{**given, **fields})


def bus(server: Any = None, **fields: Any) -> BusSeen:
    """Return NATS; `fields` are those of JetStream."""
    server = server if server is not None else ServerSeen("2.12.0", 1 << 20, jetstream(**fields))
    return BusSeen("nats://cp1:4222", "cp1", 4222, server, login=LoginSeen("/etc/routecast/nats.creds", "operator"))


def read(**fields: Any) -> Read:
    """Return a source that answers."""
    given: dict[str, Any] = {
        "documents": [DocumentSeen(name, SourceState.READABLE, None, f"edit {name}") for name in DOCUMENTS],
        "problems": (),
    }
    return Read(**{**given, **fields})


def source(**fields: Any) -> SourceSeen:
    """Return the registry's source."""
    given: dict[str, Any] = {
        "where": "the folder /registry",
        "named": True,
        "options": "",
        "in_cluster": False,
        "look": "ls -ld /registry",
        "read": read(),
        "rights": Rights("root@cp1", (), 2, "grant it"),
    }
    return SourceSeen(**{**given, **fields})


SEED = SeedSeen("/etc/routecast/signing.seed", SIGNER.public_key)


def settings(**sections: Any) -> Settings:
    """Return a laptop's settings."""
    subscriber = {"node": NODE, "public_keys": [SIGNER.public_key], **sections.pop("subscriber", {})}
    return Settings.model_validate({"subscriber": subscriber, **sections})


def path(where: str = "/var/lib/routecast", **fields: Any) -> PathSeen:
    """Return a path as it should be."""
    return PathSeen(Path(where), **{"exists": True, "directory": True, "mode": 0o755, "writable": True, **fields})


def node(**fields: Any) -> NodeSeen:
    """Return this machine as a node."""
    given: dict[str, Any] = {
        "settings": settings(),
        "root": True,
        "settings_file": path("/etc/routecast/routecast.toml", directory=False, mode=0o644),
        "state_dir": path(),
        "service": ServiceSeen(NODE, connected=True, stale=False, last_ack=ack_of(NODE, SNAPSHOT, SEQ)),
        "accepted": SNAPSHOT,
        "address": (ADDRESS, True),
        "targets": [TargetSeen(TargetName.HOSTS, "5 names", None)],
        "resolver": ResolverSeen(("files", "dns"), ()),
        "leftovers": Survey(),
    }
    return NodeSeen(**{**given, **fields})


def states(checks: Iterable[Check]) -> dict[str, State]:
    """Return how the checks ended, by name."""
    return {check.check: check.state for check in checks}


def bad(checks: Iterable[Check]) -> dict[str, State]:
    """Return those that are not ok."""
    return {name: state for name, state in states(checks).items() if state is not State.OK}


def one(checks: Iterable[Check], name: str) -> Check:
    """Return the only check of that name."""
    (found,) = [check for check in checks if check.check == name]
    return found


def permission() -> Fault:
    """Return that a target's file may not be touched."""
    return Fault(TargetFailed("permission", "may not"))


def judge_as_node(seen: NodeSeen | None = None, of_nats: BusSeen | None = None) -> list[Check]:
    """Return the checks of a node; each that is bad must name a next command."""
    return _with_next(judge_node(of_nats or bus(), seen or node()))


def judge_as_control_plane(
    of_nats: BusSeen | None = None, in_source: SourceSeen | None = None, seed: SeedSeen = SEED
) -> list[Check]:
    """Return the checks of NATS and of a control plane; each that is bad must name a next command."""
    seen = of_nats or bus()
    return _with_next([*judge_bus(seen), *judge_control_plane(seen, in_source or source(), seed)])


def _with_next(checks: Iterable[Check]) -> list[Check]:
    found = list(checks)
    assert not [check for check in found if check.state in {State.WARN, State.FAIL} and not check.next]
    return found
