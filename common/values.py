"""The validated texts that a registry is made of: DNS names, addresses, ports.

Used at the publisher (a fault becomes a problem) and again at the node (a fault rejects the snapshot): nothing from
a registry is trusted as text. Pure.
"""

import re
from functools import lru_cache
from ipaddress import ip_address
from typing import Annotated

import idna
from pydantic import AfterValidator, Field

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NODE_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_MIDDLEWARE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?@[a-z0-9]{1,32}")
MAX_NAME = 253
"""The longest DNS name, in characters (RFC 1035, 2.3.4, without the root's dot)."""


# From one snapshot to the next nearly all texts are the same, and checking an address costs more than all around it.
_remembered = lru_cache(maxsize=1 << 14)


@_remembered
def dns_name(text: str) -> str:
    """Return `text` as a lower-case ASCII DNS name of one or more labels.

    Blanks around it and one trailing dot are dropped; IDN becomes punycode (RFC 5891, UTS 46).

    Raises:
        ValueError: it is no host name (RFC 1123, 2.1).

    """
    name = text.strip().removesuffix(".").lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError as e:
            raise ValueError(f"{text!r} is not a DNS name: {e}") from e
    if len(name) > MAX_NAME or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(
            f"{text!r} is not a DNS name: labels of letters, digits and hyphens, 1 to 63 characters, joined by dots"
        )
    return name


def subdomain(text: str) -> str:
    """Return `text` as DNS labels; ``""`` and ``"@"`` are the zone itself and become ``""``.

    Raises:
        ValueError: it is neither.

    """
    return "" if text.strip() in {"", "@"} else dns_name(text)


@_remembered
def address(text: str) -> str:
    """Return `text` as a canonical IPv4 or IPv6 address without a scope.

    Raises:
        ValueError: it is no address, or one that no service can be reached at (unspecified, multicast, scoped).

    """
    try:
        ip = ip_address(text.strip())
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv4 or IPv6 address") from None
    if ip.is_unspecified or ip.is_multicast or getattr(ip, "scope_id", None):
        raise ValueError(f"{text!r} is not an address that a service can be reached at")
    return str(ip)


def node_name(text: str) -> str:
    """Return `text` when it is a node name: one DNS label, a node's identity on the bus (DESIGN 5).

    Raises:
        ValueError: it is not.

    """
    if not _NODE_NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not a node name: lower-case letters, digits and hyphens, 1 to 63 characters")
    return text


def middleware(text: str) -> str:
    """Return `text` when it names a Traefik middleware with its provider, as ``authelia@file``.

    Raises:
        ValueError: it does not.

    """
    if not _MIDDLEWARE.fullmatch(text):
        raise ValueError(f"{text!r} is not a Traefik middleware with its provider, as in 'authelia@file'")
    return text


def entry_name(text: str) -> str:
    """Return `text` when it can name an entry: 1 to 253 printable characters, no blanks around.

    Raises:
        ValueError: it cannot.

    """
    if not text.isprintable() or text != text.strip() or not 1 <= len(text) <= MAX_NAME:
        raise ValueError(f"{text!r} is not a name: 1 to {MAX_NAME} printable characters, no blanks around")
    return text


DnsName = Annotated[str, AfterValidator(dns_name)]
Subdomain = Annotated[str, AfterValidator(subdomain)]
Address = Annotated[str, AfterValidator(address)]
NodeName = Annotated[str, AfterValidator(node_name)]
Middleware = Annotated[str, AfterValidator(middleware)]
EntryName = Annotated[str, AfterValidator(entry_name)]
Port = Annotated[int, Field(strict=True, ge=1, le=65535)]
