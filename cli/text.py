"""How values look in print: ages, durations, sizes. Pure.

What comes from the bus was written by others: `printable` goes over every text of it, so that no escape sequence
reaches a terminal.
"""

from datetime import UTC, datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))
_KIB = 1024


def printable(text: str, *, keep: str = "") -> str:
    """Return `text` with every character that does not print written as an escape, those in `keep` apart."""
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def age(seconds: float) -> str:
    """Return a length of time in its largest unit that gives two or more of them: ``119s``, ``47h``, ``12d``."""
    whole = max(0, int(seconds))
    for size, unit in _UNITS:
        if whole >= 2 * size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def utc(at: datetime) -> str:
    """Return a time in UTC, to the second, as in the logs: ``2025-11-06T18:30:00Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def when(at: datetime | None, now: datetime) -> str:
    """Return a time and its age, ``-`` for none."""
    return "-" if at is None else f"{utc(at)} ({age((now - at).total_seconds())} ago)"


def short_when(at: datetime | None, now: datetime) -> str:
    """Return the time of day and the age, ``-`` for none: for narrow terminals."""
    return "-" if at is None else f"{at.astimezone(UTC):%H:%M:%SZ} ({age((now - at).total_seconds())} ago)"


def took(milliseconds: float) -> str:
    """Return how long something took: ``0.4 ms``, ``12 ms``, ``1.2 s``."""
    if milliseconds >= 1000:  # noqa: PLR2004 - a second
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"  # noqa: PLR2004


def size(count: int) -> str:
    """Return a number of bytes: ``812 B``, ``1.4 KiB``, ``12.0 MiB``."""
    if count < _KIB:
        return f"{count} B"
    return f"{count / _KIB:.1f} KiB" if count < _KIB**2 else f"{count / _KIB**2:.1f} MiB"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: ``1 problem``, ``2 problems``."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def short_digest(digest: str) -> str:
    """Return the part of a digest that people compare: its first twelve digits."""
    return digest.removeprefix("sha256:")[:12]
