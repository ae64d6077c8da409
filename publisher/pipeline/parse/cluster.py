"""``cluster-info``: what the cluster calls itself, in plain keys."""

from typing import NamedTuple

from common.models import Cluster
from common.values import address, dns_name
from publisher.pipeline.parse.mend import ADDRESS
from publisher.pipeline.parse.place import Places
from publisher.pipeline.parse.text import checked, cleaned, read_text
from publisher.source.document import CLUSTER_INFO

DOMAIN_KEY = "cluster-domain"
NAME_KEY = "cluster-name"
CONTROL_PLANE_KEY = "control-plane-ip"

PROPOSED_DOMAIN = "mycloud"
"""The domain of a cluster that never had one, until somebody chooses another."""


class ClusterRead(NamedTuple):
    """What the cluster calls itself, and whether its domain could be read."""

    cluster: Cluster
    readable: bool


def read_cluster(places: Places, previous: Cluster) -> ClusterRead:
    """Return what the cluster calls itself. Without a domain nothing else counts, and the previous form is kept."""
    place = places.at(CLUSTER_INFO, DOMAIN_KEY)
    text = read_text(place)
    if text is None:
        if previous.domain is None:
            place.error(
                None, f"the cluster has no domain, so there are no names; write one, as {PROPOSED_DOMAIN!r}", place.init
            )
        return ClusterRead(previous, readable=False)
    try:
        domain = checked(dns_name, text)
    except ValueError as e:
        place.unreadable(str(e), place.init)
        return ClusterRead(previous, readable=False)
    data = place.document.data or {}
    name = cleaned(data.get(NAME_KEY, "")) or None
    return ClusterRead(
        Cluster(name=name, domain=domain, control_plane_ip=_read_control_plane(places, previous)), readable=True
    )


def _read_control_plane(places: Places, previous: Cluster) -> str | None:
    """Return the control plane's address; not given, or blank: None, broken: the previous one."""
    place = places.at(CLUSTER_INFO, CONTROL_PLANE_KEY)
    text = (place.document.data or {}).get(CONTROL_PLANE_KEY, "").strip()
    if not text:
        return None
    try:
        return checked(address, text)
    except ValueError as e:
        kept = "it is left out" if previous.control_plane_ip is None else "the previous form is kept"
        mend = None if place.init is None else place.init.having("--control-plane-ip", ADDRESS)
        place.error(None, f"{e}; {kept}", mend)
        return previous.control_plane_ip
