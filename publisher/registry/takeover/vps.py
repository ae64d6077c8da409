"""Taking over the VPSs: all in the list `vps_nodes` of `domains.json`, each once, with current field names. Pure."""

from typing import Any, NamedTuple

from publisher.pipeline.parse.addresses import readable_address
from publisher.pipeline.parse.domains import NESTED, VPS_NODES
from publisher.pipeline.parse.mend import ADDRESS, Command
from publisher.registry.draft import DOMAINS, OLD_VPS_NODES, Draft, Entries
from publisher.registry.lookup import written_items
from publisher.registry.takeover.findings import FindingKind, Log
from publisher.registry.takeover.old_vps import OldVpsNodes, keyed
from publisher.registry.takeover.written import an_address, contradictions, fields_of, is_blank, joined, respell

_FIELDS = {"tailscale_ip": an_address("tailscale_ip"), "public_ip": an_address("public_ip")}


class _Item(NamedTuple):
    """A valid VPS where it is written: at an index of the list, or under a key of the old place."""

    at: int | str
    entry: Entries


def vps_nodes_are_lost(draft: Draft, root: Entries, routing: Entries | None) -> bool:
    """Tell whether VPSs are written nowhere, though routes name some: then what is published of them counts (DESIGN 5).

    As soon as the current form is written, it would say that there are none.
    """
    if not root or NESTED in root or VPS_NODES in root or OldVpsNodes.are_in(draft):
        return False
    if routing is None:
        return True
    return any(written_items(route.get("vps_nodes")) for route in routing.values() if isinstance(route, dict))


def take_vps_nodes(draft: Draft, root: Entries, log: Log) -> frozenset[str] | None:
    """Move VPSs to where they are written now; what is invalid, or written differently twice, stays.

    Returns the addresses that are registered; None when there may be others: one that cannot be read may be any.
    """
    listed = _listed(root, log)
    old = OldVpsNodes.of(draft, log)
    if listed is None:
        return None
    taking = _Taking(listed, old, draft.document(DOMAINS.document).edit)
    for address, group in taking.groups().items():
        taking.take(address, group, log)
    root[VPS_NODES] = taking.left()
    old.go_if_empty(draft, log)
    written = [_address(item) for item in [*root[VPS_NODES], *old.items().values()]]
    known = frozenset(address for address in written if address is not None)
    return known if old.readable and None not in written else None


def _listed(root: Entries, log: Log) -> list[Any] | None:
    """Return the items of `vps_nodes`, an object by address as a list; None when it cannot become one."""
    written = root.get(VPS_NODES)
    if isinstance(written, list):
        return written
    if written is None:
        how = "null" if VPS_NODES in root else "missing"
        log.mend(FindingKind.SHAPE, "VPSs", f"the list {VPS_NODES} is {how}", "becomes a list")
        return []
    if not isinstance(written, dict) or not all(key.strip() and isinstance(written[key], dict) for key in written):
        return None
    for key in sorted(written):
        log.mend(FindingKind.SHAPE, f"VPS {key.strip()}", f"stands in an object {VPS_NODES}", "moves into a list")
    return [keyed(key, written[key]) for key in sorted(written)]


class _Taking:
    """The list of VPSs while others move into it. `edit` is the command that opens it."""

    def __init__(self, listed: list[Any], old: OldVpsNodes, edit: str) -> None:
        self._listed = list(listed)
        self._gone: set[int] = set()
        self._old = old
        self._edit = edit

    def groups(self) -> dict[str, list[_Item]]:
        """Return the valid items by address, in the order in which the parser reads them."""
        groups: dict[str, list[_Item]] = {}
        written: list[tuple[int | str, Any]] = [*enumerate(self._listed), *self._old.items().items()]
        for at, item in written:
            if _is_valid(item):
                groups.setdefault(str(_address(item)), []).append(_Item(at, item))
        return groups

    def take(self, address: str, group: list[_Item], log: Log) -> None:
        """Have a VPS once in the list; leave one that is written in ways that contradict each other."""
        what, told = f"VPS {address}", Log(log.routecast)
        spelled = [_spelled(what, item.entry, told) for item in group]
        indexes = [item.at for item in group if isinstance(item.at, int)]
        keys = [item.at for item in group if isinstance(item.at, str)]
        unlike = contradictions(spelled)
        if unlike:
            wrong = f"is written {len(group)} times, with different {', '.join(unlike)}: the first one counts"
            command = self._edit if len(indexes) > 1 else Command("vps add", (address,)).having("--public-ip", ADDRESS)
            log.leave(FindingKind.DUPLICATE, what, wrong, command)
            return
        log.found += told.found
        if keys:
            log.mend(FindingKind.SHAPE, what, f"stands in the old key {OLD_VPS_NODES.key}", f"moves into {VPS_NODES}")
        if len(group) > 1:
            log.mend(FindingKind.DUPLICATE, what, f"is written {len(group)} times, alike", "becomes one")
        for key in keys:
            del self._old.entries[key]
        if indexes:
            self._listed[indexes[0]] = joined(spelled)
            self._gone |= set(indexes[1:])
        else:
            self._listed.append(joined(spelled))

    def left(self) -> list[Any]:
        """Return the list as it is now."""
        return [item for i, item in enumerate(self._listed) if i not in self._gone]


def _spelled(what: str, written: Entries, log: Log) -> Entries:
    """Return a VPS with its fields as they are written and called now."""
    entry = dict(written)
    respell(what, entry, _FIELDS, log)
    region, location = entry.get("region"), entry.get("location")
    if not isinstance(region, str) or is_blank(region) or not (is_blank(location) or location == region):
        return entry
    log.mend(FindingKind.SPELLING, what, "its location stands in the field region", "moves into location")
    entry.pop("location", None)
    return {"location" if field == "region" else field: value for field, value in entry.items()}


def _is_valid(item: Any) -> bool:
    entry = fields_of(item)
    for read in _FIELDS.values():
        read(entry)
    return entry.valid and _address(item) is not None


def _address(item: Any) -> str | None:
    return readable_address(item.get("tailscale_ip")) if isinstance(item, dict) else None
