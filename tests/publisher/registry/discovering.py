"""What the tests of discovery share: Services, entries, and what a discovery makes of them."""

from collections.abc import Mapping
from typing import Any

from common.models import Cluster
from publisher.registry.discover import Discovery
from publisher.source.cluster_service import ClusterService, ServicePort

CLUSTER = Cluster(domain="mycloud")
IP = "100.67.243.10"
ELSEWHERE = "100.67.243.99"
KEY = "mycloud.local/subdomain"
OLD_KEY = "mynodeone.io/subdomain"

Entries = dict[str, Any]


def service(
    name: str = "immich",
    namespace: str = "photos",
    ip: str | None = IP,
    ports: Mapping[str, int] | None = None,
    **more: Any,
) -> ClusterService:
    """Make a Service; one port 80 without a name, unless said otherwise."""
    named = tuple(ServicePort(*port) for port in ({"": 80} if ports is None else ports).items())
    return ClusterService(name, namespace, ip, named, more.pop("annotations", {}), **more)


def entry(name: str = "immich", namespace: str = "photos", **fields: Any) -> Entries:
    """Make the entry of a Service, as it stands when nothing differs."""
    whole = {"subdomain": name, "namespace": namespace, "service": name, "ip": IP, "port": 80, "public": False}
    return {field: value for field, value in {**whole, **fields}.items() if value != "gone"}


def proposed(discovery: Discovery) -> dict[str, dict[str, object]]:
    """Return the proposed fields by entry."""
    return {proposal.name: dict(proposal.fields) for proposal in discovery.proposals}


def applied(entries: Mapping[str, Any], discovery: Discovery) -> Entries:
    """Return the entries with everything that was proposed."""
    after = dict(entries)
    for proposal in discovery.proposals:
        assert proposal.new == (proposal.name not in entries)
        before = after.get(proposal.name, {})
        after[proposal.name] = {**before, **proposal.fields}
    return after


def only(discovery: Discovery) -> dict[str, object]:
    """Return the fields of the one proposal, of a discovery that has nothing else to say."""
    (proposal,) = discovery.proposals
    assert not discovery.problems
    return dict(proposal.fields)
