"""`Settle` under a round that takes the documents as soon as they are due."""

from collections.abc import Sequence
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.pipeline.settle import Settle
from tests.publisher.pipeline.parsing import CALM

QUIET, LONGEST = 0.1, 1.0
BURST_S = 5.0

burst = st.lists(st.floats(0, BURST_S), min_size=100, max_size=100).map(sorted)
clumps = st.lists(st.sampled_from([0.1, 0.3, 0.45, 0.5, 0.9, 1.0, 1.1, 4.9]), min_size=1, max_size=12).map(
    lambda gaps: sorted({min(BURST_S, sum(gaps[:i])) for i in range(len(gaps) + 1)} | {0.0, BURST_S})
)


def _publishes(edits: Sequence[float], settle: Settle | None = None) -> list[float]:
    """Return when rounds took the documents, for edits at the given times."""
    settle = settle or Settle(QUIET, LONGEST)
    taken: list[float] = []
    for edit in [*edits, float("inf")]:
        while (due := settle.due()) is not None and due < edit:
            settle.published(due)
            taken.append(due)
        if edit != float("inf"):
            settle.changed(edit)
    return taken


def test_nothing_is_due_without_a_change() -> None:
    """A round that took the documents leaves nothing pending."""
    settle = Settle(QUIET, LONGEST)
    assert settle.due() is None
    settle.changed(1.0)
    assert settle.due() == 1.0
    settle.published(1.0)
    assert settle.due() is None


@pytest.mark.parametrize("pause", [LONGEST, 60.0])
def test_a_change_after_a_pause_goes_at_once(pause: float) -> None:
    """A single edit waits for nothing."""
    assert _publishes([10.0, 10.0 + pause]) == [10.0, 10.0 + pause]


def test_the_first_follow_up_waits_for_the_quiet_delay_only() -> None:
    """Two edits in a row are both out at once."""
    assert _publishes([10.0, 10.02, 10.05]) == [10.0, pytest.approx(10.15)]


def test_further_follow_ups_are_half_the_longest_delay_apart() -> None:
    """A burst makes few snapshots."""
    assert _publishes([0.0, 0.1, 0.3, 0.75]) == [0.0, pytest.approx(0.2), pytest.approx(0.7), pytest.approx(1.2)]


def test_a_stream_of_edits_is_never_held_back_longer_than_the_longest_delay() -> None:
    """The quiet delay begins anew with each edit, the longest one does not."""
    taken = _publishes([i * 0.05 for i in range(100)])
    assert max(b - a for a, b in pairwise(taken)) <= LONGEST + 0.05 + 1e-9


def test_evenly_spaced_edits_make_at_most_12_snapshots() -> None:
    """100 edits within 5 s; the last snapshot has the last edit."""
    taken = _publishes([i * 0.05 for i in range(100)])
    assert len(taken) <= 12
    assert taken[-1] >= 99 * 0.05


@CALM
@given(burst | clumps)
def test_no_spread_of_edits_makes_more_than_12_snapshots(edits: list[float]) -> None:
    """100 edits within 5 s, evenly spaced or not; each is out within the longest delay, the first at once."""
    taken = _publishes(edits)
    assert len(taken) <= 12
    assert taken[0] == edits[0]
    for edit in edits:
        assert any(edit <= at <= edit + LONGEST + 1e-9 for at in taken)


def test_nobody_who_waits_for_each_snapshot_gets_more_than_12() -> None:
    """The worst case: the next edit comes when the last one went out, with any pause in between."""
    worst = 0
    for first_pause, second_pause in product(range(25), repeat=2):
        settle, now, count, pauses = Settle(QUIET, LONGEST), 0.0, 0, (first_pause / 20, second_pause / 20)
        while now <= BURST_S:
            settle.changed(now)
            due = settle.due()
            assert due is not None
            settle.published(due)
            now = due + 1e-6 + pauses[count % 2]
            count += 1
        worst = max(worst, count)
    assert worst <= 12


def test_rounds_that_come_late_change_nothing_but_the_time() -> None:
    """A round in progress holds up the next one; what changed meanwhile is pending still."""
    settle = Settle(QUIET, LONGEST)
    settle.changed(0.0)
    settle.published(0.0)
    settle.changed(0.2)
    settle.published(5.0)
    assert settle.due() is None
    settle.changed(5.1)
    assert settle.due() == pytest.approx(5.2)


def test_a_longest_delay_below_the_quiet_one_wins() -> None:
    """A setting, not a fault."""
    assert _publishes([0.0, 0.01], Settle(10.0, 0.5)) == [0.0, pytest.approx(0.51)]
