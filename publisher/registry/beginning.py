"""The edit that makes what is missing: documents, keys, what the cluster calls itself. Pure."""

from dataclasses import dataclass
from typing import Any

from common import values
from publisher.pipeline.parse.cluster import CONTROL_PLANE_KEY, DOMAIN_KEY, NAME_KEY
from publisher.pipeline.parse.text import cleaned
from publisher.registry.draft import DOMAINS, NODES, ROUTING, SERVICES, Draft, Key
from publisher.registry.faults import Faults
from publisher.source.document import CLUSTER_INFO

EMPTY: dict[Key, tuple[dict[str, Any], tuple[str, ...]]] = {
    SERVICES: ({}, ("services",)),
    DOMAINS: ({"domains": {}, "vps_nodes": []}, ("domains", "vps_nodes")),
    ROUTING: ({}, ("routing",)),
    NODES: ({"management_laptops": [], "vps_nodes": [], "worker_nodes": []}, ("nodes",)),
}
"""What a key holds at first, and the parts of a mark that count what it held."""


@dataclass(frozen=True, slots=True)
class ClusterFields:
    """What the cluster calls itself; None leaves a field as it is."""

    name: str | None = None
    domain: str | None = None
    control_plane_ip: str | None = None


def begin(draft: Draft, given: ClusterFields, counts: dict[str, int]) -> None:
    """Make every document and key that is missing or blank; what is there stays.

    `counts` are those of the mark: a part that once held something is not made empty because its key is blank.

    Raises:
        EditRefused: a value is not valid, the domain is not known, or a part was lost that had entries.

    """
    faults = Faults()
    _cluster(draft, given, faults)
    for key, (value, parts) in EMPTY.items():
        document = draft.document(key.document)
        if document.why is not None:
            faults.add(f"{key}: {document.why}; mend it first: {document.edit}")
        if draft.has(key) or document.why is not None:
            continue
        lost = sum(counts.get(part, 0) for part in parts)
        if lost:
            faults.add(
                f"{key} is blank, but {lost} of its entries were published: put them back "
                f"(routecast stream show -o json has them) before an empty one is made"
            )
        draft.create(key, value)
    faults.refuse_if_any()


def _cluster(draft: Draft, given: ClusterFields, faults: Faults) -> None:
    document = draft.document(CLUSTER_INFO)
    if document.why is not None:
        faults.add(f"{CLUSTER_INFO}: {document.why}; mend it first: {document.edit}")
        return
    data = document.data or {}
    texts = {
        NAME_KEY: None if given.name is None else cleaned(given.name),
        DOMAIN_KEY: None if given.domain is None else faults.checked("--domain", values.dns_name, given.domain),
        CONTROL_PLANE_KEY: None
        if given.control_plane_ip is None
        else faults.checked("--control-plane-ip", values.address, given.control_plane_ip),
    }
    if not data.get(DOMAIN_KEY, "").strip() and given.domain is None:
        faults.add("the cluster has no domain yet, so there would be no names; give it one, as --domain mycloud")
    for key, text in texts.items():
        if text is not None:
            draft.put_text(CLUSTER_INFO, key, text)
