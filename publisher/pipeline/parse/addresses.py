"""Addresses as keys: their order, and as much of them as can be read."""

from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from common.values import address
from publisher.pipeline.parse.text import checked


@lru_cache(maxsize=4096)
def address_order(text: str) -> tuple[int, int]:
    """Return the sort key of a valid address: by number, IPv4 first."""
    ip = ip_address(text)
    return ip.version, int(ip)


def readable_address(value: Any) -> str | None:
    """Return an address that is written right; None, without a word, for everything else."""
    try:
        return checked(address, value) if isinstance(value, str) else None
    except ValueError:
        return None
