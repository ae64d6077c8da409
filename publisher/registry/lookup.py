"""Find entries where they are written, in all the shapes that the field has. Pure; nothing is changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from common import values
from common.models import Role
from publisher.pipeline.parse.addresses import readable_address
from publisher.pipeline.parse.domains import NESTED, VPS_NODES, is_flat
from publisher.pipeline.parse.node_names import base_name
from publisher.pipeline.parse.nodes import LISTS, Machine, name_machines
from publisher.pipeline.parse.text import checked, cleaned
from publisher.registry.draft import DOMAINS, NODES, OLD_VPS_NODES, Draft, Entries


@dataclass(frozen=True, slots=True)
class NodeItem:
    """A node where it is written: in which list, as which entry, and what it is called on the bus."""

    field: str
    role: Role
    entry: Entries
    """The very object in the draft: to be edited in place."""
    name: str
    """On the bus; of an entry without a valid address the one that it asks for, empty when it asks for none."""
    address: str | None


def node_items(root: Entries) -> list[NodeItem]:
    """Return the nodes of the object `registry.json`, as they are listed."""
    written = [
        (field, role, item)
        for field, role in LISTS.items()
        for item in _items(root.get(field))
        if isinstance(item, dict)
    ]
    machines = [_machine(role, item) for _, role, item in written]
    names = name_machines(dict.fromkeys(machine for machine in machines if machine is not None))  # each once, in order
    return [
        NodeItem(field, role, item, _asked_name(item), None)
        if machine is None
        else NodeItem(field, role, item, names[machine], machine.address)
        for (field, role, item), machine in zip(written, machines, strict=True)
    ]


def _asked_name(item: Entries) -> str:
    name = _text(item, "name")
    return base_name(name, "") if name else ""


def _machine(role: Role, item: Entries) -> Machine | None:
    address = readable_address(item.get("ip"))
    return Machine(role, _text(item, "name"), "", address) if address is not None else None


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(item: Entries, field: str) -> str:
    value = item.get(field)
    return cleaned(value) if isinstance(value, str) else ""


def registered_domains(root: Entries) -> dict[str, Any]:
    """Return the domains of the object `domains.json`, nested and flat, by name; names that are none are left out."""
    written = reversed(written_domains(root))
    return {name: value for key, value in written if (name := readable_domain(key)) is not None}


def written_domains(root: Entries) -> list[tuple[str, Any]]:
    """Return the domains of the object `domains.json` as they are written, first those that count first."""
    nested = root.get(NESTED)
    return [*(nested.items() if isinstance(nested, dict) else ()), *((key, root[key]) for key in root if is_flat(key))]


def readable_domain(text: str) -> str | None:
    """Return a DNS name in its canonical form, None when it is none."""
    try:
        return checked(values.dns_name, text)
    except ValueError:
        return None


def registered_vps_nodes(draft: Draft) -> dict[str, Entries]:
    """Return the VPSs of both places by address; what has no valid address is left out."""
    root, old = draft.object(DOMAINS), draft.optional(OLD_VPS_NODES)
    found: dict[str, Entries] = {}
    for written, entry in [*_listed(root.get(VPS_NODES)), *old.items()]:
        address = readable_address(written)
        if address is not None and isinstance(entry, dict):
            found.setdefault(address, entry)
    return found


def find_vps(draft: Draft, text: str) -> str | None:
    """Return the address that `text` is, or that of the VPS node with that name; None when it is neither."""
    address = readable_address(text)
    if address is not None:
        return address
    named = [at for at in node_items(draft.optional(NODES)) if at.role is Role.VPS and at.name == text]
    return named[0].address if named else None


def written_items(value: Any) -> list[str]:
    """Return the texts of a list, or of one text ``"a,b"``, without blanks around; of anything else none."""
    texts = [value] if isinstance(value, str) else [item for item in _items(value) if isinstance(item, str)]
    return [piece for text in texts for item in text.split(",") if (piece := item.strip())]


def _listed(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the VPSs of a list, or of an object by address."""
    if isinstance(value, dict):
        yield from value.items()
    for item in _items(value):
        yield (item.get("tailscale_ip") if isinstance(item, dict) else None), item
