"""The lines of a hosts file (hosts(5)): ours, written and read, and the owner's, read only. Pure."""

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from common.errors import TargetFailed

_NAME = re.compile(r"[a-z0-9._-]+")
_ADDRESS = re.compile(r"[0-9a-f.:]+")


def entry_lines(records: Mapping[str, str]) -> tuple[bytes, ...]:
    """Return a line ``ADDRESS<tab>NAME`` for each record of name -> address, sorted by name, without line ends.

    Raises:
        TargetFailed: a record could break out of its line; the models let none through.

    """
    for name, address in records.items():
        if not _NAME.fullmatch(name) or not _ADDRESS.fullmatch(address):
            raise TargetFailed("bad_entry", f"{name!r} with address {address!r} is no line of a hosts file", entry=name)
    return tuple(f"{address}\t{name}".encode() for name, address in sorted(records.items()))


def read_entries(lines: Iterable[bytes]) -> dict[str, str]:
    """Return name -> address of the lines that are written as `entry_lines` writes them."""
    records = {}
    for line in lines:
        address, tab, name = line.partition(b"\t")
        if tab and name.isascii() and address.isascii() and not line.startswith(b"#"):
            records[name.decode()] = address.decode()
    return records


def shadowed(owners: bytes, records: Mapping[str, str]) -> dict[str, str]:
    """Return those names of `records` to which the owner's lines give another address of the same family, with it.

    Of two lines with one name most resolvers take the earlier: the owner's choice, but one that surprises.
    """
    ours = {name: ip_address(address) for name, address in records.items()}
    found: dict[str, str] = {}
    for line in owners.splitlines():
        words = line.partition(b"#")[0].decode("latin-1").lower().split()
        for name in words[1:]:
            if name not in ours or name in found:
                continue
            try:
                theirs = ip_address(words[0])
            except ValueError:
                break
            if theirs.version == ours[name].version and theirs != ours[name]:
                found[name] = words[0]
    return found
