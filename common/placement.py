"""Which VPS each public host name should point to (DESIGN 7): a pure function, the same everywhere."""

from collections.abc import Collection, Sequence

from common.models import Strategy


def place(
    strategy: Strategy, hosts: Sequence[str], vps_nodes: Sequence[str], healthy: Collection[str]
) -> dict[str, str]:
    """Return host name -> tailnet address of its VPS.

    `hosts` and `vps_nodes` are in the listed order of the routing entry. ``round-robin``: host name i goes to healthy
    VPS i mod n. ``primary-backup``: all host names go to the first healthy VPS. Nothing healthy: an empty mapping.
    """
    candidates = [vps for vps in vps_nodes if vps in healthy]
    if not candidates:
        return {}
    if strategy is Strategy.PRIMARY_BACKUP:
        return dict.fromkeys(hosts, candidates[0])
    return {host: candidates[i % len(candidates)] for i, host in enumerate(hosts)}
