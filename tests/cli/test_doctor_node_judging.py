"""How the doctor judges what it saw of a node."""

from pathlib import Path
from typing import Any

import pytest

from cli.doctor.check import State
from cli.doctor.node.facts import (
    NameSeen,
    ServiceSeen,
    TargetSeen,
)
from cli.newest import Newest
from common.ack import AckError
from common.ack import State as AckState
from common.errors import BusUnavailable, ConfigError
from common.models import Role
from common.settings.subscriber import TargetName
from common.snapshot import Sealed
from common.streams import Stored
from subscriber.leftovers import STOP_CRONTAB, Kind, Leftover, Line, cron_left
from subscriber.survey import Survey
from tests.cli import doctor_facts as facts
from tests.cli.bus_data import ack_of
from tests.cli.doctor_facts import (
    ADDRESS,
    NODE,
    SEQ,
    SNAPSHOT,
    bad,
    bus,
    fault,
    judge_as_node,
    newest,
    node,
    one,
    path,
    permission,
    settings,
)
from tests.registries import snapshot

AS_ROOT = "sudo routecast doctor node"
SYNC = "sudo routecast subscriber sync"


def test_all_is_well() -> None:
    """A laptop as it should be: only that it was not asked for names is open, for the test gave none."""
    assert bad(judge_as_node()) == {"names": State.SKIP}
    named = node(names=[NameSeen("photos.mycloud.local", "100.67.243.10", frozenset({"100.67.243.10"}))])
    assert not bad(judge_as_node(named))


def test_settings_that_are_missing_are_named() -> None:
    """A node without name and keys says both, and where they go; what rests on them is skipped."""
    bare = settings(subscriber={"node": None, "public_keys": []})
    found = judge_as_node(node(settings=bare, service=None, accepted=None, settings_file=None, address=None))
    check = one(found, "settings")
    assert check.state is State.FAIL
    assert "subscriber.node, the name" in check.what
    assert "; subscriber.public_keys, what" in check.what
    assert check.next == "sudoedit /etc/routecast/routecast.toml"
    assert {one(found, name).state for name in ("registration", "durable", "trust")} == {State.SKIP}
    no_keys = settings(subscriber={"public_keys": []})
    assert one(judge_as_node(node(settings=no_keys)), "trust").state is State.SKIP


LOGIN = {"nats": {"url": "nats://me:secret@cp1:4222"}}


@pytest.mark.parametrize(
    ("mode", "sections", "state", "next_"),
    [
        (0o644, {}, State.OK, None),
        (0o664, {}, State.WARN, "sudo chmod g-w /r.toml"),
        (0o646, {}, State.FAIL, "sudo chmod o-w /r.toml"),
        (0o644, LOGIN, State.FAIL, "sudo chmod o-r /r.toml"),
        (0o640, LOGIN, State.OK, None),
    ],
)
def test_nobody_else_says_whom_a_node_believes(mode: int, sections: Any, state: State, next_: str | None) -> None:
    """The settings file is written by its owner alone; with a login for NATS in it nobody else reads it."""
    seen = node(settings=settings(**sections), settings_file=path("/r.toml", directory=False, mode=mode))
    check = one(judge_as_node(seen), "settings file")
    assert (check.state, check.next) == (state, next_)
    assert "secret" not in check.what


@pytest.mark.parametrize(
    ("fields", "root", "state"),
    [
        ({"exists": False}, True, State.FAIL),
        ({"directory": False}, True, State.FAIL),
        ({"mode": 0o757}, True, State.FAIL),
        ({"writable": False}, True, State.FAIL),
        ({"writable": False}, False, State.SKIP),
    ],
)
def test_the_state_directory_is_there_and_ours(fields: Any, root: bool, state: State) -> None:
    """What only root could tell is skipped for others, with the command that tells it."""
    check = one(judge_as_node(node(state_dir=path(**fields), root=root)), "state directory")
    assert check.state is state
    assert root or check.next == AS_ROOT


def test_a_state_directory_that_hangs_is_a_failure() -> None:
    """A disk that does not answer within its limit."""
    assert one(judge_as_node(node(state_dir=fault("no answer within 15 s"))), "state directory").state is State.FAIL


def _service(**fields: Any) -> ServiceSeen:
    return ServiceSeen(**{"node": NODE, "connected": True, "stale": False, "last_ack": None, **fields})


@pytest.mark.parametrize(
    ("service", "state", "said"),
    [
        (None, State.FAIL, "no subscriber runs on /var/lib/routecast"),
        (fault("its owner", ConfigError), State.SKIP, "this user may not ask"),
        (fault("no answer within 5 s"), State.FAIL, "no answer within 5 s"),
        (_service(node="old-name"), State.WARN, "runs as old-name, the settings say work-laptop"),
        (_service(connected=False), State.FAIL, "not connected to NATS"),
        (_service(stale=True), State.WARN, "stale"),
        (_service(), State.OK, "runs, connected to NATS"),
    ],
)
def test_the_service_runs_connected_with_these_settings(service: Any, state: State, said: str) -> None:
    """It is asked on its socket; where it cannot say what it did last, that is skipped."""
    found = judge_as_node(node(service=service))
    check = one(found, "service")
    assert check.state is state
    assert said in check.what
    assert isinstance(service, ServiceSeen) or one(found, "last answer").state is State.SKIP


@pytest.mark.parametrize(
    ("fields", "state", "next_"),
    [
        ({}, State.OK, None),
        ({"state": AckState.DRIFTED}, State.WARN, f"routecast acks {NODE}"),
        ({"state": AckState.FAILED, "error": AckError(code="c", message="no space")}, State.FAIL, SYNC),
        ({"state": AckState.REJECTED, "attempted": None}, State.FAIL, f"routecast acks {NODE}"),
    ],
)
def test_the_last_answer_is_that_it_applied(fields: Any, state: State, next_: str | None) -> None:
    """Anything else comes with the error and the command that tells more."""
    seen = node(service=_service(last_ack=ack_of(NODE, SNAPSHOT, SEQ, **fields)))
    check = one(judge_as_node(seen), "last answer")
    assert (check.state, check.next) == (state, next_)
    assert "error" not in fields or check.what.endswith(": no space")


def test_before_the_first_snapshot_there_is_no_answer() -> None:
    """A service that took nothing yet is a warning, with the command that has it take one."""
    assert one(judge_as_node(node(service=_service())), "last answer").state is State.WARN


def test_a_name_that_nobody_registered() -> None:
    """It fails with the command that registers it; its address is not known then."""
    seen = node(settings=settings(subscriber={"node": "stranger"}), address=None)
    found = judge_as_node(seen)
    assert one(found, "registration").next == "routecast node add laptop stranger ADDRESS"
    assert one(found, "address").state is State.SKIP
    assert one(found, "durable").state is State.FAIL


def test_a_role_that_is_another_in_the_registry() -> None:
    """The settings pick the targets, the registry what is routed: they should say the same."""
    seen = node(settings=settings(subscriber={"role": Role.WORKER}))
    assert one(judge_as_node(seen), "registration").state is State.WARN


@pytest.mark.parametrize(
    ("address", "state"),
    [((ADDRESS, True), State.OK), ((ADDRESS, False), State.WARN), (("100.1.1.1", True), State.SKIP)],
)
def test_the_registered_address_is_this_machines(address: Any, state: State) -> None:
    """As the old guide asks with `tailscale ip`; one that changed since the stored snapshot is not judged."""
    assert one(judge_as_node(node(address=address)), "address").state is state


@pytest.mark.parametrize(
    ("fields", "service", "state"),
    [
        ({}, _service(), State.OK),
        ({"waiting": 0, "held": 1}, _service(), State.OK),
        ({"waiting": 0}, _service(), State.WARN),
        ({"waiting": 0}, None, State.OK),
        ({"waiting": 0}, _service(connected=False), State.OK),
        ({"waiting": 2}, _service(), State.FAIL),
        ({"paused": True}, _service(), State.FAIL),
    ],
)
def test_the_durable_is_there_and_one_machine_waits_at_it(fields: Any, service: Any, state: State) -> None:
    """Nobody waiting is only odd beside a service that is connected; two are a clone."""
    seen = bus(consumers=facts.consumers(NODE, **fields))
    assert one(judge_as_node(node(service=service), seen), "durable").state is state


def test_a_missing_durable_or_an_unknownone() -> None:
    """The publisher makes it; without an answer nothing is known."""
    for consumers in ({}, fault()):
        assert one(judge_as_node(of_nats=bus(consumers=consumers)), "durable").state is State.FAIL


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        (None, State.SKIP, "nothing was published yet"),
        (fault(), State.FAIL, "it is gone"),
        (newest(snapshot(version=58)), State.WARN, "version 58 is newer than what was accepted here, 57"),
        (newest(snapshot(version=56)), State.FAIL, "older than"),
    ],
)
def test_the_newest_snapshot_would_be_taken(found: Any, state: State, said: str) -> None:
    """Judged by the very rules of the subscriber: signature, installation, order."""
    check = one(judge_as_node(of_nats=bus(newest=found)), "trust")
    assert check.state is state
    assert said in check.what


def test_a_snapshot_that_another_key_signed_is_not_believed() -> None:
    """The command prints the key that is missing here; what is not signed at all is looked at in the stream."""
    other = settings(subscriber={"public_keys": ["A" * 43 + "="]})
    check = one(judge_as_node(node(settings=other)), "trust")
    assert (check.state, check.next) == (State.FAIL, "routecast publisher public-key")
    unsigned = Newest(Stored(Sealed(b"{}", {}), SEQ, facts.NOW), SNAPSHOT)
    assert one(judge_as_node(of_nats=bus(newest=unsigned)), "trust").next == "routecast stream info"


def test_a_first_snapshot_is_judged_by_its_signature_alone() -> None:
    """Nothing was accepted here, no installation is set: any that a trusted key signed would be taken."""
    assert one(judge_as_node(node(accepted=None)), "trust").state is State.OK


def test_an_unreadable_newest_leaves_the_registration_open() -> None:
    """Without a registry nobody knows who is registered."""
    found = judge_as_node(of_nats=bus(newest=None))
    assert (one(found, "registration").state, one(found, "address").state) == (State.SKIP, State.SKIP)


@pytest.mark.parametrize(
    ("accepted", "root", "next_"),
    [
        (None, True, SYNC),
        (fault("accepted.json is damaged", ConfigError), True, SYNC),
        (fault("this user may not read it", ConfigError), False, AS_ROOT),
    ],
)
def test_without_a_stored_snapshot_no_target_can_be_judged(accepted: Any, root: bool, next_: str) -> None:
    """They are skipped with the reason, and the command that changes it."""
    found = judge_as_node(node(accepted=accepted, root=root))
    for name in ("targets", "names"):
        assert (one(found, name).state, one(found, name).next) == (State.SKIP, next_)


@pytest.mark.parametrize(
    ("differs", "root", "state"),
    [
        (None, True, State.OK),
        ("1 missing", True, State.FAIL),
        (fault("is a directory"), True, State.FAIL),
        (permission(), True, State.FAIL),
        (permission(), False, State.SKIP),
    ],
)
def test_a_target_holds_what_the_stored_snapshot_wants(differs: Any, root: bool, state: State) -> None:
    """Its own plan says so."""
    seen = node(targets=[TargetSeen(TargetName.HOSTS, "5 names", differs)], root=root)
    assert one(judge_as_node(seen), "target hosts").state is state


def test_targets_that_the_settings_cannot_build() -> None:
    """The reason is the check."""
    assert one(judge_as_node(node(targets=fault("set node", ConfigError))), "targets").state is State.FAIL


def _leftover(kind: Kind = Kind.NAMES, **fields: Any) -> Leftover:
    return Leftover(kind, Path("/etc/hosts"), "routecast subscriber adopt", lines=(Line(3, "x"),), **fields)


def test_own_lines_that_win_are_named_and_those_of_the_old_system_are_not_the_owners() -> None:
    """Each of them is told once, with the command that belongs to it."""
    old = _leftover(wins={"photos.mycloud.local": "10.0.0.1"})
    shadows = {"photos.mycloud.local": "10.0.0.1", "chat.mycloud.local": "10.0.0.2"}
    found = judge_as_node(node(shadows=shadows, leftovers=Survey((old,))))
    own = one(found, "own lines")
    assert (own.state, own.next) == (State.WARN, "sudoedit /etc/hosts")
    assert own.what.endswith("win: chat.mycloud.local is 10.0.0.2")
    left = one(found, "leftovers")
    assert (left.state, left.next) == (State.WARN, "sudo routecast subscriber adopt")
    assert "photos.mycloud.local is 10.0.0.1 there" in left.what


def test_what_cannot_be_looked_at_is_skipped() -> None:
    """The hosts file, a file of the old system, or all of it."""
    assert one(judge_as_node(node(shadows=fault())), "own lines").state is State.SKIP
    for leftovers in (fault(), Survey(unread=("/var/spool/cron: Permission denied",))):
        assert one(judge_as_node(node(leftovers=leftovers)), "leftovers").state is State.SKIP
    assert "leftovers" not in facts.states(judge_as_node(node(leftovers=None)))


def test_every_kind_of_leftover_is_told() -> None:
    """Names, routes and cron lines; a pipe is run by root as a whole, or it would write another user's crontab."""
    cron = cron_left(Path("/var/spool/cron/crontabs/root"), b"* * * * * /root/sync-dns.sh\n")
    assert cron is not None
    found = judge_as_node(node(leftovers=Survey((_leftover(), _leftover(Kind.ROUTES), cron))))
    _, _, stop = [check.next for check in found if check.check == "leftovers"]
    assert stop == f"sudo sh -c '{STOP_CRONTAB}'"


def test_a_laptop_that_is_offline_still_learns_what_it_holds() -> None:
    """NATS away: what it knows of the node is skipped, its files are judged all the same."""
    found = judge_as_node(of_nats=bus(fault("no answer", BusUnavailable)))
    assert one(found, "durable").what == "NATS does not answer"
    assert one(found, "target hosts").state is State.OK
