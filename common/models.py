"""The registry: what all nodes must agree on, without anything volatile or private.

Values only; how they are read from ConfigMaps is the publisher's job, how names and routes follow from them is
`common.names`' and `common.routes`'.
"""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from common.values import Address, DnsName, EntryName, Middleware, NodeName, Port, Subdomain


class Frozen(BaseModel):
    """A value that cannot change and ignores fields of newer writers (DESIGN 5)."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Role(StrEnum):
    """What a node is for; picks its presets."""

    LAPTOP = "laptop"
    VPS = "vps"
    WORKER = "worker"


class Strategy(StrEnum):
    """How a service's host names spread over its VPSs (DESIGN 7)."""

    ROUND_ROBIN = "round-robin"
    PRIMARY_BACKUP = "primary-backup"


class Scheme(StrEnum):
    """How a VPS speaks to a service's backend."""

    HTTP = "http"
    HTTPS = "https"


class Cluster(Frozen):
    """What the cluster calls itself."""

    name: str | None = None
    domain: DnsName | None = None
    control_plane_ip: Address | None = None


class Service(Frozen):
    """An app: its name inside the zone and its LoadBalancer address."""

    subdomain: Subdomain
    namespace: str = ""
    service: str = ""
    ip: Address | None = None
    """None: no address now, so no name and no route."""
    port: Port | None = None
    """None: a name, but no route."""
    public: bool = False
    """May be routed from the internet."""
    scheme: Scheme = Scheme.HTTP
    middlewares: tuple[Middleware, ...] = ()


class Domain(Frozen):
    """A public domain under which services can be routed."""

    description: str = ""


class Vps(Frozen):
    """A rented machine with a public address, known to the routing by its tailnet address."""

    tailscale_ip: Address
    public_ip: Address | None = None
    location: str = ""
    provider: str = ""


class Routing(Frozen):
    """Where a public service is served: host names by domain, on VPSs in the listed order."""

    domains: tuple[DnsName, ...] = ()
    vps_nodes: tuple[Address, ...] = ()
    strategy: Strategy = Strategy.ROUND_ROBIN


class Node(Frozen):
    """A machine that runs a subscriber. `name` is its identity on the bus, fixed for life."""

    name: NodeName
    role: Role
    address: Address
    label: str = ""
    """The name as its owner wrote it."""


class Registry(Frozen):
    """Everything that a snapshot carries; `vps_nodes` sorted by address, `nodes` by name."""

    cluster: Cluster = Cluster()
    services: dict[EntryName, Service] = Field(default_factory=dict)
    domains: dict[DnsName, Domain] = Field(default_factory=dict)
    vps_nodes: tuple[Vps, ...] = ()
    routing: dict[EntryName, Routing] = Field(default_factory=dict)
    nodes: tuple[Node, ...] = ()

    def node(self, name: str) -> Node | None:
        """Return the node called `name`, or None when it is not registered."""
        return next((node for node in self.nodes if node.name == name), None)
