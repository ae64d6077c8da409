"""``sync-controller-registry``, key ``registry.json``: the machines that run a subscriber."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from common.models import Node, Role
from common.values import address
from publisher.pipeline.parse.addresses import address_order, readable_address
from publisher.pipeline.parse.entry import Entry
from publisher.pipeline.parse.node_names import base_name, name_nodes
from publisher.pipeline.parse.place import Place
from publisher.pipeline.parse.text import cleaned, kind_of

LISTS = {"management_laptops": Role.LAPTOP, "vps_nodes": Role.VPS, "worker_nodes": Role.WORKER}


class NodesRead(NamedTuple):
    """The nodes sorted by name, and whether all lists could be read."""

    nodes: tuple[Node, ...]
    readable: bool


class _Machine(NamedTuple):
    """A node before it has its name on the bus."""

    role: Role
    label: str
    address: str


def read_nodes(place: Place, root: Mapping[str, Any], previous: Sequence[Node]) -> NodesRead:
    """Return the nodes of all lists; one that is present but invalid keeps its previous form, if it has one.

    A list may be missing or null; one that is something else keeps all previous nodes of its role.
    """
    machines: dict[_Machine, None] = {}
    readable = True
    for field, role in LISTS.items():
        items = root.get(field)
        before = [_Machine(node.role, node.label, node.address) for node in previous if node.role is role]
        if items is None or isinstance(items, list):
            machines |= dict.fromkeys(_read_list(place, field, items or [], before))
        else:
            place.unreadable(f"the field {field} must be a list, it is {kind_of(items)}")
            readable = False
            machines |= dict.fromkeys(before)
    return NodesRead(_named(place, list(machines)), readable)


def _read_list(place: Place, field: str, items: Sequence[Any], previous: Sequence[_Machine]) -> list[_Machine]:
    """Return the machines of a list, each once: the valid ones, and the previous forms of invalid ones."""
    present = {_written_address(item) for item in items}
    gone = [machine for machine in previous if machine.address not in present]
    machines: list[_Machine] = []
    for i, item in enumerate(items, start=1):
        label = _written_label(item)
        before = next((machine for machine in gone if label and machine.label == label), None)
        entry = Entry(place, label or f"{field}, item {i}", item, kept=before is not None)
        machine = _read_one(entry, LISTS[field])
        if machine is None:
            machines += [] if before is None else [before]
            gone = [each for each in gone if each != before]
        elif machine in machines:
            entry.warning("is written more than once; it counts once")
        else:
            machines.append(machine)
    return machines


def _read_one(entry: Entry, role: Role) -> _Machine | None:
    at = entry.text("ip", address)
    if at is None and entry.valid:
        entry.error("has no ip")
    return None if at is None else _Machine(role, entry.label("name"), at)


def _written_label(item: Any) -> str:
    """Return the name that an item is known by while its address is broken."""
    name = item.get("name") if isinstance(item, dict) else None
    return cleaned(name) if isinstance(name, str) else ""


def _written_address(item: Any) -> str | None:
    return readable_address(item.get("ip")) if isinstance(item, dict) else None


def _named(place: Place, machines: Sequence[_Machine]) -> tuple[Node, ...]:
    ordered = sorted(machines, key=lambda machine: (address_order(machine.address), list(Role).index(machine.role)))
    names = name_nodes([(machine.label, machine.address) for machine in ordered])
    nodes = [
        Node(name=name, role=machine.role, address=machine.address, label=machine.label)
        for name, machine in zip(names, ordered, strict=True)
    ]
    for before, node in pairwise(nodes):
        if node.address == before.address:
            place.warning(node.label or node.name, f"has the address of the node {before.name!r}: {node.address}")
    for node in nodes:
        if node.name != (base := base_name(node.label, node.address)):
            place.warning(node.label or node.name, f"is {node.name!r} on the bus: another node is {base!r}")
    return tuple(sorted(nodes, key=lambda node: node.name))
