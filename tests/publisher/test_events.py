from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.problems import Problem, Severity
from publisher.events import MOST, REFRESH_AFTER, TEXT_MAX, Event, Reason, config_map, open_warnings, plan

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
SERVICES, ROUTING = "service-registry/services.json", "domain-registry/routing.json"
UIDS = {"service-registry": "uid-s", "domain-registry": "uid-d"}
MEND = "kubectl -n kube-system edit configmap service-registry"

PROBLEMS = st.builds(
    Problem,
    severity=st.sampled_from(Severity),
    document=st.sampled_from((SERVICES, ROUTING, "cluster-info/cluster-domain", "service-registry")),
    entry=st.text(max_size=300),
    message=st.text(max_size=1500),
    mend=st.text(max_size=600),
)
LISTS = st.lists(PROBLEMS, max_size=8)


def _problem(entry: str | None = "immich", message: str = "port is missing", document: str = SERVICES) -> Problem:
    return Problem(severity=Severity.ERROR, document=document, entry=entry, message=message, mend=MEND)


def _many(count: int, document: str = SERVICES) -> list[Problem]:
    return [_problem(f"app-{i}", document=document) for i in range(count)]


def _written(current: Iterable[Event], writes: Iterable[Event]) -> list[Event]:
    """Return what the cluster holds after some writes."""
    stored = {event.name: event for event in current}
    stored |= {event.name: replace(event, resource_version="1") for event in writes}
    return list(stored.values())


def _told(problems: Sequence[Problem], current: Sequence[Event] = (), at: datetime = NOON) -> list[Event]:
    """Return what the cluster holds after some problems were told."""
    return _written(current, plan(current, problems, UIDS, at))


def test_a_problem_is_a_warning_with_the_command_that_mends_it() -> None:
    """One line: where, what, and what to type; on the ConfigMap that `kubectl describe` shows."""
    [event] = plan([], [_problem()], UIDS, NOON.replace(microsecond=999_000))
    assert event.text == f"services.json 'immich': port is missing; mend: {MEND}"
    assert (event.config_map, event.uid, event.reason, event.warns) == ("service-registry", "uid-s", "RegistryError", 1)
    assert (event.first, event.last, event.count, event.resource_version) == (NOON, NOON, 1, None)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (_problem(None), f"services.json: port is missing; mend: {MEND}"),
        (_problem(None, "twice", "service-registry"), f"twice; mend: {MEND}"),
        (_problem("a\nb", "x\x1b[31m"), f"services.json 'a\\nb': x [31m; mend: {MEND}"),
        (_problem().model_copy(update={"mend": ""}), "services.json 'immich': port is missing"),
    ],
)
def test_a_text_says_what_it_can(problem: Problem, text: str) -> None:
    """Without an entry, without a key, without a command, and whatever letters are in it."""
    [event] = plan([], [problem], UIDS, NOON)
    assert event.text == text


def test_the_severity_is_in_the_reason() -> None:
    """A warning is told apart from an error; both are of the type that people look for."""
    [event] = plan([], [_problem().model_copy(update={"severity": Severity.WARNING})], UIDS, NOON)
    assert (event.reason, event.warns) == (Reason.WARNING, True)


def test_of_a_long_message_the_command_stays() -> None:
    """The API takes 1024 bytes; the end of the message goes first."""
    [event] = plan([], [_problem(message="é" * 2000)], UIDS, NOON)
    assert len(event.text.encode()) in range(TEXT_MAX - 1, TEXT_MAX + 1)
    assert event.text.endswith(f"é…; mend: {MEND}")


def test_a_command_is_never_cut() -> None:
    """Half a command is none; one that takes too much room is left to `routecast problems`."""
    longest = "x" * (TEXT_MAX // 2 - len("; mend: "))
    [event] = plan([], [_problem(message="é" * 2000).model_copy(update={"mend": longest})], UIDS, NOON)
    assert event.text.endswith(f"é…; mend: {longest}")
    [event] = plan([], [_problem().model_copy(update={"mend": f"{longest}x"})], UIDS, NOON)
    assert event.text == "services.json 'immich': port is missing; mend: `routecast problems` has the command"


@given(LISTS)
def test_whatever_the_problems_are_the_api_takes_their_events(problems: list[Problem]) -> None:
    """Names, lengths and letters are in order, whatever somebody wrote into the registry."""
    current = _told(problems)
    for event in _told([], current):
        prefix, _, digest = event.name.removesuffix(".mended").partition(".")
        assert prefix == event.config_map
        assert len(digest) == 16
        assert int(digest, 16) >= 0
        assert len(event.text.encode()) <= TEXT_MAX
        assert event.text.isprintable()


@given(LISTS)
def test_what_was_told_is_not_told_again(problems: list[Problem]) -> None:
    """A restart, a second publisher, the same problem twice: nothing is written while nothing is new."""
    current = _told(problems)
    assert len(current) == len({event.name for event in current})
    elsewhere = [problem.model_copy(update={"mend": "another command"}) for problem in problems]
    assert not plan(current, [*reversed(problems), *elsewhere], UIDS, NOON + timedelta(minutes=29))


@given(st.lists(st.tuples(LISTS, st.integers(0, 3000)), max_size=6))
def test_what_stands_open_is_what_is_wrong_now(rounds: list[tuple[list[Problem], int]]) -> None:
    """Whatever comes, goes and comes again, in whatever time, also several times in a second."""
    current: list[Event] = []
    now = NOON
    for problems, seconds in rounds:
        now += timedelta(seconds=seconds)
        current = _told(problems, current, now)
        assert {event.name for event in open_warnings(current)} == {event.name for event in _told(problems)}
        assert not plan(current, problems, UIDS, now)


def test_a_problem_that_lasts_is_counted_up_before_the_cluster_forgets_it() -> None:
    """Each half hour; the first time it was seen stays."""
    current = _told([_problem()])
    [event] = plan(current, [_problem()], UIDS, NOON + REFRESH_AFTER)
    assert (event.first, event.last, event.count) == (NOON, NOON + REFRESH_AFTER, 2)
    assert event.resource_version == "1", "written over the one that was read, not beside it"


def test_a_mended_problem_is_closed_once() -> None:
    """By a Normal event of its own, later than the warning; the warning stays as it was."""
    current = _told([_problem()])
    [closed] = plan(current, [], UIDS, NOON)
    assert (closed.reason, closed.warns, closed.count) == (Reason.MENDED, False, 1)
    assert closed.text == "mended: services.json 'immich': port is missing"
    assert (closed.last, closed.uid) == (NOON + SECOND, "uid-s")
    assert not plan(_written(current, [closed]), [], UIDS, NOON + timedelta(minutes=50))


def test_a_problem_that_comes_again_opens_its_event_again() -> None:
    """No second warning, no second closing: both are counted up, and the later one says how it stands."""
    current = _told([], _told([_problem()]))
    [again] = plan(current, [_problem()], UIDS, NOON + 10 * SECOND)
    assert (again.count, again.first, again.last) == (2, NOON, NOON + 10 * SECOND)
    [closed] = plan(_written(current, [again]), [], UIDS, NOON + 20 * SECOND)
    assert (closed.reason, closed.count, closed.last) == (Reason.MENDED, 2, NOON + 20 * SECOND)


def test_a_warning_that_the_cluster_forgot_is_new() -> None:
    """Later than its closing, should that still be there."""
    closing = [event for event in _told([], _told([_problem()])) if not event.warns]
    [event] = plan(closing, [_problem()], UIDS, NOON)
    assert (event.count, event.first, event.resource_version) == (1, NOON + 2 * SECOND, None)


def test_what_cannot_be_read_is_not_mended() -> None:
    """Of the entries of a document that is broken now nobody knows; those of another one are closed."""
    current = _told([_problem(), _problem(document=ROUTING)])
    broken = _problem(None, "is not JSON")
    writes = plan(current, [broken], UIDS, NOON)
    assert {(event.reason, event.document) for event in writes} == {(Reason.ERROR, SERVICES), (Reason.MENDED, ROUTING)}
    closed = plan(_written(current, writes), [], UIDS, NOON + SECOND)
    assert [event.document for event in closed] == [SERVICES, SERVICES]


def test_an_event_follows_a_configmap_that_was_made_anew() -> None:
    """`kubectl describe` looks for the uid; one that nobody could read takes nothing away."""
    current = _told([_problem()])
    [moved] = plan(current, [_problem()], {"service-registry": "uid-2"}, NOON)
    assert (moved.uid, moved.count, moved.last) == ("uid-2", 1, NOON)
    assert not plan(current, [_problem()], {}, NOON)


def test_of_many_problems_the_rest_is_counted() -> None:
    """At most fifty are told one by one, errors first; one event for each ConfigMap says how many more there are."""
    warning = _problem("warned").model_copy(update={"severity": Severity.WARNING})
    current = _told([warning, *_many(MOST), *_many(1, ROUTING)])
    more = {event.config_map: event for event in current if event.reason is Reason.MORE}
    assert len(current) == MOST + 2
    assert more["service-registry"].text == "1 more problem; mend: `routecast problems` lists all of them"
    assert more["service-registry"].name == "service-registry.more"
    assert more["domain-registry"].document == "domain-registry"


def test_how_many_more_there_are_is_kept_right() -> None:
    """The number changes in place; with the last of them the event is closed."""
    current = _told(_many(MOST + 2))
    [more] = plan(current, _many(MOST + 3), UIDS, NOON + SECOND)
    assert (more.text.split(";")[0], more.count) == ("3 more problems", 1)
    [closed] = plan(_written(current, [more]), _many(MOST), UIDS, NOON + 2 * SECOND)
    assert closed.text == "mended: 3 more problems"


def test_more_problems_are_not_mended_by_breaking_the_document() -> None:
    """Neither those that were told nor those that were only counted."""
    current = _told(_many(MOST + 2))
    writes = plan(current, [_problem(None, "is not JSON")], UIDS, NOON + SECOND)
    assert [event.reason for event in writes] == [Reason.ERROR]


def test_what_is_pushed_out_by_worse_is_not_called_mended() -> None:
    """An event of a problem that still is there, but not among the first fifty, is left to itself."""
    warnings = [each.model_copy(update={"severity": Severity.WARNING}) for each in _many(MOST)]
    current = _told(warnings)
    writes = plan(current, [*warnings, *_many(MOST, ROUTING)], UIDS, NOON + SECOND)
    assert not [event for event in writes if not event.warns]


def test_a_document_names_its_configmap() -> None:
    """With a key and without."""
    assert (config_map(SERVICES), config_map("cluster-info")) == ("service-registry", "cluster-info")
