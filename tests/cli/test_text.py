"""How values look in print."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.text import age, count, printable, short_digest, short_when, size, took, utc, when
from common.masking import masked_url

AT = datetime(2025, 11, 6, 18, 30, tzinfo=UTC)


@given(st.text())
def test_nothing_that_is_printed_moves_a_cursor(text: str) -> None:
    """Whatever a node or an entry is called, no escape, no new line, no direction mark reaches the terminal."""
    assert all(character.isprintable() for character in printable(text))


@given(st.text())
def test_printable_text_is_left_as_it_is(text: str) -> None:
    """Text of any language stays readable; escapes appear only for what does not print, or is kept on purpose."""
    if text.isprintable():
        assert printable(text) == text
    assert printable(text.replace("\n", ""), keep="\n") == printable(text.replace("\n", ""))


def test_escapes_are_shown_not_sent() -> None:
    """An escape sequence in an error message is written out."""
    assert printable("\x1b[31mred\n") == r"\x1b[31mred\n"
    assert printable("two\nlines", keep="\n") == "two\nlines"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0s"), (0.9, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172_799, "47h"), (1e6, "11d")],
)
def test_ages_use_the_largest_unit_that_says_enough(seconds: float, text: str) -> None:
    """An age never says 1 of a unit: that would hide nearly half of it."""
    assert age(seconds) == text


def test_times_are_utc() -> None:
    """Times are in UTC to the second, with their age; none is a dash."""
    other_zone = AT.astimezone(datetime.now().astimezone().tzinfo)
    assert utc(other_zone) == "2025-11-06T18:30:00Z"
    assert when(AT, AT + timedelta(seconds=5)) == "2025-11-06T18:30:00Z (5s ago)"
    assert short_when(AT, AT + timedelta(hours=3)) == "18:30:00Z (3h ago)"
    assert when(None, AT) == short_when(None, AT) == "-"


@pytest.mark.parametrize(("ms", "text"), [(0.42, "0.4 ms"), (12.3, "12 ms"), (1234, "1.2 s")])
def test_durations_have_the_digits_that_matter(ms: float, text: str) -> None:
    """Two digits are enough to compare by."""
    assert took(ms) == text


@pytest.mark.parametrize(("number", "text"), [(812, "812 B"), (1434, "1.4 KiB"), (12 * 1024**2, "12.0 MiB")])
def test_sizes_have_units(number: int, text: str) -> None:
    """Bytes are counted in binary units."""
    assert size(number) == text


def test_counts_have_their_plural() -> None:
    """One is one, all else is many; odd plurals can be given."""
    assert [count(1, "problem"), count(0, "problem"), count(2, "entry", "entries")] == [
        "1 problem",
        "0 problems",
        "2 entries",
    ]


def test_digests_are_short() -> None:
    """Twelve digits are what people compare."""
    assert short_digest("sha256:4853b39a4400c9a5f42e") == "4853b39a4400"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nats://me:pass@cp1:4222", "nats://********@cp1:4222"),
        ("nats://token@cp1:4222", "nats://********@cp1:4222"),
        ("nats://cp1:4222", "nats://cp1:4222"),
        ("http://cp1/a@b", "http://cp1/a@b"),
    ],
)
def test_credentials_in_urls_are_masked(url: str, shown: str) -> None:
    """A password is not shown, nor a token in the place of a user's name."""
    assert masked_url(url) == shown
