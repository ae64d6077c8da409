"""Which services ask for which subdomain, so that a command that mends one does not take another's."""

from collections.abc import Mapping
from functools import cached_property
from itertools import chain, count
from typing import Any

from common.values import subdomain
from publisher.pipeline.parse.addresses import readable_address
from publisher.pipeline.parse.node_names import plain
from publisher.pipeline.parse.text import checked


class Subdomains:
    """The subdomains as the services' entries are written, and those that commands propose.

    Nothing is looked at before something is wrong: a registry without faults costs nothing.
    """

    def __init__(self, entries: Mapping[str, Any]) -> None:
        self._entries = entries
        self._given: dict[str, str] = {}

    def is_elsewhere(self, at: str, name: str, ip: str | None) -> bool:
        """Tell whether a subdomain leads to another address by another service than `name`, which has `ip`."""
        return any(other != name and there not in {None, ip} for other, there in self._asked.get(at, ()))

    def free(self, name: str, *wanted: Any) -> str:
        """Return a subdomain for a service that nobody has: like what is wanted, like its name, or numbered.

        The same service gets the same one again.
        """
        if name not in self._given:
            taken = self._asked.keys() | set(self._given.values())
            likes = [like for text in (*wanted, name) if isinstance(text, str) and (like := plain(text))] or ["service"]
            labels = chain(likes, (f"{likes[0]}-{number}" for number in count(2)))
            self._given[name] = next(label for label in labels if label not in taken)
        return self._given[name]

    @cached_property
    def _asked(self) -> dict[str, list[tuple[str, str | None]]]:
        asked: dict[str, list[tuple[str, str | None]]] = {}
        for name, entry in self._entries.items():
            at = readable_subdomain(entry.get("subdomain")) if isinstance(entry, dict) else None
            if at is not None:
                asked.setdefault(at, []).append((name, readable_address(entry.get("ip"))))
        return asked


def readable_subdomain(value: Any) -> str | None:
    """Return a subdomain that is written right; None, without a word, for everything else."""
    try:
        return checked(subdomain, value) if isinstance(value, str) else None
    except ValueError:
        return None
