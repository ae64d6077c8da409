"""Decide whether enough of the source was read for a publish (DESIGN 5, "Unreadable is never empty"). Pure."""

from collections.abc import Set

from common.models import Registry
from publisher.pipeline.parse import Part
from publisher.source.source import Mark


def parts_to_wait_for(readable: Set[Part], previous: Registry | None, mark: Mark | None) -> tuple[str, ...]:
    """Return the names of the parts that must be readable before anything is published; empty: go on.

    With a previous registry an unreadable part keeps its previous form. On first contact only the services are needed.
    With a mark but nothing previous, everything that the mark counts as non-empty is: publishing without it would take
    from the nodes what nobody removed.
    """
    if previous is not None:
        return ()
    counted = [part for part in Part if mark is not None and mark.counts.get(part.value, 0) > 0]
    needed = [Part.SERVICES] if mark is None else counted
    return tuple(part.value for part in needed if part not in readable)
