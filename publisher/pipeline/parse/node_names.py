"""Node names from the names that owners wrote (DESIGN 5): a node's identity on the bus."""

import re
import unicodedata
from collections.abc import Collection, Sequence

from publisher.pipeline.parse.addresses import address_order

_OTHERS = re.compile(r"[^a-z0-9]+")
_LONGEST_BASE = 45
_LONGEST = 63


def base_name(label: str, address: str) -> str:
    """Return the node name that a label asks for: ``Vinay's MacBook`` -> ``vinay-s-macbook``; of none, the address."""
    return plain(label) or f"node-{_slug(address)}"


def plain(text: str) -> str:
    """Return the DNS label that comes closest to a text; of one without letters and digits, nothing."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return _OTHERS.sub("-", ascii_text.lower()).strip("-")[:_LONGEST_BASE].rstrip("-")


def name_nodes(nodes: Sequence[tuple[str, str]]) -> list[str]:
    """Return the names of nodes given as (label, address), no name twice, in the order given.

    Of those that ask for one name, the lowest address gets it; the others get it with ``-<address>`` behind.
    """
    asked = [(base_name(label, address), address) for label, address in nodes]
    names: dict[int, str] = {}
    taken: set[str] = set()
    by_address = sorted(range(len(asked)), key=lambda i: address_order(asked[i][1]))
    for i in by_address:
        if asked[i][0] not in taken:
            names[i] = asked[i][0]
            taken.add(names[i])
    for i in by_address:
        if i not in names:
            names[i] = _behind(*asked[i], taken)
            taken.add(names[i])
    return [names[i] for i in range(len(asked))]


def _behind(base: str, address: str, taken: Collection[str]) -> str:
    """Return the base with the address behind, numbered when even that is taken, cut to what a name may be long."""
    tail, number = f"-{_slug(address)}", 1
    while (name := base[: _LONGEST - len(tail)].rstrip("-") + tail) in taken:
        number += 1
        tail = f"-{_slug(address)}-{number}"
    return name


def _slug(address: str) -> str:
    return address.replace(".", "-").replace(":", "-").strip("-")
