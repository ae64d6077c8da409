"""The cluster source: four ConfigMaps and `routecast-state`, through ``kubernetes.aio``.

Importing it takes seconds and much memory: `publisher.source.open` does so only where the registry is in a cluster.
"""

from publisher.source.cluster.opened import open_cluster
from publisher.source.cluster.source import ClusterSource
from publisher.source.cluster.timing import Timing

__all__ = ["ClusterSource", "Timing", "open_cluster"]
