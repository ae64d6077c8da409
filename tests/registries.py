"""Registries and snapshots that tests share; and hypothesis' way to make any."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from common.codec import digest_of
from common.models import Cluster, Domain, Node, Registry, Role, Routing, Service, Strategy, Vps
from common.signing import Signer
from common.snapshot import SCHEMA, Reason, Snapshot, registry_value

SIGNER = Signer(bytes(range(32)))
KEYS = frozenset({SIGNER.public_key})
AT = datetime(2025, 11, 6, 18, 30, tzinfo=UTC)
INSTALLATION = "0b6f9a52-6f0e-5a53-9d5e-9a3f5f7f3f11"

REFERENCE = Registry(
    cluster=Cluster(name="mynodeone", domain="mycloud", control_plane_ip="100.122.68.75"),
    services={
        "immich": Service(
            subdomain="photos", namespace="immich", service="immich-server", ip="100.67.243.10", port=80, public=True
        ),
        "open-webui": Service(
            subdomain="chat", namespace="llm-chat", service="open-webui", ip="100.67.243.11", port=80, public=True
        ),
        "grafana": Service(subdomain="grafana", namespace="monitoring", ip="100.67.243.12", port=80),
        "dashboard": Service(subdomain="dashboard", namespace="dashboard", ip="100.67.243.13", port=80),
    },
    domains={
        "curiios.com": Domain(description="Personal site"),
        "vinaysachdeva.com": Domain(description="Professional site"),
    },
    vps_nodes=(
        Vps(tailscale_ip="100.68.225.92", public_ip="45.8.133.192", location="eu", provider="contabo"),
        Vps(tailscale_ip="100.70.123.45", public_ip="167.99.1.1", location="us", provider="digitalocean"),
    ),
    routing={
        "immich": Routing(domains=("curiios.com", "vinaysachdeva.com"), vps_nodes=("100.68.225.92", "100.70.123.45")),
        "open-webui": Routing(
            domains=("curiios.com", "vinaysachdeva.com"),
            vps_nodes=("100.68.225.92", "100.70.123.45"),
            strategy=Strategy.PRIMARY_BACKUP,
        ),
    },
    nodes=(
        Node(name="contabo-vps", role=Role.VPS, address="100.68.225.92", label="contabo-vps"),
        Node(name="digitalocean-vps", role=Role.VPS, address="100.70.123.45", label="digitalocean-vps"),
        Node(name="vinay-laptop", role=Role.LAPTOP, address="100.86.112.112", label="vinay-laptop"),
        Node(name="work-laptop", role=Role.LAPTOP, address="100.87.123.45", label="work-laptop"),
    ),
)


def with_service(name: str, service: Service, registry: Registry = REFERENCE) -> Registry:
    """Return `registry` with one service more, or another form of it."""
    return registry.model_copy(update={"services": {**registry.services, name: service}})


def without_service(name: str, registry: Registry = REFERENCE) -> Registry:
    """Return `registry` without a service."""
    return registry.model_copy(update={"services": {k: v for k, v in registry.services.items() if k != name}})


def snapshot(registry: Registry = REFERENCE, *, epoch: int = 1_763_885_042_123, version: int = 57) -> Snapshot:
    """Return a snapshot of `registry`."""
    return Snapshot(
        schema=SCHEMA,
        installation=INSTALLATION,
        epoch=epoch,
        version=version,
        digest=digest_of(registry_value(registry)),
        created_at=AT,
        published_at=AT,
        reason=Reason.CHANGE,
        republish_every_s=3600,
        registry=registry,
    )


_LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
_V4 = st.integers(0x01000001, 0xDFFFFFFE).map(lambda n: ".".join(str(n >> shift & 255) for shift in (24, 16, 8, 0)))
_V6 = st.integers(1, 0xFFFF).map(lambda n: f"fd7a:115c:a1e0::{n:x}")
addresses = _V4 | _V6
services = st.builds(
    Service,
    subdomain=st.just("") | _LABEL | st.just("dashboard"),
    ip=st.none() | addresses,
    port=st.none() | st.integers(1, 65535),
    public=st.booleans(),
)


@st.composite
def registries(draw: st.DrawFn) -> Registry:
    """Make a registry whose routing names what exists."""
    found = draw(st.dictionaries(_LABEL, services, max_size=8))
    domains = draw(st.lists(_LABEL.map(lambda label: f"{label}.com"), max_size=3, unique=True))
    vps = draw(st.lists(addresses, max_size=3, unique=True))
    routed = draw(st.lists(st.sampled_from(sorted(found)), unique=True)) if found else []
    routing = {
        name: Routing(
            domains=tuple(draw(st.lists(st.sampled_from(domains), unique=True))) if domains else (),
            vps_nodes=tuple(draw(st.lists(st.sampled_from(vps), unique=True))) if vps else (),
            strategy=draw(st.sampled_from(Strategy)),
        )
        for name in routed
    }
    return Registry(
        cluster=Cluster(domain=draw(st.sampled_from(["mycloud", "lan.example.org", None]))),
        services=found,
        domains={name: Domain() for name in domains},
        vps_nodes=tuple(Vps(tailscale_ip=address) for address in sorted(vps)),
        routing=routing,
        nodes=tuple(Node(name=f"vps-{i}", role=Role.VPS, address=address) for i, address in enumerate(sorted(vps))),
    )
