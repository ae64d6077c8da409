"""An edit by hand: a text in a document becomes another."""

from dataclasses import dataclass

Key = tuple[str, str]
"""A document, and a key of it."""

SERVICES = ("service-registry", "services.json")
DOMAINS = ("domain-registry", "domains.json")
OLD_VPS_NODES = ("domain-registry", "vps-nodes.json")
ROUTING = ("domain-registry", "routing.json")
NODES = ("sync-controller-registry", "registry.json")
CLUSTER_NAME = ("cluster-info", "cluster-name")
DOMAIN = ("cluster-info", "cluster-domain")
CONTROL_PLANE = ("cluster-info", "control-plane-ip")


@dataclass(frozen=True, slots=True)
class Change:
    """The one place of a text in a document, and what is to stand there."""

    key: Key
    old: str
    new: str
