"""How the doctor judges what it saw of NATS and of the control plane."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cli.doctor.bus.deviations import CONSUMER_DEFAULTS, STREAM_DEFAULTS, deviations
from cli.doctor.bus.facts import ClockSeen, ServerSeen, StreamSeen
from cli.doctor.bus.judge import CLOCK_FAIL_S, CLOCK_WARN_S, judge_clock
from cli.doctor.check import State, listed
from common import subjects
from common.errors import AccessDenied
from common.status import DocumentStatus, SourceState
from tests.cli import doctor_facts as facts
from tests.cli.doctor_facts import (
    NOW,
    bad,
    bus,
    fault,
    judge_as_control_plane,
    newest,
    one,
    status,
)
from tests.registries import snapshot


def test_all_is_well() -> None:
    """A control plane as it should be: every check is ok, and none names a next command."""
    found = judge_as_control_plane()
    assert not bad(found)
    assert not [check.next for check in found if check.next is not None]


def test_without_nats_only_the_source_and_the_seed_are_judged() -> None:
    """NATS fails, everything that rests on it is skipped with that reason, and the rest is not hidden."""
    found = judge_as_control_plane(bus(fault("no answer")))
    assert one(found, "NATS").next == "nc -vz cp1 4222"
    assert {check.what for check in found if check.state is State.SKIP} == {"NATS does not answer"}
    assert [name for name, state in bad(found).items() if state is State.FAIL] == ["NATS"]
    assert one(found, "registry source").state is State.OK


def test_a_refused_login_is_a_matter_of_settings() -> None:
    """Where the server is there and says no, the next command shows the settings, not whether the port is open."""
    found = judge_as_control_plane(bus(fault("does not let us in", AccessDenied)))
    assert one(found, "NATS").next == "routecast config show"


def test_without_jetstream_nothing_is_known_of_the_streams() -> None:
    """The server answers, JetStream does not: that fails, what rests on it is skipped."""
    found = judge_as_control_plane(bus(ServerSeen("2.12.0", 1024, fault("JetStream does not answer on this server"))))
    assert (one(found, "NATS").state, one(found, "JetStream").state) == (State.OK, State.FAIL)
    assert {check.what for check in found if check.state is State.SKIP} == {"JetStream does not answer"}


@given(ahead_s=st.floats(-1e6, 1e6), unsure_s=st.floats(0, 10))
@example(ahead_s=0.01, unsure_s=0.0)
@example(ahead_s=-10.0, unsure_s=1.0)
@example(ahead_s=100.0, unsure_s=1.0)
def test_a_clock_is_judged_by_what_is_surely_wrong(ahead_s: float, unsure_s: float) -> None:
    """Above 5 s a warning, above 60 s a failure, what asking took speaks for the clock; the difference is said."""
    check = judge_clock(ClockSeen(ahead_s, unsure_s))
    surely_s = abs(ahead_s) - unsure_s
    wanted = State.FAIL if surely_s > CLOCK_FAIL_S else State.WARN if surely_s > CLOCK_WARN_S else State.OK
    assert check.state is wanted
    assert f"{abs(ahead_s):.1f} s {'behind' if ahead_s > 0 else 'ahead of'}" in check.what or abs(ahead_s) < 0.1


@pytest.mark.parametrize("clock", [None, fault("no answer")])
def test_an_unknown_clock_is_skipped(clock: Any) -> None:
    """A server that does not tell its time is no failure."""
    assert judge_clock(clock).state is State.SKIP


@given(
    current=st.dictionaries(st.sampled_from([*STREAM_DEFAULTS, "other"]), st.none() | st.integers(-1, 3)),
    wanted=st.dictionaries(st.sampled_from([*STREAM_DEFAULTS, "other"]), st.none() | st.integers(-1, 3)),
)
def test_deviations_are_those_of_the_settings_that_matter(current: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Each deviation names a setting of ours that differs, by default or by value; equal ones have none."""
    found = deviations(current, wanted, STREAM_DEFAULTS)
    assert not deviations(current, current, CONSUMER_DEFAULTS)
    assert len(found) == len(deviations(wanted, current, STREAM_DEFAULTS))
    for said in found:
        key = said.split()[0]
        assert key in STREAM_DEFAULTS
        assert current.get(key) != wanted.get(key)


def test_a_deviation_is_said_in_whole_numbers() -> None:
    """`3600 instead of 0`, not `3600.0`; what is not set is said so."""
    assert deviations({"max_age": 3600.0, "mirror": "x"}, {}, STREAM_DEFAULTS) == (
        "max_age is 3600 instead of 0",
        "mirror is x instead of not set",
    )


def test_streams_are_compared_one_byone() -> None:
    """Missing and unreadable ones fail, one with other settings warns and names them; the others stay ok."""
    streams = {
        subjects.REGISTRY: StreamSeen(1, ("max_age is 60 instead of 0", "storage is memory instead of file")),
        subjects.HISTORY: None,
        subjects.ACKS: fault("no answer in time"),
        subjects.STATUS: StreamSeen(1, ()),
    }
    found = judge_as_control_plane(bus(streams=streams))
    assert bad(found) == {"stream REGISTRY": State.WARN, "stream HISTORY": State.FAIL, "stream ACKS": State.FAIL}
    assert one(found, "stream REGISTRY").what == "max_age is 60 instead of 0; storage is memory instead of file"


def test_a_server_without_streams_never_had_a_publisher() -> None:
    """Nothing is there: the publisher check says why, and does not wait for a status that cannot come."""
    empty = dict.fromkeys((subjects.REGISTRY, subjects.HISTORY, subjects.ACKS, subjects.STATUS))
    found = judge_as_control_plane(bus(streams=empty, newest=None, statuses=[], consumers={}, acks={}))
    assert "none ever ran" in one(found, "publisher").what
    assert one(found, "newest snapshot").what == "nothing was published yet"
    without_status = {**empty, subjects.REGISTRY: StreamSeen(1, ())}
    assert one(judge_as_control_plane(bus(streams=without_status)), "publisher").state is State.SKIP


@pytest.mark.parametrize(
    ("statuses", "state", "said"),
    [
        ([], State.FAIL, "none was heard of within the last 10 minutes"),
        ([status(heard=timedelta(minutes=5))], State.FAIL, "gone: cp1-1 on cp1 was heard 5m ago"),
        ([status(waiting_for="not readable yet: services")], State.FAIL, "publishes nothing: not readable yet"),
        ([status(version=56)], State.WARN, "knows 1763885042123/56, the newest is 1763885042123/57"),
        ([status(epoch=None, version=None)], State.WARN, "knows no version"),
        ([status(version=58)], State.OK, "version 58"),
        (fault("no answer"), State.FAIL, "no answer"),
        (
            [status(sources={"cluster-info": DocumentStatus(state=SourceState.LOST)})],
            State.WARN,
            "does not read cluster-info (lost)",
        ),
    ],
)
def test_a_publisher_is_alive_current_and_waits_for_nothing(statuses: Any, state: State, said: str) -> None:
    """Heard of within 150 s, at the newest version or ahead of what we read, and able to publish."""
    check = one(judge_as_control_plane(bus(statuses=statuses)), "publisher")
    assert check.state is state
    assert said in check.what


def test_before_the_first_snapshot_a_publisher_may_have_published_nothing() -> None:
    """With no snapshot in the stream a publisher without a version is current."""
    found = judge_as_control_plane(bus(newest=None, statuses=[status(epoch=None, version=None)]))
    assert one(found, "publisher").what.endswith("nothing published")


def test_each_of_several_publishers_is_judged() -> None:
    """Two that are alive have a check each, under their names."""
    found = judge_as_control_plane(bus(statuses=[status("a"), status("b", waiting_for="the source")]))
    assert (one(found, "publisher a").state, one(found, "publisher b").state) == (State.OK, State.FAIL)


def test_the_command_for_a_publisher_fits_where_it_runs() -> None:
    """A pod of the deployment is looked at with kubectl; so is one that should run beside its ConfigMaps."""
    host = "routecast-publisher-7d9f-x2"
    gone = judge_as_control_plane(bus(statuses=[status(host=host, heard=timedelta(minutes=9))]))
    assert (one(gone, "publisher").next or "").startswith("kubectl -n routecast get pods")
    waits = judge_as_control_plane(bus(statuses=[status(host=host, waiting_for="x")]))
    assert (one(waits, "publisher").next or "").startswith("kubectl -n routecast logs")
    never = judge_as_control_plane(bus(statuses=[]), facts.source(in_cluster=True))
    assert (one(never, "publisher").next or "").startswith("kubectl")


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        (None, State.FAIL, "nothing was published yet"),
        (fault("no answer"), State.FAIL, "no answer"),
        (newest(why="the newest message cannot be read: unsigned"), State.FAIL, "cannot be read: unsigned"),
        (newest(stored=timedelta(hours=2.4)), State.OK, "is whole, stored 2h ago"),
        (newest(stored=timedelta(hours=2.6)), State.FAIL, "though it should be every 60m"),
    ],
)
def test_the_newest_snapshot_is_whole_and_not_older_than_two_and_a_half_periods(
    found: Any, state: State, said: str
) -> None:
    """Older ones make nodes call themselves stale."""
    check = one(judge_as_control_plane(bus(newest=found)), "newest snapshot")
    assert check.state is state
    assert said in check.what


def test_the_publishers_clock_is_seen_in_its_snapshot() -> None:
    """It dates a snapshot by its own clock, the server stores it by its own."""
    early = snapshot().model_copy(update={"published_at": NOW - timedelta(minutes=10)})
    check = one(judge_as_control_plane(bus(newest=newest(early))), "publisher's clock")
    assert check.state is State.FAIL
    assert "600.0 s behind" in check.what


@given(entries=st.lists(st.text(max_size=3), max_size=9), shown=st.integers(1, 5))
def test_long_lists_are_cut_and_counted(entries: list[str], shown: int) -> None:
    """The first are there, and how many more there are."""
    said = listed(entries, shown)
    assert said.startswith(", ".join(entries[:shown]))
    assert (f" and {len(entries) - shown} more" in said) == (len(entries) > shown)
