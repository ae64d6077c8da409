"""What the report on the nodes says, of facts made by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cli.newest import Newest
from cli.nodes.report import Facts, NodeRow, Report, make_report
from cli.nodes.table import draw
from common.ack import AckError, NodeAck, Refused, Revision, State, TargetAck
from common.problems import Problem, Severity
from common.snapshot import seal
from common.status import PublisherStatus
from common.streams import ConsumerState, Stored
from common.sync_state import SyncState
from tests.cli.bus_data import ack_of
from tests.registries import SIGNER, snapshot

NOW = datetime(2025, 11, 6, 18, 30, tzinfo=UTC)
SNAPSHOT = snapshot()
NODES = tuple(node.name for node in SNAPSHOT.registry.nodes)
SEQ = 12


def _newest(fault: str | None = None, *, readable: bool = True) -> Newest:
    stored = Stored(seal(SNAPSHOT, SIGNER), SEQ, NOW)
    return Newest(stored, SNAPSHOT if readable else None, fault)


def _consumer(node: str, waiting: int = 1, *, paused: bool = False) -> ConsumerState:
    return ConsumerState(f"node-{node}", waiting, 0, 0, None, paused)


def _acks(**fields: Any) -> dict[str, NodeAck | None]:
    return {node: ack_of(node, SNAPSHOT, SEQ, **{"finished_at": NOW, **fields}) for node in NODES}


def _status(instance: str = "cp1-1", heard: timedelta = timedelta(), **fields: Any) -> PublisherStatus:
    made = PublisherStatus(instance=instance, host="cp1", agent_version="0.1.0", started_at=NOW, at=NOW - heard)
    return made.model_copy(update=fields)


def _facts(**fields: Any) -> Facts:
    given = {
        "newest": _newest(),
        "statuses": [_status(version=57)],
        "consumers": {f"node-{node}": _consumer(node) for node in NODES},
        "acks": _acks(),
    }
    return Facts(NOW, **{**given, **fields})


def _row(report: Report, node: str = "work-laptop") -> NodeRow:
    return next(row for row in report.nodes if row.node == node)


def _text(report: Report, width: int = 200) -> str:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        console.print(draw(report, width))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def test_all_is_well() -> None:
    """Every node at the newest snapshot: synced, nothing behind, and the report holds, strictly too."""
    report = make_report(_facts())
    assert [row.node for row in report.nodes] == sorted(NODES)
    assert {(row.state, row.version, row.behind, row.online) for row in report.nodes} == {
        (SyncState.SYNCED, 57, 0, True)
    }
    assert report.holds(strict=False)
    assert report.holds(strict=True)
    assert "4 nodes: 4 synced" in _text(report)


@given(st.lists(st.sampled_from([None, 0, 1, 2]), min_size=4, max_size=4))
def test_the_worst_node_comes_first(waiting: list[int | None]) -> None:
    """Rows are sorted by state, then by name, so that two runs can be compared."""
    present = {node: count for node, count in zip(NODES, waiting, strict=True) if count is not None}
    report = make_report(_facts(consumers={f"node-{node}": _consumer(node, count) for node, count in present.items()}))
    order = [(row.state.badness, row.node) for row in report.nodes]
    assert order == sorted(order)
    assert len(order) == len(NODES)


def test_an_offline_node_counts_only_when_asked() -> None:
    """A laptop that sleeps is no failure, except with --strict."""
    consumers = {f"node-{node}": _consumer(node, 0 if node == "work-laptop" else 1) for node in NODES}
    report = make_report(_facts(consumers=consumers))
    assert _row(report).state is SyncState.OFFLINE
    assert report.nodes[0].node == "work-laptop"
    assert report.holds(strict=False)
    assert not report.holds(strict=True)


def test_a_failed_node_says_why_and_when() -> None:
    """A failure shows target, entry, message and how long ago it was; what it still runs is an older version."""
    error = AckError(code="eacces", message="permission denied", target="traefik", entry="photos.curiios.com")
    older = Revision(epoch=SNAPSHOT.epoch, version=55, digest="x")
    failed = ack_of(
        "work-laptop",
        SNAPSHOT,
        SEQ,
        state=State.FAILED,
        applied=older,
        error=error,
        finished_at=NOW - timedelta(seconds=7),
    )
    report = make_report(_facts(acks={**_acks(), "work-laptop": failed}))
    row = _row(report)
    assert (row.state, row.version, row.behind, row.last_sync, row.took_ms) == (SyncState.FAILED, 55, 2, None, None)
    assert not report.holds(strict=False)
    assert "tried 7s ago: traefik photos.curiios.com: permission denied" in _text(report)


def test_a_cloned_node_is_explained() -> None:
    """Two subscribers under one name are named as what they are."""
    report = make_report(_facts(consumers={"node-work-laptop": _consumer("work-laptop", 2)}))
    assert _row(report).state is SyncState.DUPLICATE
    assert "2 clients take turns under this name" in _text(report)


def test_what_the_server_knows_is_said() -> None:
    """A missing or paused consumer explains why a node hears nothing."""
    report = make_report(_facts(consumers={"node-work-laptop": _consumer("work-laptop", paused=True)}))
    assert _row(report).hint == "delivery to it is paused on the server"
    assert _row(report, "vinay-laptop").hint == "no durable consumer yet; the publisher makes it"


def test_refused_entries_are_counted() -> None:
    """A node whose policy left something out is synced, and says so."""
    target = TargetAck(state=State.APPLIED, applied=None, refused=(Refused(entry="x", reason="zone"),))
    report = make_report(_facts(acks=_acks(targets={"hosts": target, "dnsmasq": target})))
    assert "synced (1 refused)" in _text(report)
    assert _row(report).refused_entries == (Refused(entry="x", reason="zone"),)
    more = target.model_copy(update={"refused_more": 7})
    assert "synced (8 refused)" in _text(make_report(_facts(acks=_acks(targets={"hosts": more}))))


def test_another_epoch_is_no_number_of_versions() -> None:
    """A node that runs a version of an epoch before is behind, but nobody can say by how much."""
    applied = Revision(epoch=1, version=99, digest="x")
    report = make_report(_facts(acks=_acks(applied=applied)))
    assert _row(report).behind is None
    assert "other epoch" in _text(report)


def test_nothing_published_yet() -> None:
    """Before the first snapshot there is nothing to hold; the publisher says what it waits for."""
    report = make_report(_facts(newest=None, statuses=[_status(waiting_for="the Kubernetes API")], acks={}))
    assert not report.holds(strict=False)
    assert "nothing was published yet" in _text(report)
    assert "waits for the Kubernetes API" in _text(report)
    assert "nothing published, no problems" in _text(report)


def test_an_unreadable_newest_message_is_said_not_raised() -> None:
    """The version before it still names the nodes; how they judge the message shows in their states."""
    report = make_report(_facts(newest=_newest("the newest message in the stream (sequence 12) cannot be read: x")))
    assert "sequence 12) cannot be read: x" in _text(report)
    assert len(report.nodes) == len(NODES)
    none = make_report(_facts(newest=_newest("cannot be read", readable=False)))
    assert "none that can be read" in _text(none)
    assert not none.holds(strict=False)


def test_a_registry_without_nodes() -> None:
    """No node is registered: said, and nothing is amiss."""
    empty = snapshot(SNAPSHOT.registry.model_copy(update={"nodes": ()}))
    report = make_report(_facts(newest=Newest(_newest().stored, empty), acks={}))
    assert "no node is registered" in _text(report)
    assert report.holds(strict=True)


@pytest.mark.parametrize(("heard", "alive"), [(149, True), (150, False)])
def test_a_publisher_that_is_silent_is_gone(heard: int, alive: bool) -> None:
    """Two and a half periods without a status: gone, with the time it was heard."""
    report = make_report(_facts(statuses=[_status(heard=timedelta(seconds=heard))]))
    assert [row.alive for row in report.publishers] == [alive]
    assert ("alive on cp1" if alive else "gone: cp1-1 on cp1 was heard 2m ago") in _text(report)


def test_publishers_are_told_apart() -> None:
    """Of several all that are alive are shown; those that are gone only when nobody else is there; none is said."""
    two = make_report(_facts(statuses=[_status(), _status("cp2-1"), _status("old", timedelta(minutes=9))]))
    assert [row.instance for row in two.publishers] == ["cp1-1", "cp2-1"]
    assert "2 publishers were heard" in _text(two)
    gone = make_report(_facts(statuses=[_status("a", timedelta(minutes=5)), _status("b", timedelta(minutes=9))]))
    assert [row.instance for row in gone.publishers] == ["a"]
    assert "none was heard of" in _text(make_report(_facts(statuses=[])))


def test_problems_and_held_removals_are_announced() -> None:
    """The line on the publisher counts problems and names the command; held removals are a banner."""
    problem = Problem(severity=Severity.ERROR, document="d", entry=None, message="m", mend="x")
    warning = problem.model_copy(update={"severity": Severity.WARNING})
    status = _status(problems=(problem, warning, warning), held=("names photos.mycloud.local",), version=57)
    said = _text(make_report(_facts(statuses=[status])))
    assert "version 57, 1 error and 2 warnings: see routecast problems" in said
    assert "held       names photos.mycloud.local" in said


def test_a_narrow_terminal_keeps_words_whole() -> None:
    """Where the table is too wide the errors stand below it, and times are short: nothing is cut off."""
    error = AckError(code="x", message="permission denied " * 3)
    said = _text(make_report(_facts(acks=_acks(error=error))), width=90)
    for node in SNAPSHOT.registry.nodes:
        assert f"{node.name}: permission denied" in said
        assert node.address in said
    assert "18:30:00Z (0s ago)" in said
    assert max(map(len, said.splitlines())) <= 90
