"""What the replaced system left on this node, in words: for `status` and `adopt`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from subscriber.leftovers import Leftover

_SHOWN = 5  # entries named in a line

WHAT = {
    "names": "names that the replaced system wrote",
    "routes": "routes that the replaced system wrote",
    "cron": "cron runs the replaced system, which writes again what is removed",
}


def what(leftover: "Leftover") -> str:
    """Return where a leftover is and what it is."""
    return f"{leftover.where}: {WHAT[leftover.kind]}"


def effects(leftover: "Leftover") -> Iterator[str]:
    """Yield what a leftover does while it is there, and what its removal would do beside that."""
    if leftover.wins:
        given = [f"{name} is {address} there" for name, address in leftover.wins.items()]
        yield f"another address than the registry's, and the earlier line wins: {_listed(given)}"
    if leftover.only_here:
        noun = "name" if leftover.kind == "names" else "route"
        yield f"gone with it, the registry has no such {noun} for this node: {_listed(leftover.only_here)}"


def _listed(entries: "list[str] | tuple[str, ...]") -> str:
    more = f" and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
    return ", ".join(entries[:_SHOWN]) + more
