"""``sync-controller-registry``, key ``registry.json``: the machines that run a subscriber."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from common.models import Node, Role
from common.values import address
from publisher.pipeline.parse.addresses import address_order, readable_address
from publisher.pipeline.parse.entry import WHOLE, Entry
from publisher.pipeline.parse.mend import as_text
from publisher.pipeline.parse.node_mend import NodeCommands, Written
from publisher.pipeline.parse.node_names import base_name, name_nodes
from publisher.pipeline.parse.place import Place
from publisher.pipeline.parse.text import cleaned, kind_of

_SAME_NAMES = 9
"""So many nodes that ask for one name at one address are told apart while their addresses are broken."""

LISTS = {"management_laptops": Role.LAPTOP, "vps_nodes": Role.VPS, "worker_nodes": Role.WORKER}


class NodesRead(NamedTuple):
    """The nodes sorted by name, and whether all lists could be read."""

    nodes: tuple[Node, ...]
    readable: bool
    asked: frozenset[str]
    """The names on the bus that entries ask for, also those that are not valid."""


class Machine(NamedTuple):
    """A node before it has its name on the bus: that follows from the name as it is written."""

    role: Role
    written: str
    label: str
    address: str

    @property
    def unlabelled(self) -> "Machine":
        """The same machine, whatever it is called by people."""
        return self._replace(label="")


def read_nodes(place: Place, root: Mapping[str, Any], previous: Sequence[Node]) -> NodesRead:
    """Return the nodes of all lists; one that is present but invalid keeps its previous form, if it has one.

    A list may be missing or null; one that is something else keeps all previous nodes of its role.
    """
    machines: dict[Machine, None] = {}
    readable = True
    commands = NodeCommands(_written(root))
    for field, role in LISTS.items():
        items = root.get(field)
        before = [node for node in previous if node.role is role]
        if items is None or isinstance(items, list):
            machines |= dict.fromkeys(_read_list(place, field, items or [], before, commands))
        else:
            place.unreadable(f"the field {field} must be a list, it is {kind_of(items)}")
            readable = False
            machines |= dict.fromkeys(map(_machine, before))
    return NodesRead(_named(place, list(machines), commands), readable, commands.asked)


def _written(root: Mapping[str, Any]) -> Iterator[Written]:
    """Yield the nodes of all lists as they are written."""
    for field, role in LISTS.items():
        items = root.get(field)
        for item in items if isinstance(items, list) else ():
            yield Written(role, _written_name(item), _written_address(item))


def _read_list(
    place: Place, field: str, items: Sequence[Any], previous: Sequence[Node], commands: NodeCommands
) -> list[Machine]:
    """Return the machines of a list, each once: the valid ones, and the previous forms of invalid ones."""
    present = {_written_address(item) for item in items}
    gone = [node for node in previous if node.address not in present]
    machines: list[Machine] = []
    for i, item in enumerate(items, start=1):
        written = _written_name(item)
        before = next((node for node in gone if _asks_for(written, node)), None)
        entry = Entry(place, written or f"{field}, item {i}", item, kept=before is not None)
        node = Written(LISTS[field], written, _written_address(item))
        machine = _read_one(entry, node, commands)
        if machine is None:
            machines += [] if before is None else [Machine(before.role, written, before.label, before.address)]
            gone = [node for node in gone if node is not before]
        elif machine.unlabelled in [each.unlabelled for each in machines]:
            entry.warning(WHOLE, "is written more than once; it counts once", commands.write_once(node))
        else:
            machines.append(machine)
    return machines


def _read_one(entry: Entry, node: Written, commands: NodeCommands) -> Machine | None:
    entry.look_for_slips("ip", "name", "label")
    at = entry.text("ip", address)
    if at is None and entry.valid:
        entry.error("ip", "has no ip")
    if at is None:
        entry.mend(commands.give_address(node))
        return None
    written = entry.label("name")
    entry.mend(None)
    label = entry.label("label")
    entry.mend(commands.give_label(node, as_text(entry.given("label"))))
    return Machine(node.role, written, label or written, at)


def _written_name(item: Any) -> str:
    """Return the name that an item is known by while its address is broken."""
    name = item.get("name") if isinstance(item, dict) else None
    return cleaned(name) if isinstance(name, str) else ""


def _written_address(item: Any) -> str | None:
    return readable_address(item.get("ip")) if isinstance(item, dict) else None


def _asks_for(written: str, node: Node) -> bool:
    """Tell whether a written name can have given a node its name on the bus: plain, or with the address behind."""
    return bool(written) and node.name in name_nodes([(written, node.address)] * _SAME_NAMES)


def _machine(node: Node) -> Machine:
    """Return a machine that gets the name which a node of the previous registry has."""
    kept = base_name(node.name, node.address) == node.name
    return Machine(node.role, node.name if kept else node.label, node.label, node.address)


def name_machines(machines: Iterable[Machine]) -> dict[Machine, str]:
    """Return the name on the bus of each machine, in the order of their addresses."""
    ordered = sorted(machines, key=lambda machine: (address_order(machine.address), list(Role).index(machine.role)))
    names = name_nodes([(machine.written, machine.address) for machine in ordered])
    return dict(zip(ordered, names, strict=True))


def _named(place: Place, machines: Iterable[Machine], commands: NodeCommands) -> tuple[Node, ...]:
    named = name_machines(machines)
    for before, machine in pairwise(named):
        if machine.address == before.address:
            message = f"has the address of the node {named[before]!r}: {machine.address}"
            other = commands.give_address(Written(machine.role, machine.written, machine.address))
            place.warning(machine.label or named[machine], message, other)
    for machine, name in named.items():
        if name != (base := base_name(machine.written, machine.address)):
            place.warning(machine.written or name, f"is {name!r} on the bus: another node is {base!r}")
    nodes = [
        Node(name=name, role=machine.role, address=machine.address, label=machine.label)
        for machine, name in named.items()
    ]
    return tuple(sorted(nodes, key=lambda node: node.name))
