"""Open the cluster source, and close it without a trace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from common.settings.publisher import PublisherSettings
from publisher.source.cluster.calls import ConfigMaps
from publisher.source.cluster.document import Commands
from publisher.source.cluster.events import ClusterEvents
from publisher.source.cluster.login import logged_in
from publisher.source.cluster.telling import TellingSource
from publisher.source.cluster.timing import Timing


@asynccontextmanager
async def open_cluster(settings: PublisherSettings, timing: Timing | None = None) -> AsyncIterator[TellingSource]:
    """Yield the source in the cluster that the settings name. The API server need not answer yet.

    Raises:
        ConfigError: no kubeconfig, and not in a cluster; or a kubeconfig that is not usable.

    """
    timing = timing or Timing()
    async with logged_in(settings) as api:
        config_maps = ConfigMaps(api, Commands.of(settings), timing)
        events = ClusterEvents(api, config_maps, timing)
        yield TellingSource(config_maps, events, timing, settings.relist_every_s)
