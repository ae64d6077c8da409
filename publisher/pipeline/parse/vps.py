"""``domain-registry``: the VPSs, in the list ``vps_nodes`` of ``domains.json`` or in the old key ``vps-nodes.json``."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from common.models import Vps
from common.values import address
from publisher.pipeline.parse.addresses import address_order, readable_address
from publisher.pipeline.parse.domains import NESTED, VPS_NODES
from publisher.pipeline.parse.entry import Entry
from publisher.pipeline.parse.place import Place
from publisher.pipeline.parse.text import kind_of, read_json

OLD_KEY = "vps-nodes.json"


class VpsRead(NamedTuple):
    """The VPSs sorted by address, and whether all that is written could be read."""

    vps_nodes: tuple[Vps, ...]
    readable: bool


class _Item(NamedTuple):
    """One VPS as it is written, under its address or as the n-th of a list."""

    place: Place
    label: str
    value: Any


def read_vps_nodes(current: Place, root: Mapping[str, Any] | None, old: Place, previous: Sequence[Vps]) -> VpsRead:
    """Return the VPSs of both places, each once; one that is present but invalid keeps its previous form.

    `root` is the object of ``domains.json``, None when that is not readable. As long as a place is not readable,
    nothing is removed.
    """
    written = [_in_current(current, root), _in_old(old, root)]
    readable = None not in written
    found, kept = _read([item for items in written for item in items or ()], previous)
    if not readable:
        kept = {vps.tailscale_ip: vps for vps in previous}
    vps_nodes = sorted((kept | found).values(), key=lambda vps: address_order(vps.tailscale_ip))
    return VpsRead(tuple(vps_nodes), readable)


def _in_current(place: Place, root: Mapping[str, Any] | None) -> list[_Item] | None:
    if root is None:
        return None
    value = root.get(VPS_NODES)
    return [] if value is None else _items(place, value, f"the field {VPS_NODES} ")


def _in_old(place: Place, root: Mapping[str, Any] | None) -> list[_Item] | None:
    """Return what the old key holds; it may be missing, unless nothing else says what VPSs there are."""
    data = place.document.data
    if data is not None and place.key in data:
        value = read_json(place)
        return None if value is None else _items(place, value if isinstance(value, dict) else value[0], "")
    if root and NESTED not in root and VPS_NODES not in root:
        place.unreadable(f"neither this key nor the field {VPS_NODES} of domains.json is there")
        return None
    return []


def _items(place: Place, value: Any, field: str) -> list[_Item] | None:
    """Return the VPSs of a list, or of an object by address; None, and a problem, when it is neither."""
    match value:
        case list():
            return [_Item(place, _label(item, i), item) for i, item in enumerate(value, start=1)]
        case dict():
            return [_Item(place, key, _keyed(key, value[key])) for key in sorted(value)]
        case _:
            place.unreadable(f"{field}must be an object or a list, it is {kind_of(value)}")
            return None


def _label(item: Any, position: int) -> str:
    written = item.get("tailscale_ip") if isinstance(item, dict) else None
    return written if isinstance(written, str) and written.strip() else f"{VPS_NODES}, item {position}"


def _keyed(key: str, value: Any) -> Any:
    return {**value, "tailscale_ip": key} if isinstance(value, dict) else value


def _read(items: Sequence[_Item], previous: Sequence[Vps]) -> tuple[dict[str, Vps], dict[str, Vps]]:
    """Return the valid VPSs, and the previous forms of invalid ones, by address."""
    found: dict[str, Vps] = {}
    kept: dict[str, Vps] = {}
    for item in items:
        before = _before(item, previous)
        entry = Entry(item.place, item.label, item.value, kept=before is not None)
        vps = _read_one(entry) if entry.valid else None
        if vps is None:
            kept |= {} if before is None else {before.tailscale_ip: before}
        elif vps.tailscale_ip not in found:
            found[vps.tailscale_ip] = vps
        elif found[vps.tailscale_ip] != vps:
            entry.warning("is written more than once, and differently; the first one counts")
    return found, kept


def _read_one(entry: Entry) -> Vps | None:
    tailnet, public = entry.text("tailscale_ip", address), entry.text("public_ip", address)
    if entry.given("tailscale_ip") is None:
        entry.error("has no tailscale_ip")
    if tailnet is None or not entry.valid:
        return None
    location = entry.label("location") or entry.label("region")
    return Vps(tailscale_ip=tailnet, public_ip=public, location=location, provider=entry.label("provider"))


def _before(item: _Item, previous: Sequence[Vps]) -> Vps | None:
    """Return the previous form of `item`: the one of its tailnet address or, when that is broken, of its public one."""
    fields = item.value if isinstance(item.value, dict) else {"tailscale_ip": item.label}
    tailnet, public = readable_address(fields.get("tailscale_ip")), readable_address(fields.get("public_ip"))
    if tailnet is not None:
        return next((vps for vps in previous if vps.tailscale_ip == tailnet), None)
    return next((vps for vps in previous if public is not None and vps.public_ip == public), None)
