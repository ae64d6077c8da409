"""``domain-registry``: the VPSs, in the list ``vps_nodes`` of ``domains.json`` or in the old key ``vps-nodes.json``."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from common.models import Vps
from common.values import address
from publisher.pipeline.parse.addresses import address_order, readable_address
from publisher.pipeline.parse.domains import NESTED, VPS_NODES
from publisher.pipeline.parse.entry import WHOLE, Entry
from publisher.pipeline.parse.mend import ADDRESS, Command
from publisher.pipeline.parse.place import Place
from publisher.pipeline.parse.text import bare, kind_of, read_json
from publisher.pipeline.parse.vps_mend import mend_vps, register_vps

OLD_KEY = "vps-nodes.json"


class VpsRead(NamedTuple):
    """The VPSs sorted by address, and whether all that is written could be read."""

    vps_nodes: tuple[Vps, ...]
    readable: bool
    editable: bool
    """Whether commands can register VPSs: they write where they can read, and into what they know."""
    mends: Mapping[str, Command]
    """By address, the command that mends the entry of a VPS, also of one that is left out."""


class _Item(NamedTuple):
    """One VPS as it is written, under its address or as the n-th of a list."""

    place: Place
    label: str
    value: Any


class _Written(NamedTuple):
    """What one place holds: None when that cannot be read; and whether commands could edit it."""

    items: list[_Item] | None
    editable: bool = False


def read_vps_nodes(current: Place, root: Mapping[str, Any] | None, old: Place, previous: Sequence[Vps]) -> VpsRead:
    """Return the VPSs of both places, each once; one that is present but invalid keeps its previous form.

    `root` is the object of ``domains.json``, None when that is not readable. As long as a place is not readable,
    nothing is removed.
    """
    places = [_in_current(current, root), _in_old(old, root, lost=bool(previous))]
    readable, editable = all(place.items is not None for place in places), all(place.editable for place in places)
    found, kept, entries = _read([item for place in places for item in place.items or ()], previous)
    if not readable:
        kept = {vps.tailscale_ip: vps for vps in previous}
    vps_nodes = sorted((kept | found).values(), key=lambda vps: address_order(vps.tailscale_ip))
    return VpsRead(tuple(vps_nodes), readable, editable, _mend(entries) if editable else {})


def _in_current(place: Place, root: Mapping[str, Any] | None) -> _Written:
    if root is None:
        return _Written(None)
    value = root.get(VPS_NODES)
    if value is None:
        return _Written([], editable=True)
    items = _items(place, value, f"the field {VPS_NODES} ")
    editable = isinstance(value, list) or all(isinstance(item.value, dict) for item in items or ())
    return _Written(items, editable=items is not None and editable)


def _in_old(place: Place, root: Mapping[str, Any] | None, *, lost: bool) -> _Written:
    """Return what the old key holds; it may be missing, unless nothing else says what VPSs there are.

    `lost` tells that there were some: who registers one of them then would take the others away.
    """
    data = place.document.data
    if data is not None and place.key in data:
        found = read_json(place)
        if found is None:
            return _Written(None, editable=not bare(data[place.key]))
        value = found if isinstance(found, dict) else found[0]
        return _Written(_items(place, value, ""), editable=isinstance(value, dict) or value == [])
    if root and NESTED not in root and VPS_NODES not in root:
        place.unreadable(
            f"neither this key nor the field {VPS_NODES} of domains.json is there",
            None if lost else register_vps(ADDRESS),
        )
        return _Written(None, editable=True)
    return _Written([], editable=True)


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


class _Read(NamedTuple):
    """By address: the valid VPSs, the previous forms of invalid ones, and all entries with where each is written."""

    found: dict[str, Vps]
    kept: dict[str, Vps]
    entries: dict[str, list[tuple[_Item, Entry]]]


def _read(items: Sequence[_Item], previous: Sequence[Vps]) -> _Read:
    read = _Read({}, {}, {})
    for item in items:
        before = _before(item, previous)
        entry = Entry(item.place, item.label, item.value, kept=before is not None)
        vps = _read_one(entry) if entry.valid else None
        if vps is None:
            read.kept.update({} if before is None else {before.tailscale_ip: before})
        elif vps.tailscale_ip not in read.found:
            read.found[vps.tailscale_ip] = vps
        elif read.found[vps.tailscale_ip] != vps:
            entry.warning(WHOLE, "is written more than once, and differently; the first one counts")
        at = _address(item)
        if at is not None:
            read.entries.setdefault(at, []).append((item, entry))
    return read


def _mend(entries: Mapping[str, Sequence[tuple[_Item, Entry]]]) -> dict[str, Command]:
    """Name the command that mends the entries of each VPS, and return it by address.

    Of one that is written twice in the same place it mends only the first.
    """
    mends = {at: mend_vps(at, [entry for _, entry in written]) for at, written in entries.items()}
    for at, written in entries.items():
        if len({item.place.key for item, _ in written}) == len(written):
            for _, entry in written:
                entry.mend(mends[at])
    return mends


def _read_one(entry: Entry) -> Vps | None:
    entry.look_for_slips(*Vps.model_fields)
    tailnet, public = entry.text("tailscale_ip", address), entry.text("public_ip", address)
    if entry.given("tailscale_ip") is None:
        entry.error("tailscale_ip", "has no tailscale_ip")
    if tailnet is None or not entry.valid:
        return None
    location = entry.label("location") or entry.label("region")
    return Vps(tailscale_ip=tailnet, public_ip=public, location=location, provider=entry.label("provider"))


def _before(item: _Item, previous: Sequence[Vps]) -> Vps | None:
    """Return the previous form of `item`: the one of its tailnet address or, when that is broken, of its public one."""
    tailnet, public = _address(item), readable_address(_fields(item).get("public_ip"))
    if tailnet is not None:
        return next((vps for vps in previous if vps.tailscale_ip == tailnet), None)
    return next((vps for vps in previous if public is not None and vps.public_ip == public), None)


def _address(item: _Item) -> str | None:
    return readable_address(_fields(item).get("tailscale_ip"))


def _fields(item: _Item) -> Mapping[str, Any]:
    """Return the fields of a VPS; one that is no object is known by what it stands under."""
    return item.value if isinstance(item.value, dict) else {"tailscale_ip": item.label}
