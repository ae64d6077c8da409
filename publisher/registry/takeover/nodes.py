"""Taking over the nodes, and what the cluster calls itself. Pure."""

from common import values
from publisher.pipeline.parse.cluster import CONTROL_PLANE_KEY, DOMAIN_KEY
from publisher.pipeline.parse.nodes import LISTS
from publisher.pipeline.parse.text import checked
from publisher.registry.draft import Draft, Entries
from publisher.registry.takeover.findings import FindingKind, Log
from publisher.registry.takeover.written import an_address, fields_of, respell, shown
from publisher.source.document import CLUSTER_INFO

_NODE = {"ip": an_address("ip")}


def take_nodes(root: Entries, log: Log) -> None:
    """Make the lists that are missing, and write addresses as they are written now. Names stay: they are for life."""
    for field in LISTS:
        if root.get(field) is None:
            how = "null" if field in root else "missing"
            log.mend(FindingKind.SHAPE, "nodes", f"the list {field} is {how}", "becomes []")
            root[field] = []
        items = root[field] if isinstance(root[field], list) else []
        for i, item in enumerate(items, start=1):
            if isinstance(item, dict):
                name = fields_of(item).label("name") or f"{field}, item {i}"
                respell(f"node {name}", item, _NODE, log)


def take_cluster(draft: Draft, log: Log) -> None:
    """Write the cluster's domain and address as they are written now."""
    data = draft.document(CLUSTER_INFO).data or {}
    for key, check in ((DOMAIN_KEY, values.dns_name), (CONTROL_PLANE_KEY, values.address)):
        written = data.get(key, "")
        try:
            text = checked(check, written)
        except ValueError:
            continue
        if text != written:
            log.mend(FindingKind.SPELLING, f"cluster {key}", f"is written {shown(written)}", f"becomes {shown(text)}")
            draft.put_text(CLUSTER_INFO, key, text)
