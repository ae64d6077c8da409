"""What the registry says of the nodes' keys: who is in it, and with which key. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from publisher.pipeline.parse.place import Places
from publisher.pipeline.parse.text import read_object
from publisher.registry.difference import Kind, readable_kinds
from publisher.registry.draft import NODES
from publisher.registry.invitation import key_of
from publisher.registry.lookup import NodeItem, node_items
from publisher.source.document import Document


@dataclass(frozen=True, slots=True)
class NodeKey:
    """A node that is in the registry."""

    name: str
    """On the bus; of an entry with a broken address only the one that it asks for."""
    sure: bool
    """Whether that is its name: its address can be read."""
    key: str | None
    """None: it has not joined, or its key was lost."""
    registered: str
    """When the entry was made, as it says itself: another entry of the same name says something else."""


def node_keys(documents: Mapping[str, Document]) -> tuple[NodeKey, ...] | None:
    """Return all nodes of a registry; None when not all of them can be read: nothing is known to be missing then."""
    if Kind.NODE not in readable_kinds(documents):
        return None
    root = read_object(Places(documents, first_contact=True).at(*NODES))
    return tuple(map(_node_key, node_items(root or {})))


def _node_key(item: NodeItem) -> NodeKey:
    registered = item.entry.get("registered")
    return NodeKey(
        item.name,
        item.address is not None,
        key_of(item.entry),
        registered if isinstance(registered, str) else "",
    )
