"""How ``routecast init`` is called to make what is missing, and when it would be refused. Pure."""

from collections.abc import Callable, Mapping

from common.models import Registry
from common.values import address, dns_name
from publisher.pipeline.parse.cluster import CONTROL_PLANE_KEY, DOMAIN_KEY, PROPOSED_DOMAIN
from publisher.pipeline.parse.mend import ADDRESS, Command
from publisher.pipeline.parse.parts import Part
from publisher.pipeline.parse.text import bare, checked, is_missing
from publisher.source.document import (
    CLUSTER_INFO,
    DOMAIN_REGISTRY,
    SERVICE_REGISTRY,
    SYNC_CONTROLLER_REGISTRY,
    Document,
)

_PARTS = {
    (SERVICE_REGISTRY, "services.json"): (Part.SERVICES,),
    (DOMAIN_REGISTRY, "domains.json"): (Part.DOMAINS, Part.VPS_NODES),
    (DOMAIN_REGISTRY, "routing.json"): (Part.ROUTING,),
    (SYNC_CONTROLLER_REGISTRY, "registry.json"): (Part.NODES,),
}
"""What is in the keys that `init` makes."""


def init_command(documents: Mapping[str, Document], previous: Registry | None) -> Command | None:
    """Return the command that makes what is missing; None where it would be refused.

    That is so while a document cannot be read, and where a missing key had entries that were published: an empty key
    would take them from the nodes.
    """
    if any(document.why is not None for document in documents.values()):
        return None
    before = previous or Registry()
    for at, parts in _PARTS.items():
        if _is_missing(documents, *at) and any(getattr(before, part) for part in parts):
            return None
    info = documents.get(CLUSTER_INFO)
    return _init(info.data if info is not None and info.data is not None else {}, before.cluster.domain)


def _init(data: Mapping[str, str], previous: str | None) -> Command:
    """Return the command with what it takes for the cluster to have a domain; an address must be right then, too."""
    command = Command("init", options=(("--registry-only",),))  # what is wrong is not the keys
    if _is_right(dns_name, data.get(DOMAIN_KEY, "")):
        return command
    command = command.having("--domain", previous or PROPOSED_DOMAIN)
    address_text = data.get(CONTROL_PLANE_KEY, "").strip()
    wrong = address_text and not _is_right(address, address_text)
    return command.having("--control-plane-ip", ADDRESS) if wrong else command


def _is_right(check: Callable[[str], str], text: str) -> bool:
    try:
        return bool(checked(check, bare(text)))
    except ValueError:
        return False


def _is_missing(documents: Mapping[str, Document], name: str, key: str) -> bool:
    return name not in documents or is_missing(documents[name], key)
