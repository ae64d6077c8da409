"""How the doctor judges the registry's source, and the seed that signs what is made of it."""

from typing import Any

import pytest

from cli.doctor.check import State
from cli.doctor.control_plane.snapshot import SeedSeen
from cli.doctor.control_plane.source_facts import DocumentSeen, Rights
from common.errors import AccessDenied, ConfigError, SourceUnavailable
from common.problems import Problem, Severity
from common.status import DocumentStatus, SourceState
from tests.cli import doctor_facts as facts
from tests.cli.doctor_facts import SEED, bus, fault, judge_as_control_plane, one, status


@pytest.mark.parametrize(
    ("seed", "state", "said"),
    [
        (SEED, State.OK, "public key"),
        (SeedSeen("/s", None), State.SKIP, "there is no /s here"),
        (SeedSeen("/s", None, hidden=True), State.SKIP, "may not read"),
        (SeedSeen("/s", fault("holds no seed", ConfigError)), State.FAIL, "holds no seed"),
        (SeedSeen("/s", "another="), State.WARN, "one seed for all"),
    ],
)
def test_a_seed_is_usable_and_the_one_that_signs(seed: SeedSeen, state: State, said: str) -> None:
    """Where there is none the publisher has it elsewhere, which is no fault."""
    check = one(judge_as_control_plane(seed=seed), "signing seed")
    assert check.state is state
    assert said in check.what


def test_a_seed_that_everybody_can_read_comes_with_the_command_that_hides_it() -> None:
    """`chmod 600`; nothing is compared while nothing was published."""
    exposed = SeedSeen("/s", fault("can be read by everybody", ConfigError), exposed=True)
    assert one(judge_as_control_plane(seed=exposed), "signing seed").next == "sudo chmod 600 /s"
    assert one(judge_as_control_plane(bus(newest=None)), "signing seed").state is State.OK


@pytest.mark.parametrize(
    ("fields", "state", "next_"),
    [
        ({"read": fault("the folder is not there", SourceUnavailable)}, State.FAIL, "ls -ld /registry"),
        ({"read": fault("no kubeconfig", ConfigError)}, State.FAIL, "routecast config show"),
        ({"read": fault("no kubeconfig", ConfigError), "named": False}, State.SKIP, "routecast config show"),
    ],
)
def test_a_source_that_does_not_answer(fields: Any, state: State, next_: str) -> None:
    """One that a setting names fails; where none is configured there is nothing to fail."""
    found = judge_as_control_plane(in_source=facts.source(**fields))
    assert (one(found, "registry source").state, one(found, "registry source").next) == (state, next_)
    assert one(found, "rights").state is State.SKIP


def _problem(severity: Severity) -> Problem:
    return Problem(severity=severity, document="d/k", entry="e", message="m", mend="x")


def test_without_a_source_here_the_publishers_own_problems_count() -> None:
    """An operator's machine without the registry still learns what is wrong in it; without a publisher it cannot."""
    away = facts.source(read=fault("away", SourceUnavailable))
    told = judge_as_control_plane(bus(statuses=[status(problems=(_problem(Severity.ERROR),))]), away)
    assert (one(told, "problems").state, one(told, "problems").next) == (State.FAIL, "routecast problems")
    for seen in (bus(statuses=[]), bus(fault())):
        assert one(judge_as_control_plane(seen, away), "problems").state is State.SKIP


def test_problems_are_counted_and_the_first_are_named() -> None:
    """Errors fail, warnings warn; `routecast lint` with the same source lists them all."""
    errors = facts.read(problems=[_problem(Severity.WARNING), *[_problem(Severity.ERROR)] * 5])
    check = one(judge_as_control_plane(in_source=facts.source(read=errors, options=" --cluster")), "problems")
    assert check.what.startswith("5 errors, 1 warning: error: d/k 'e': m, ")
    assert check.what.endswith(" and 2 more")
    assert (check.state, check.next) == (State.FAIL, "routecast lint --cluster")
    warned = facts.read(problems=[_problem(Severity.WARNING)])
    assert one(judge_as_control_plane(in_source=facts.source(read=warned)), "problems").state is State.WARN


def test_each_document_is_judged() -> None:
    """A missing one is made by `init`, one that is there and cannot be read by what its source says."""
    documents = [
        DocumentSeen("a", SourceState.READABLE, None, "edit a"),
        DocumentSeen("b", SourceState.MISSING, None, "create b"),
        DocumentSeen("c", SourceState.UNREADABLE, "denied: no", "grant c"),
    ]
    found = judge_as_control_plane(
        in_source=facts.source(read=facts.read(documents=documents), options=" --registry-dir r")
    )
    assert [check.next for check in found if check.check.startswith("document")] == [
        None,
        "routecast init --registry-only --registry-dir r",
        "grant c",
    ]


def test_missing_rights_weigh_less_when_a_publisher_reads_all_the_same() -> None:
    """They are asked of the current user, who need not be the publisher's: then it is a warning that says so."""
    missing = facts.source(rights=Rights("me", ("watch cluster-info",), 15, "grant it"))
    beside = one(judge_as_control_plane(in_source=missing), "rights")
    assert (beside.state, beside.next) == (State.WARN, "grant it")
    assert beside.what.startswith("me may not: watch cluster-info")
    lost = {"cluster-info": DocumentStatus(state=SourceState.UNREADABLE)}
    for alone in (bus(statuses=[]), bus(statuses=[status(sources=lost)]), bus(statuses=[status(sources={})])):
        assert one(judge_as_control_plane(alone, missing), "rights").state is State.FAIL


def test_rights_that_cannot_be_asked_for() -> None:
    """An unknown user fails; no answer tells nothing."""
    for error, state in ((AccessDenied, State.FAIL), (SourceUnavailable, State.SKIP)):
        assert one(judge_as_control_plane(in_source=facts.source(rights=fault("x", error))), "rights").state is state
