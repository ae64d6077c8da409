"""This machine's own addresses, for the operator to see which machine answers."""

import socket
from ipaddress import ip_address

_PROBES = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"), (socket.AF_INET, "100.64.0.1"))
"""Addresses that no host has (RFC 5737, RFC 3849) and the tailnets' range: the route to each tells a source address."""


def own_addresses() -> tuple[str, ...]:
    """Return the source addresses that this machine uses, without loopback; nothing is sent."""
    found = set()
    for family, probe in _PROBES:
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(0)
            try:
                s.connect((probe, 9))
            except OSError:
                continue
            address = ip_address(s.getsockname()[0])
            if not address.is_loopback:
                found.add(str(address))
    return tuple(sorted(found))
