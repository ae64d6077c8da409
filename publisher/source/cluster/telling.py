"""The cluster source that also tells what is wrong in its documents, as Events on the ConfigMaps."""

from collections.abc import Sequence

from common.problems import Problem
from publisher.source.cluster.access import may_write_events
from publisher.source.cluster.calls import ConfigMaps
from publisher.source.cluster.events import ClusterEvents
from publisher.source.cluster.source import ClusterSource
from publisher.source.cluster.timing import Timing


class TellingSource(ClusterSource):
    """A cluster source with Events; they need rights that reading does not (`publisher.source.cluster.access`)."""

    def __init__(self, config_maps: ConfigMaps, events: ClusterEvents, timing: Timing, relist_every_s: float) -> None:
        super().__init__(config_maps, timing, relist_every_s)
        self._events = events

    async def may_tell(self) -> bool:
        """Tell whether problems may be told; if not, how to grant it is logged. Waits for the server to answer."""
        return await may_write_events(self._events, self._timing)

    async def tell(self, problems: Sequence[Problem]) -> bool:
        """Bring the Events on the ConfigMaps to what the problems are now; return whether any had to be written.

        Raises:
            SourceUnavailable: the API server does not answer, or another publisher was faster.
            AccessDenied: Events may not be written.

        """
        return await self._events.tell(problems)
