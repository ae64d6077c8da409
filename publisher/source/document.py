"""The source documents: four ConfigMaps by name, and how one of them stands. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from common.snapshot import SourceInfo
from common.status import SourceState

SERVICE_REGISTRY = "service-registry"
DOMAIN_REGISTRY = "domain-registry"
SYNC_CONTROLLER_REGISTRY = "sync-controller-registry"
CLUSTER_INFO = "cluster-info"

DOCUMENTS = (CLUSTER_INFO, SERVICE_REGISTRY, DOMAIN_REGISTRY, SYNC_CONTROLLER_REGISTRY)
"""The names of the ConfigMaps that hold the registry."""

STATE = "routecast-state"
"""The ConfigMap that keeps the mark."""


ROUTECAST = "routecast"
"""How the command line is called for the cluster."""


@dataclass(frozen=True, slots=True)
class Document:
    """A ConfigMap as it was read last.

    `data` is None when it is missing (`why` None) or there but not to be read (`why` says why: denied, broken file).
    """

    name: str
    data: Mapping[str, str] | None
    why: str | None = None
    resource_version: str | None = None
    changed_by: str | None = None
    """The field manager (cluster) or file name (directory) that changed it last."""
    changed_at: datetime | None = None
    edit: str = ""
    """The command that opens it for editing, for problems' `mend`."""
    routecast: str = ROUTECAST
    """How the command line is called for the source that this is from, ready to paste."""
    notes: tuple[str, ...] = ()
    """What is odd about where it was found; each becomes a warning."""

    @classmethod
    def missing(cls, name: str, edit: str) -> Self:
        """Return the document that does not exist."""
        return cls(name, None, edit=edit)

    @property
    def in_cluster(self) -> bool:
        """Whether it is a ConfigMap of a cluster, not of a folder."""
        return self.routecast == ROUTECAST

    @property
    def state(self) -> SourceState:
        """How it stands."""
        if self.data is not None:
            return SourceState.READABLE
        return SourceState.MISSING if self.why is None else SourceState.UNREADABLE

    @property
    def info(self) -> SourceInfo:
        """What a snapshot says of it."""
        return SourceInfo(
            resource_version=self.resource_version, changed_by=self.changed_by, changed_at=self.changed_at
        )
