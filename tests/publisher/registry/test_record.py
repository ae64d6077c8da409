from datetime import datetime, timedelta

import pytest

from publisher.registry.difference import Fate, FieldChange, Kind
from publisher.registry.record import KEPT, KEPT_BYTES, KEPT_FOR, FoundEntry, RecordedEdit, add_to_record, read_record
from tests.registries import AT


def _edit(at: datetime = AT, command: str = "routecast service add immich --port 81", size: int = 0) -> RecordedEdit:
    change = FieldChange(Kind.SERVICE, "immich", "port", 80, {"x": [None, True, 1.5, "y" * size]}, Fate.CHANGED)
    found = FoundEntry(kind=Kind.SERVICE, entry="immich", stamp="2025-01-01T00:00:00Z")
    return RecordedEdit(at=at, by="me@host", command=command, changes=(change,), found=(found,))


def test_an_edit_is_read_as_it_was_recorded() -> None:
    """To the type of each value."""
    text = add_to_record(add_to_record(None, _edit()), _edit(AT + timedelta(seconds=1)))
    assert read_record(text) == (_edit(), _edit(AT + timedelta(seconds=1)))


@pytest.mark.parametrize(
    "text", [None, "", "{", "5", "[5]", '[{"at": "x"}]', add_to_record(None, _edit()).replace("Z", "")]
)
def test_a_record_that_cannot_be_read_is_empty(text: str | None) -> None:
    """It serves to notice, and nothing depends on it; the next edit begins it anew."""
    assert read_record(text) == ()
    assert read_record(add_to_record(text, _edit())) == (_edit(),)


def test_an_edit_is_remembered_for_a_week() -> None:
    """What was undone later than that was undone on purpose."""
    text = add_to_record(None, _edit())
    assert read_record(text, AT + KEPT_FOR - timedelta(seconds=1)) == (_edit(),)
    assert read_record(text, AT + KEPT_FOR) == ()
    later = _edit(AT + KEPT_FOR)
    assert read_record(add_to_record(text, later)) == (later,)


def test_the_newest_edits_are_remembered() -> None:
    """Of many."""
    text = None
    for i in range(KEPT + 5):
        text = add_to_record(text, _edit(command=str(i)))
    assert [edit.command for edit in read_record(text)] == [str(i) for i in range(5, KEPT + 5)]


def test_the_record_leaves_room_for_the_publishers_state() -> None:
    """Both are in one ConfigMap; an older edit is never remembered without the ones behind it."""
    text = add_to_record(None, _edit(command="old"))
    for i in range(4):
        text = add_to_record(text, _edit(command=str(i), size=KEPT_BYTES // 3))
    assert [edit.command for edit in read_record(text)] == ["2", "3"]
    assert len(text) < KEPT_BYTES
    assert read_record(add_to_record(text, _edit(size=KEPT_BYTES))) == ()
