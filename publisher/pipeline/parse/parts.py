"""The parts of a registry: each comes from keys of one document, and is readable or not as a whole."""

from enum import StrEnum


class Part(StrEnum):
    """A field of `common.models.Registry`."""

    CLUSTER = "cluster"
    SERVICES = "services"
    DOMAINS = "domains"
    VPS_NODES = "vps_nodes"
    ROUTING = "routing"
    NODES = "nodes"
