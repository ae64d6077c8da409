"""How the doctor judges the nodes and their durables."""

from datetime import timedelta
from typing import Any

import pytest

from cli.doctor.bus.facts import StreamSeen
from cli.doctor.check import State
from common import subjects
from common.ack import AckError
from common.ack import State as AckState
from common.models import Registry
from tests.cli import doctor_facts as facts
from tests.cli.bus_data import ack_of
from tests.cli.doctor_facts import NODES, NOW, SEQ, SNAPSHOT, bad, bus, fault, judge_as_control_plane, newest, one
from tests.registries import snapshot


def test_durables_that_are_missing_or_too_many() -> None:
    """A registered node without one fails; one of a node that nobody knows warns; others' consumers do not matter."""
    left = {**facts.consumers(*NODES[1:]), **facts.consumers("stranger"), "monitor": facts.consumer()}
    found = judge_as_control_plane(bus(consumers=left))
    assert one(found, "durables").state is State.FAIL
    assert f"node-{NODES[0]} missing" in one(found, "durables").what
    spare = one(found, "spare durables")
    assert (spare.state, spare.next) == (State.WARN, "nats consumer rm REGISTRY node-stranger --force")


def test_durables_that_are_not_as_they_should_be() -> None:
    """Other settings fail, and so does a paused one, each under its name; settings that are not known hide nothing."""
    odd = judge_as_control_plane(bus(odd_consumers={"node-work-laptop": ("max_deliver is 2 instead of -1",)}))
    assert bad(odd) == {"durable node-work-laptop": State.FAIL}
    paused = judge_as_control_plane(
        bus(consumers={**facts.consumers(), "node-work-laptop": facts.consumer(paused=True)})
    )
    assert bad(paused) == {"durable node-work-laptop": State.FAIL}
    unknown = judge_as_control_plane(bus(odd_consumers=fault("no answer")))
    assert [check.state for check in unknown if check.check == "durables"] == [State.OK, State.SKIP]


@pytest.mark.parametrize(
    ("fields", "durables", "nodes"),
    [
        ({"consumers": fault()}, State.FAIL, State.FAIL),
        ({"acks": fault()}, State.OK, State.FAIL),
        ({"newest": None}, State.SKIP, State.SKIP),
        ({"newest": fault()}, State.SKIP, State.SKIP),
        ({"streams": {subjects.REGISTRY: None, subjects.STATUS: StreamSeen(1, ())}}, State.SKIP, State.OK),
    ],
)
def test_what_the_fleet_is_judged_by_can_be_missing(fields: Any, durables: State, nodes: State) -> None:
    """Without the consumers, the answers or a snapshot it is said why nothing can be told."""
    found = judge_as_control_plane(bus(**fields))
    assert (one(found, "durables").state, one(found, "nodes").state) == (durables, nodes)


def test_nodes_are_judged_as_the_fleet_report_does() -> None:
    """Online and not synced fails, offline and never warn, all synced ones are one line."""
    acks = {
        "contabo-vps": ack_of(
            "contabo-vps", SNAPSHOT, SEQ, state=AckState.FAILED, error=AckError(code="disk_full", message="no space")
        ),
        "digitalocean-vps": None,
        "vinay-laptop": ack_of("vinay-laptop", SNAPSHOT, SEQ, finished_at=NOW - timedelta(hours=55)),
        "work-laptop": ack_of("work-laptop", snapshot(version=56), SEQ - 1),
    }
    waiting = {
        **facts.consumers("contabo-vps", "work-laptop"),
        **facts.consumers("digitalocean-vps", "vinay-laptop", waiting=0),
    }
    found = judge_as_control_plane(bus(acks=acks, consumers=waiting))
    assert bad(found) == {
        "node contabo-vps": State.FAIL,
        "node work-laptop": State.FAIL,
        "node digitalocean-vps": State.WARN,
        "node vinay-laptop": State.WARN,
    }
    assert "no space" in one(found, "node contabo-vps").what
    assert one(found, "node contabo-vps").next == "routecast acks contabo-vps"
    assert one(found, "node work-laptop").next == "routecast push"
    assert one(found, "node vinay-laptop").next == "sudo routecast doctor node"
    assert one(found, "nodes").what == "4 nodes: 2 online, 0 synced"


def test_a_clone_is_looked_for_on_the_machines_themselves() -> None:
    """Two clients under one name: the server's hint is repeated."""
    twice = {**facts.consumers(), "node-work-laptop": facts.consumer(waiting=2)}
    check = one(judge_as_control_plane(bus(consumers=twice)), "node work-laptop")
    assert check.state is State.FAIL
    assert "2 clients take turns" in check.what


def test_a_registry_without_nodes_reaches_nobody() -> None:
    """It is said, with the command that registers one."""
    found = judge_as_control_plane(bus(newest=newest(snapshot(Registry())), consumers={}, acks={}))
    assert bad(found) == {"nodes": State.WARN}
