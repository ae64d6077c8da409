"""Hold what is wrong with the fake server at the moment; tests switch it on through `api.faults`.

Only says what to do: the HTTP layer and the watches do it. A server that does not listen is `FakeKubernetes.refuse`.
"""

import math
from dataclasses import dataclass

from tests.fakes.kubernetes_status import StatusError
from tests.fakes.kubernetes_watch import OpenWatch

_MESSAGES = {
    429: "too many requests, please try again later.",
    500: "Internal error occurred: the fake was told to fail",
    503: "the server is currently unable to handle the request",
}


@dataclass(slots=True)
class PlannedAnswer:
    """A refusal in place of the real answer, for some requests, some times."""

    status: int
    verb: str | None
    name: str | None
    resource: str | None
    left: float
    retry_after_s: int | None


class Faults:
    """The switches; `heal` puts all of them back. What they broke stays broken: a silent watch does not revive."""

    def __init__(self) -> None:
        self.watches: set[OpenWatch] = set()
        self.delay_s = 0.0
        self.halved = False
        self.silent = False
        self._planned: list[PlannedAnswer] = []
        self._expired_left = 0.0

    def heal(self) -> None:
        """Answer every coming request as a healthy server does."""
        self.delay_s, self.halved, self.silent, self._expired_left = 0.0, False, False, 0.0
        self._planned.clear()

    def slow_down(self, delay_s: float) -> None:
        """Wait this long before each answer, also before a watch opens."""
        self.delay_s = delay_s

    def answer(
        self,
        status: int,
        *,
        verb: str | None = None,
        name: str | None = None,
        resource: str | None = None,
        times: float = math.inf,
        retry_after_s: int | None = None,
    ) -> None:
        """Answer the next `times` requests of this verb and object (None: any) with a `Status` of this HTTP code."""
        self._planned.append(PlannedAnswer(status, verb, name, resource, times, retry_after_s))

    def halve_bodies(self) -> None:
        """Declare the whole Content-Length, send half, close; a watch is cut in the middle of its next line."""
        self.halved = True
        for watch in self.watches:
            watch.halved = True

    def silence_watches(self) -> None:
        """Keep open and coming watches connected and say nothing more on them: no event, bookmark, nor end."""
        self.silent = True
        for watch in self.watches:
            watch.silent = True

    def expire_watches(self, times: float = math.inf) -> None:
        """Answer the next `times` watches with 410, whatever revision they ask for."""
        self._expired_left = times

    def cut_watches(self) -> int:
        """Drop the connection of every open watch without a goodbye; returns how many there were."""
        cut = list(self.watches)
        for watch in cut:
            watch.cut()
        return len(cut)

    def take_planned(self, verb: str, name: str | None, resource: str | None) -> StatusError | None:
        """Use up one planned answer that fits this request, the oldest first."""
        for planned in self._planned:
            wanted = ((planned.verb, verb), (planned.name, name), (planned.resource, resource))
            if planned.left > 0 and all(one in (None, other) for one, other in wanted):
                planned.left -= 1
                message = _MESSAGES.get(planned.status, "the fake was told to answer this")
                return StatusError(planned.status, message, retry_after_s=planned.retry_after_s)
        return None

    def take_expired(self) -> bool:
        """Tell whether the watch that is about to open must answer 410, and count it."""
        if self._expired_left <= 0:
            return False
        self._expired_left -= 1
        return True
