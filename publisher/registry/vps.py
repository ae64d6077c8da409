"""Edits of the registered VPSs. Pure: each changes a draft, or says all that is wrong."""

from dataclasses import dataclass
from typing import Any

from common import values
from publisher.pipeline.parse.addresses import readable_address
from publisher.pipeline.parse.domains import VPS_NODES
from publisher.pipeline.parse.text import cleaned
from publisher.registry.draft import DOMAINS, OLD_VPS_NODES, ROUTING, Draft, Entries
from publisher.registry.faults import Faults, refuse_shape, refuse_unknown
from publisher.registry.lookup import find_vps, registered_vps_nodes
from publisher.registry.routes import withdraw_from_routes


@dataclass(frozen=True, slots=True)
class VpsFields:
    """The fields of a VPS that an edit sets; None leaves one as it is."""

    public_ip: str | None = None
    location: str | None = None
    provider: str | None = None


def add_vps(draft: Draft, text: str, given: VpsFields) -> None:
    """Register a VPS by its tailnet address, or set fields of it; one in the old key moves to the current list.

    Raises:
        EditRefused: an address is none.

    """
    faults = Faults()
    address = faults.checked("the tailnet address", values.address, text)
    fields: Entries = {}
    if given.public_ip is not None:
        fields["public_ip"] = faults.checked("--public-ip", values.address, given.public_ip)
    for field, value in (("location", given.location), ("provider", given.provider)):
        if value is not None:
            fields[field] = cleaned(value)
    faults.refuse_if_any()
    assert address is not None
    listed = _listed(draft.object(DOMAINS))
    moved = _take_old(draft, address)
    if moved is not None:
        draft.note(f"{address} moves to where VPSs are written today")
    for item in listed:
        if _address(item) == address:
            item.update({field: value for field, value in (moved or {}).items() if field not in item} | fields)
            return
    new: Entries = {"tailscale_ip": address, "public_ip": None, "location": "", "provider": ""}
    listed.append({**new, **(moved or {"registered": draft.now, "status": "active"}), **fields})


def remove_vps(draft: Draft, text: str) -> None:
    """Take a VPS off the registry, and off every route that names it.

    One with a broken address is named by that.

    Raises:
        EditRefused: it is not registered.

    """
    root, old = draft.object(DOMAINS), draft.optional(OLD_VPS_NODES)
    address = find_vps(draft, text)

    def _is_it(written: Any) -> bool:
        return written == text if address is None else readable_address(written) == address

    listed = [] if root.get(VPS_NODES) is None else _listed(root)
    left = [item for item in listed if not (isinstance(item, dict) and _is_it(item.get("tailscale_ip")))]
    keys = [key for key in old if _is_it(key)]
    if len(left) == len(listed) and not keys:
        raise refuse_unknown("VPS", text, registered_vps_nodes(draft))
    draft.withdraw()
    listed[:] = left
    for key in keys:
        del old[key]
    withdraw_from_routes(draft.optional(ROUTING), "vps_nodes", _is_it)


def _listed(root: Entries) -> list[Any]:
    """Return the list of VPSs, made where it is missing or an object by address.

    Raises:
        EditRefused: it is something else, or not all of it could go into a list.

    """
    written = root.get(VPS_NODES)
    if isinstance(written, dict) and all(isinstance(value, dict) for value in written.values()):
        written = [{**value, "tailscale_ip": key} for key, value in written.items()]
    if written is None:
        written = []
    if not isinstance(written, list):
        raise refuse_shape(DOMAINS, VPS_NODES, "list")
    root[VPS_NODES] = written
    return written


def _take_old(draft: Draft, address: str) -> Entries | None:
    """Take a VPS out of the old key; return its fields under their current names, None when it is not there."""
    old = draft.optional(OLD_VPS_NODES)
    found = [old.pop(key) for key in sorted(old) if readable_address(key) == address]
    if not found:
        return None
    fields: Entries = dict(found[0]) if isinstance(found[0], dict) else {}
    if "region" in fields and not fields.get("location"):
        fields["location"] = fields.pop("region")
    return {**fields, "tailscale_ip": address}


def _address(item: Any) -> str | None:
    return readable_address(item.get("tailscale_ip")) if isinstance(item, dict) else None
