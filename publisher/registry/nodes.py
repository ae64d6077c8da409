"""Edits of the nodes: the machines that run a subscriber. Pure: each changes a draft, or says all that is wrong."""

from collections.abc import Sequence
from typing import Any

from common import values
from common.models import Role
from publisher.pipeline.parse.node_names import base_name
from publisher.pipeline.parse.nodes import LISTS
from publisher.pipeline.parse.text import cleaned
from publisher.registry.draft import NODES, Draft, Entries
from publisher.registry.faults import Faults, refuse_shape, refuse_unknown
from publisher.registry.lookup import NodeItem, node_items

_FIELDS = {role: field for field, role in LISTS.items()}


def add_node(draft: Draft, role: Role, name: str, address: str, label: str | None) -> None:
    """Register a node, or set role, address and label of one with that name.

    Raises:
        EditRefused: the name cannot be one, or the address is another node's.

    """
    root, faults = draft.object(NODES), Faults()
    faults.checked("the name", _node_name, name)
    ip = faults.checked("the address", values.address, address)
    items = node_items(root)
    for item in items:
        if item.address is not None and item.address == ip and item.name != name:
            faults.add(
                f"{ip} is the address of the node {item.name!r}; a name is for life, so remove that one first: "
                f"routecast node remove {item.name}"
            )
    faults.refuse_if_any()
    present = _called(items, name)
    entry: Entries = present[0].entry if present else {"name": name, "registered": draft.now, "status": "active"}
    stays = bool(present) and present[0].role is role
    _take_out(root, present[1:] if stays else present)
    if not stays:
        _list(root, _FIELDS[role]).append(entry)
    entry.update({"ip": ip, **({} if label is None else {"label": cleaned(label)})})
    _keep_names(draft, root, [*_others(items, present), (entry, name)])


def label_node(draft: Draft, name: str, label: str) -> None:
    """Set the free text that people see of a node; its name on the bus stays.

    Raises:
        EditRefused: there is no such node.

    """
    for item in _present(node_items(draft.object(NODES)), name):
        item.entry["label"] = cleaned(label)


def remove_node(draft: Draft, name: str) -> None:
    """Take a node off the registry, wherever it is written.

    Also where its address is broken: such an entry would keep the node as it was published last.

    Raises:
        EditRefused: there is no such node.

    """
    root = draft.object(NODES)
    items = node_items(root)
    _present(items, name)
    present = [item for item in items if item.name == name]
    draft.withdraw()
    _take_out(root, present)
    _keep_names(draft, root, _others(items, present))


def _node_name(text: str) -> str:
    """Return a name that stays what it is: longer ones are cut when they are read (DESIGN 5)."""
    name = values.node_name(text)
    if base_name(name, "") != name:
        raise ValueError(f"{text!r} is not a node name: at most 45 characters, no two hyphens in a row")
    return name


def _present(items: Sequence[NodeItem], name: str) -> list[NodeItem]:
    """Return the node with a name, as often as it is written.

    Raises:
        EditRefused: there is none.

    """
    found = _called(items, name)
    if not found:
        raise refuse_unknown("node", name, {item.name for item in items if item.name})
    return found


def _called(items: Sequence[NodeItem], name: str) -> list[NodeItem]:
    """Return the entries of a name; those without a valid address only when there are no others."""
    found = [item for item in items if name and item.name == name]
    return [item for item in found if item.address is not None] or found


def _others(items: Sequence[NodeItem], present: Sequence[NodeItem]) -> list[tuple[Entries, str]]:
    return [(item.entry, item.name) for item in items if item not in present]


def _take_out(root: Entries, items: Sequence[NodeItem]) -> None:
    for item in items:
        root[item.field] = [entry for entry in root[item.field] if entry is not item.entry]


def _keep_names(draft: Draft, root: Entries, names: Sequence[tuple[Entries, str]]) -> None:
    """Have the nodes keep their names on the bus (DESIGN 5: fixed for life), given as (entry, name).

    Of several that ask for one name the lowest address has it. When that one goes or moves, another would get its name,
    and with it its identity; so that one's own is written out, and what it was called becomes its label.
    """
    while renamed := _renamed(root, names):
        mendable = [(item, name) for item, name in renamed if base_name(name, "") == name != item.entry.get("name")]
        if not mendable:
            for item, name in renamed:
                draft.note(f"the node {name} is called {item.name} on the bus from now on: it must join again")
            return
        item, name = mendable[0]
        item.entry.setdefault("label", item.entry.get("name"))
        item.entry["name"] = name
        draft.note(f"the name of the node {name} is written out now, for it would have become {item.name}")


def _renamed(root: Entries, names: Sequence[tuple[Entries, str]]) -> list[tuple[NodeItem, str]]:
    """Return the nodes that are called otherwise than `names` says, with what they are called there."""
    return [
        (item, name)
        for item in node_items(root)
        for entry, name in names
        if entry is item.entry and item.address is not None and item.name != name
    ]


def _list(root: Entries, field: str) -> list[Any]:
    written = root.get(field)
    if written is None:
        written = root[field] = []
    if not isinstance(written, list):
        raise refuse_shape(NODES, field, "list")
    return written
