"""The key `vps-nodes.json`, in which old clusters keep their VPSs. Pure."""

from dataclasses import dataclass
from typing import Any, Self

from publisher.registry.draft import OLD_VPS_NODES, Draft, Entries
from publisher.registry.takeover.documents import read_value, readable
from publisher.registry.takeover.findings import FindingKind, Log


@dataclass(frozen=True, slots=True)
class OldVpsNodes:
    """What it holds: VPSs by address, to be taken out."""

    entries: Entries
    """The very object in the draft, or an empty one."""
    goes: bool
    """Whether the key is there, and goes as soon as it is empty."""
    readable: bool

    @classmethod
    def are_in(cls, draft: Draft) -> bool:
        """Tell whether the key is there, in whatever form."""
        return OLD_VPS_NODES.key in (draft.document(OLD_VPS_NODES.document).data or {})

    @classmethod
    def of(cls, draft: Draft, log: Log) -> Self:
        """Return what the key holds; one that is not there holds nothing."""
        if not cls.are_in(draft):
            return cls({}, goes=False, readable=True)
        if read_value(draft, OLD_VPS_NODES) == []:  # the replaced system began some keys with one
            return cls({}, goes=True, readable=True)
        entries = readable(draft, OLD_VPS_NODES, log)
        return cls(entries or {}, goes=entries is not None, readable=entries is not None)

    def items(self) -> dict[str, Any]:
        """Return the VPSs as items of a list, by the keys under which they are here, in the parser's order."""
        return {key: keyed(key, value) for key, value in sorted(self.entries.items())}

    def go_if_empty(self, draft: Draft, log: Log) -> None:
        """Take the key away when nothing is left in it."""
        if self.goes and not self.entries:
            log.mend(FindingKind.SHAPE, "VPSs", f"nothing is left in the old key {OLD_VPS_NODES.key}", "it goes")
            draft.put_text(*OLD_VPS_NODES, None)


def keyed(key: str, value: Any) -> Any:
    """Return a VPS of an object by address as an item of a list; what is none stays."""
    return {"tailscale_ip": key} | value | {"tailscale_ip": key} if isinstance(value, dict) else value
