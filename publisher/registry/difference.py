"""What an edit changes, field by field, in the words of the registry. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from publisher.pipeline.parse.addresses import readable_address
from publisher.pipeline.parse.domains import NESTED, VPS_NODES
from publisher.pipeline.parse.nodes import LISTS
from publisher.pipeline.parse.place import Places
from publisher.pipeline.parse.text import read_object
from publisher.registry.draft import DOMAINS, NODES, OLD_VPS_NODES, ROUTING, SERVICES, Key
from publisher.registry.invitation import shown
from publisher.registry.layout import same
from publisher.registry.lookup import NodeItem, node_items, readable_domain, written_domains
from publisher.source.document import CLUSTER_INFO, Document

VOLATILE = frozenset({"updated", "registered", "last_sync", "status", "last_updated", "updated_by"})
"""Fields that tell of the registry's history, not of its content."""


class Kind(StrEnum):
    """What an entry is."""

    CLUSTER = "cluster"
    SERVICE = "service"
    DOMAIN = "domain"
    VPS = "VPS"
    ROUTE = "route"
    NODE = "node"


DOCUMENT_OF = {
    Kind.CLUSTER: CLUSTER_INFO,
    Kind.SERVICE: SERVICES.document,
    Kind.DOMAIN: DOMAINS.document,
    Kind.VPS: DOMAINS.document,
    Kind.ROUTE: ROUTING.document,
    Kind.NODE: NODES.document,
}
"""Where entries are written."""


class Fate(StrEnum):
    """What happens to an entry as a whole."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of one entry; `before` or `after` None where it is not written."""

    kind: Kind
    entry: str
    field: str
    before: Any
    after: Any
    fate: Fate = Fate.CHANGED
    """Of the entry."""


Fields = Mapping[str, Any]
At = tuple[Kind, str]
"""An entry: what it is, and its name."""
Content = dict[At, Fields]


def changes_between(before: Mapping[str, Document], after: Mapping[str, Document]) -> tuple[FieldChange, ...]:
    """Return every field in which two forms of the documents differ, by kind, entry and field."""
    old, new = content_of(before), content_of(after)
    entries = sorted(old.keys() | new.keys(), key=lambda at: (list(Kind).index(at[0]), at[1]))
    return tuple(change for at in entries for change in _changes_of(at, old.get(at, {}), new.get(at, {})))


def _changes_of(at: At, was: Fields, now: Fields) -> list[FieldChange]:
    fate = Fate.ADDED if not was else Fate.CHANGED if now else Fate.REMOVED
    fields = [*was, *(field for field in now if field not in was)]
    differing = [field for field in fields if not same(was.get(field), now.get(field))]
    if not differing and fate is not Fate.CHANGED:
        differing = fields  # an entry of nothing but nulls comes or goes
    return [FieldChange(*at, field, was.get(field), now.get(field), fate) for field in differing]


def content_of(documents: Mapping[str, Document]) -> Content:
    """Return the fields of all entries that can be read, without the volatile ones."""
    return {at: _fields(value) for at, value in _entries_of(documents).items()}


def stamps_of(documents: Mapping[str, Document]) -> dict[At, str]:
    """Return when each entry was written last, as it says itself, empty when it does not say so.

    Two forms of an entry with two stamps were written by two writers, whatever else they have in common.
    """
    return {at: _stamp(value) for at, value in _entries_of(documents).items()}


def _stamp(value: Any) -> str:
    fields = value if isinstance(value, dict) else {}
    return str(fields.get("updated") or fields.get("registered") or "")


def _entries_of(documents: Mapping[str, Document]) -> dict[At, Any]:
    """Return all entries that can be read.

    Entries have the names that commands take, wherever and however they are written: a domain its canonical one, a VPS
    its address, a node its name on the bus. Of what is written more than once, the first one counts.
    """
    read = _Reading(documents)
    root = read.entries(DOMAINS)
    vps_nodes = [*_listed(root.get(VPS_NODES)), *_keyed(read.entries(OLD_VPS_NODES))]
    return {
        **_content(Kind.CLUSTER, [(key, {"value": value}) for key, value in (read.cluster or {}).items()]),
        **_content(Kind.SERVICE, read.entries(SERVICES).items()),
        **_content(Kind.DOMAIN, ((readable_domain(key) or key, value) for key, value in written_domains(root))),
        **_content(Kind.VPS, ((readable_address(key) or _text(key), value) for key, value in vps_nodes)),
        **_content(Kind.ROUTE, read.entries(ROUTING).items()),
        **_content(Kind.NODE, map(_node, node_items(read.entries(NODES)))),
    }


def readable_kinds(documents: Mapping[str, Document]) -> frozenset[Kind]:
    """Return the kinds of which all that is written can be read; of the others nothing can be said to be missing."""
    read = _Reading(documents)
    root, old, nodes = read.object(DOMAINS), read.object(OLD_VPS_NODES), read.object(NODES)
    readable = {
        Kind.CLUSTER: read.cluster is not None,
        Kind.SERVICE: read.object(SERVICES) is not None,
        Kind.DOMAIN: root is not None and isinstance(root.get(NESTED, {}), dict),
        Kind.VPS: root is not None
        and isinstance(root.get(VPS_NODES), list | dict | None)
        and (old is not None or not read.has(OLD_VPS_NODES)),
        Kind.ROUTE: read.object(ROUTING) is not None,
        Kind.NODE: nodes is not None and all(isinstance(nodes.get(field), list | None) for field in LISTS),
    }
    return frozenset(kind for kind in Kind if readable[kind])


class _Reading:
    """The documents' objects, as far as they can be read."""

    def __init__(self, documents: Mapping[str, Document]) -> None:
        self._documents = documents
        self._places = Places(documents, first_contact=True)
        self.cluster = documents[CLUSTER_INFO].data if CLUSTER_INFO in documents else None

    def object(self, key: Key) -> dict[str, Any] | None:
        return read_object(self._places.at(*key))

    def entries(self, key: Key) -> dict[str, Any]:
        return self.object(key) or {}

    def has(self, key: Key) -> bool:
        return key.key in (self._places.document(key.document).data or {})


def _content(kind: Kind, entries: Iterable[tuple[str, Any]]) -> dict[At, Any]:
    """Return entries by name; one whose name is taken gets a number behind it."""
    found: dict[At, Any] = {}
    for name, value in entries:
        at, number = (kind, name), 1
        while at in found:
            number += 1
            at = (kind, f"{name} ({number})")
        found[at] = value
    return found


def _fields(value: Any) -> Fields:
    """Return the fields of an entry; one that is no object has a single, nameless one."""
    if not isinstance(value, dict):
        return {"": value}
    fields = {field: item for field, item in value.items() if field not in VOLATILE}
    return fields or {"": {}}


def _listed(value: Any) -> list[tuple[Any, Any]]:
    """Return the VPSs of a list, or of an object by address, with what each is called."""
    if isinstance(value, dict):
        return _keyed(value)
    items = value if isinstance(value, list) else []
    return [(item.get("tailscale_ip") if isinstance(item, dict) else item, item) for item in items]


def _text(key: Any) -> str:
    return key if isinstance(key, str) else VPS_NODES


def _keyed(entries: Fields) -> list[tuple[Any, Any]]:
    return [
        (key, {**value, "tailscale_ip": key} if isinstance(value, dict) else value) for key, value in entries.items()
    ]


def _node(item: NodeItem) -> tuple[str, Any]:
    role = {"role": item.role.value}
    return item.name or item.field, {**role, **shown(item.entry), **role}
