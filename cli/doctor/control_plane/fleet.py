"""Judge the nodes, as `routecast nodes` does. Pure."""

from collections.abc import Iterator, Mapping

from cli.doctor.attempt import Fault
from cli.doctor.bus.facts import JetStreamSeen
from cli.doctor.check import Check, Part, Subject
from cli.newest import Newest
from cli.nodes.report import Facts, NodeRow, make_report
from cli.text import age, count
from common.ack import NodeAck
from common.streams import ConsumerState
from common.sync_state import SyncState

NODES = Subject(Part.CONTROL_PLANE, "nodes")

_ON_IT = "sudo routecast doctor node"


def judge_nodes(seen: JetStreamSeen | str) -> Iterator[Check]:
    """Yield one check for all nodes that are synced, then one for each other node, the worst first."""
    if isinstance(seen, str):
        yield NODES.skip(seen)
    elif isinstance(seen.consumers, Fault):
        yield NODES.fail(str(seen.consumers), "routecast nodes")
    elif isinstance(seen.acks, Fault):
        yield NODES.fail(str(seen.acks), "routecast nodes")
    elif not isinstance(seen.newest, Newest) or seen.newest.snapshot is None:
        yield NODES.skip("without a snapshot it is not known which nodes are registered")
    else:
        yield from _judge(seen, seen.newest, seen.consumers, seen.acks)


def _judge(
    seen: JetStreamSeen,
    newest: Newest,
    consumers: Mapping[str, ConsumerState],
    acks: Mapping[str, NodeAck | None],
) -> Iterator[Check]:
    rows = make_report(Facts(seen.now, newest, (), consumers, acks)).nodes
    if not rows:
        yield NODES.warn("no node is registered", "routecast node add --help")
        return
    synced = sum(row.state is SyncState.SYNCED for row in rows)
    online = sum(row.online for row in rows)
    yield NODES.ok(f"{count(len(rows), 'node')}: {online} online, {synced} synced")
    for row in rows:
        if row.state is not SyncState.SYNCED:
            yield _judge_one(row)


def _judge_one(row: NodeRow) -> Check:
    subject = Subject(Part.CONTROL_PLANE, f"node {row.node}")
    said = "; ".join(part for part in (_state(row), row.error, row.hint) if part)
    match row.state:
        case SyncState.OFFLINE | SyncState.NEVER:
            return subject.warn(f"{said}; if it should be online, on that machine:", _ON_IT)
        case SyncState.LAGGING:
            return subject.fail(said, "routecast push")
        case SyncState.DUPLICATE:
            return subject.fail(f"{said}; give the clone a name of its own, on each machine of that name:", _ON_IT)
        case _:
            return subject.fail(said, f"routecast acks {row.node}")


def _state(row: NodeRow) -> str:
    """Return a node's state, with the version that it runs."""
    runs = f", runs version {row.version}" if row.version is not None else ""
    since = f", last synced {age(row.last_sync_age_s)} ago" if row.last_sync_age_s is not None else ""
    return f"{row.state}{runs}{since}"
