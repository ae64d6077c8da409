"""When a pending change is due: the first one at once, a burst behind it settled.

Pure timing: `now` is always handed in, in s of a monotonic clock. With the default delays (0.1 and 1 s) 100 edits
within 5 s, however they are spread, make at most 12 snapshots: the first follow-up of a burst waits for the quiet delay
only, each further one also until half of the longest delay has passed since the last snapshot.
"""


class Settle:
    """Changes that were not published yet, and when they must be."""

    def __init__(self, quiet_delay_s: float, max_delay_s: float) -> None:
        self._quiet_delay_s = min(quiet_delay_s, max_delay_s)
        self._max_delay_s = max_delay_s
        self._first_change: float | None = None
        self._last_change = 0.0
        self._last_published: float | None = None
        self._follow_ups = 0

    def changed(self, now: float) -> None:
        """Note a change."""
        if self._first_change is None:
            self._first_change = now
        self._last_change = now

    def published(self, now: float) -> None:
        """Note that a round took the documents as they are: nothing is pending, until the next change."""
        self._follow_ups = self._follow_ups + 1 if self._in_burst(now) else 0
        self._last_published = now
        self._first_change = None

    def due(self) -> float | None:
        """Return when the pending changes must go out; None when there are none."""
        first = self._first_change
        if first is None or self._last_published is None or not self._in_burst(first):
            return first
        quiet = min(self._last_change + self._quiet_delay_s, first + self._max_delay_s)
        apart = self._last_published + self._max_delay_s / 2 if self._follow_ups else first
        return max(quiet, apart)

    def _in_burst(self, at: float) -> bool:
        """Tell whether something was published within the longest delay before `at`."""
        return self._last_published is not None and at - self._last_published < self._max_delay_s
