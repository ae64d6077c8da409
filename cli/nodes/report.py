"""Make the report on all nodes out of what was read from the bus. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cli.newest import Newest
from common import subjects
from common.ack import NodeAck, Refused, State
from common.models import Node, Role
from common.problems import Severity
from common.status import EVERY_S, PublisherStatus
from common.streams import ConsumerState
from common.sync_state import Latest, SyncState, sync_state, versions_behind

ALIVE_FOR = timedelta(seconds=2.5 * EVERY_S)
"""A publisher that was not heard of for this long counts as gone."""

_AWAY = {SyncState.OFFLINE, SyncState.NEVER}


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read from the bus, all of about the same moment."""

    now: datetime
    newest: Newest | None
    statuses: Sequence[PublisherStatus]
    """The newest first."""
    consumers: Mapping[str, ConsumerState]
    acks: Mapping[str, NodeAck | None]


@dataclass(frozen=True, slots=True)
class PublisherRow:
    """One publisher: what it said last."""

    instance: str
    host: str
    agent_version: str
    alive: bool
    heard_at: datetime
    heard_age_s: float
    epoch: int | None
    version: int | None
    errors: int
    warnings: int
    held: tuple[str, ...]
    waiting_for: str | None


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """The newest snapshot that can be read."""

    epoch: int
    version: int
    digest: str
    stream_seq: int
    published_at: datetime
    published_age_s: float


@dataclass(frozen=True, slots=True)
class NodeRow:
    """How one node stands; `epoch` and `version` are what it runs."""

    node: str
    role: Role
    address: str
    label: str
    state: SyncState
    online: bool
    epoch: int | None
    version: int | None
    behind: int | None
    """Versions; None when that is no number: nothing applied, or another epoch."""
    last_sync: datetime | None
    """When it last applied a snapshot, if that is what its newest record says."""
    last_sync_age_s: float | None
    took_ms: float | None
    refused: int
    """How many entries its policy left out."""
    refused_entries: tuple[Refused, ...]
    """Those of them that its record had room for."""
    last_record: datetime | None
    """When it last answered at all."""
    error: str | None
    hint: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """All of it: the publishers (none that counts: the last one heard), the newest snapshot, the nodes worst first."""

    at: datetime
    publishers: tuple[PublisherRow, ...]
    snapshot: SnapshotRow | None
    fault: str | None
    """Why the newest message cannot be read; `snapshot` is the version before it then."""
    nodes: tuple[NodeRow, ...] = field(default=())

    def holds(self, *, strict: bool) -> bool:
        """Tell whether every online node is synced; `strict` wants the others to be as well."""
        wanted = [row for row in self.nodes if strict or row.online]
        return self.snapshot is not None and all(row.state is SyncState.SYNCED for row in wanted)


def make_report(facts: Facts) -> Report:
    """Return the report on some facts: publishers that are alive first, nodes the worst first, then by name."""
    newest = facts.newest
    nodes = newest.snapshot.registry.nodes if newest is not None and newest.snapshot is not None else ()
    rows = [_node_row(node, newest.latest if newest is not None else None, facts) for node in nodes]
    return Report(
        at=facts.now,
        publishers=_publishers(facts),
        snapshot=_snapshot_row(newest, facts.now),
        fault=newest.fault if newest is not None else None,
        nodes=tuple(sorted(rows, key=lambda row: (row.state.badness, row.node))),
    )


def _publishers(facts: Facts) -> tuple[PublisherRow, ...]:
    rows = [_publisher_row(status, facts.now) for status in facts.statuses]
    return tuple(row for row in rows if row.alive) or tuple(rows[:1])


def _publisher_row(status: PublisherStatus, now: datetime) -> PublisherRow:
    errors = sum(problem.severity is Severity.ERROR for problem in status.problems)
    return PublisherRow(
        instance=status.instance,
        host=status.host,
        agent_version=status.agent_version,
        alive=now - status.at < ALIVE_FOR,
        heard_at=status.at,
        heard_age_s=(now - status.at).total_seconds(),
        epoch=status.epoch,
        version=status.version,
        errors=errors,
        warnings=len(status.problems) - errors,
        held=status.held,
        waiting_for=status.waiting_for,
    )


def _snapshot_row(newest: Newest | None, now: datetime) -> SnapshotRow | None:
    if newest is None or newest.snapshot is None:
        return None
    snapshot = newest.snapshot
    return SnapshotRow(
        epoch=snapshot.epoch,
        version=snapshot.version,
        digest=snapshot.digest,
        stream_seq=newest.stored.seq,
        published_at=snapshot.published_at,
        published_age_s=(now - snapshot.published_at).total_seconds(),
    )


def _node_row(node: Node, latest: Latest | None, facts: Facts) -> NodeRow:
    ack, consumer = facts.acks.get(node.name), facts.consumers.get(subjects.durable(node.name))
    state = sync_state(latest, ack, consumer, facts.now)
    applied = ack.applied if ack is not None else None
    last_sync = ack.finished_at if ack is not None and ack.state is State.APPLIED else None
    return NodeRow(
        node=node.name,
        role=node.role,
        address=node.address,
        label=node.label,
        state=state,
        online=state not in _AWAY,
        epoch=applied.epoch if applied is not None else None,
        version=applied.version if applied is not None else None,
        behind=versions_behind(latest, ack),
        last_sync=last_sync,
        last_sync_age_s=(facts.now - last_sync).total_seconds() if last_sync is not None else None,
        took_ms=ack.took_ms if ack is not None and last_sync is not None else None,
        refused=ack.refused_count if ack is not None else 0,
        refused_entries=ack.refused if ack is not None else (),
        last_record=ack.finished_at if ack is not None else None,
        error=error_of(ack) if ack is not None else None,
        hint=_hint(state, consumer),
    )


def error_of(ack: NodeAck) -> str | None:
    """Return the fault of a record in one line, with its target and entry; None when there is none."""
    if ack.error is None:
        return None
    where = " ".join(part for part in (ack.error.target, ack.error.entry) if part)
    return f"{where}: {ack.error.message}" if where else ack.error.message


def _hint(state: SyncState, consumer: ConsumerState | None) -> str | None:
    """Return what the server's side explains of a node's state."""
    if consumer is None:
        return "no durable consumer yet; the publisher makes it"
    if consumer.paused:
        return "delivery to it is paused on the server"
    if state is SyncState.DUPLICATE:
        return f"{consumer.num_waiting} clients take turns under this name"
    return None
