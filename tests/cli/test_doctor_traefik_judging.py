"""How the doctor judges what it saw of Traefik."""

from pathlib import Path
from typing import Any

import pytest

from cli.doctor.check import Check, State
from cli.doctor.node.facts import CanarySeen, TraefikSeen
from subscriber.targets.traefik_check import Verdict
from tests.cli import doctor_facts as facts
from tests.cli.doctor_facts import SNAPSHOT, fault, judge_as_node, node, one, path, permission, settings

VPS = "contabo-vps"


def _traefik(seen: Any, **fields: Any) -> list[Check]:
    wanted = settings(subscriber={"node": VPS, "role": "vps"}, traefik=fields.pop("traefik", {}))
    return judge_as_node(node(settings=wanted, targets=[], traefik=seen, **fields))


def _seen(**fields: Any) -> TraefikSeen:
    given: dict[str, Any] = {
        "directory": path("/etc/traefik/dynamic"),
        "one_file_system": True,
        "forgotten": None,
        "routes": 4,
        "served": Verdict({}, {}),
    }
    return TraefikSeen(**{**given, **fields})


def test_a_vps_is_not_asked_for_names_nor_a_laptop_for_traefik() -> None:
    """What a node does not write is not judged; a canary without Traefik is said to be pointless."""
    found = facts.states(_traefik(_seen()))
    assert not {"names", "own lines", ".local", "dnsmasq"} & found.keys()
    assert found["routes served"] is State.OK
    assert one(judge_as_node(node(canary=True)), "canary").state is State.SKIP


@pytest.mark.parametrize(
    ("fields", "root", "state"),
    [
        ({}, True, State.OK),
        ({"directory": path("/d", exists=False)}, True, State.FAIL),
        ({"directory": path("/d", directory=False)}, True, State.FAIL),
        ({"one_file_system": False}, True, State.FAIL),
        ({"directory": path("/d", writable=False)}, True, State.FAIL),
        ({"directory": path("/d", writable=False)}, False, State.SKIP),
    ],
)
def test_traefiks_directory_takes_a_rename(fields: Any, root: bool, state: State) -> None:
    """It is there, can be written, and lies on the file system of the one that files are made in."""
    assert one(_traefik(_seen(**fields), root=root), "Traefik's directory").state is state


def test_a_directory_that_cannot_be_looked_at() -> None:
    """It fails, and whether anything is served is skipped."""
    found = _traefik(fault())
    assert (one(found, "Traefik's directory").state, one(found, "routes served").state) == (State.FAIL, State.SKIP)


@pytest.mark.parametrize(
    ("served", "routes", "accepted", "state", "said"),
    [
        (None, 4, SNAPSHOT, State.SKIP, "api_url is empty"),
        (fault("does not answer"), 4, SNAPSHOT, State.FAIL, "does not answer"),
        (Verdict({}, {}), 4, SNAPSHOT, State.OK, "serves 4 routes of ours"),
        (Verdict({}, {}), 0, SNAPSHOT, State.OK, "no route is ours"),
        (Verdict({}, {}), 0, None, State.OK, "is not known"),
        (Verdict({"a.b": "is not there"}, {}), 4, SNAPSHOT, State.FAIL, "does not serve a.b (is not there)"),
        (Verdict({}, {"a.b": "no middleware"}), 4, SNAPSHOT, State.FAIL, "refuses a.b (no middleware)"),
    ],
)
def test_traefik_serves_what_is_ours(served: Any, routes: int, accepted: Any, state: State, said: str) -> None:
    """Our own routes are the canary, where there are any."""
    check = one(_traefik(_seen(served=served, routes=routes), accepted=accepted), "routes served")
    assert check.state is state
    assert said in check.what


@pytest.mark.parametrize(
    ("canary", "root", "state"),
    [
        (CanarySeen(Verdict({}, {}), 99.0, gone=True), True, State.OK),
        (CanarySeen(Verdict({}, {}), 99.0, gone=False), True, State.WARN),
        (CanarySeen(Verdict({"x": "is not there"}, {}), 5000.0, gone=True), True, State.FAIL),
        (CanarySeen(Verdict({}, {"x": "no entry point"}), 99.0, gone=True), True, State.FAIL),
        (fault("disk full"), True, State.FAIL),
        (permission(), True, State.FAIL),
        (permission(), False, State.SKIP),
        (None, True, State.SKIP),
    ],
)
def test_a_canary_is_seen_and_let_go(canary: Any, root: bool, state: State) -> None:
    """Not seen: the directory is not watched. Refused: an entry point has another name. Not let go: it warns."""
    assert one(_traefik(_seen(canary=canary), root=root, canary=True), "canary").state is state


def test_a_canary_that_a_killed_run_left_is_told() -> None:
    """With the command that removes it; where no API is set no URL is named."""
    left = _traefik(_seen(forgotten=Path("/d/routecast-canary.yml")), traefik={"api_url": ""})
    assert one(left, "canary").next == "sudo rm /d/routecast-canary.yml"
