"""What a routing entry may name, and the commands that mend one that names something else, or is faulty itself."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from common.models import Service, Strategy
from publisher.pipeline.parse.domains import register_domain
from publisher.pipeline.parse.mend import Command
from publisher.pipeline.parse.parts import Part
from publisher.pipeline.parse.vps_mend import register_vps

DOMAINS, VPS_NODES = "domains", "vps_nodes"
"""The lists of a routing entry."""

_OPTIONS = {DOMAINS: "--domain", VPS_NODES: "--vps"}
_UNKNOWN = {DOMAINS: "DOMAIN", VPS_NODES: "VPS"}
_PARTS = {DOMAINS: Part.DOMAINS, VPS_NODES: Part.VPS_NODES}


@dataclass(frozen=True, slots=True)
class Registered:
    """What is registered, and what commands can do about what is not."""

    services: Mapping[str, Service]
    domains: Collection[str]
    vps_nodes: Collection[str]
    service_mends: Mapping[str, Command | None]
    """Services that are written, but not valid, with the command that mends each, as far as one does."""
    vps_mends: Mapping[str, Command]
    """VPSs that are written, valid or not, by address, with the command that mends each."""
    editable: Collection[Part]
    """The parts that commands can edit."""

    def mend_service(self, name: str) -> Command | None:
        """Return the command that mends the route of a service that is not registered: its own, or the route goes."""
        if name in self.service_mends:
            return self.service_mends[name]
        return _remove(name) if Part.SERVICES in self.editable else None

    def mend_broken(self, service: str) -> Command | None:
        """Return the command that mends what is broken in the route of such a service: with it the route goes."""
        return None if service in self.service_mends else self.mend_service(service)

    def mend_whole(self, service: str) -> Command | None:
        """Return the command that writes an unreadable entry anew; one that serves nothing goes."""
        command = self._set(service, DOMAINS, VPS_NODES)
        if command is not None:
            return command.having("--domain", _UNKNOWN[DOMAINS]).having("--vps", _UNKNOWN[VPS_NODES])
        serves = self.services[service].public and self.domains and self.vps_nodes
        return None if serves else _remove(service)

    def mend_list(self, service: str, field: str, items: Collection[str]) -> Command | None:
        """Return the command that writes a list of an entry anew, of what is right in it."""
        command = self._set(service, field)
        return None if command is None else command.having(_OPTIONS[field], ",".join(items) or _UNKNOWN[field])

    def mend_strategy(self, service: str, strategy: Strategy) -> Command | None:
        """Return the command that writes the strategy that counts."""
        command = self._set(service)
        return None if command is None else command.having("--strategy", strategy.value)

    def mend_item(self, field: str, item: str) -> Command | None:
        """Return the command that registers an item of a list, or mends the entry that it has already."""
        if _PARTS[field] not in self.editable:
            return None
        return register_domain(item) if field == DOMAINS else self.vps_mends.get(item, register_vps(item))

    def _set(self, service: str, *lists: str) -> Command | None:
        """Return the command that sets fields of a route; None where it would be refused, or do more than mend.

        It would publish a service that is private.
        """
        editable = {Part.SERVICES, *(_PARTS[field] for field in lists)}.issubset(self.editable)
        choice = all(self.domains if field == DOMAINS else self.vps_nodes for field in lists)
        return Command("route set", (service,)) if editable and choice and self.services[service].public else None


def _remove(service: str) -> Command:
    return Command("route remove", (service,), (("--yes",),))
