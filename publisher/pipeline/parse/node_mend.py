"""The commands that mend nodes. They know a node by its name on the bus, so that must be its alone."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from common.models import Role
from publisher.pipeline.parse.mend import ADDRESS, Command
from publisher.pipeline.parse.node_names import base_name


class Written(NamedTuple):
    """A node as it is written; without an address when that cannot be read."""

    role: Role
    name: str
    address: str | None

    @property
    def asked(self) -> str:
        """The name on the bus that it asks for; empty when it asks for none."""
        return base_name(self.name, self.address or "") if self.name or self.address is not None else ""


class NodeCommands:
    """The commands for the nodes of all lists."""

    def __init__(self, nodes: Iterable[Written]) -> None:
        found = list(nodes)
        readable = {node for node in found if node.address is not None}
        self._times = Counter(node.asked for node in (*readable, *(node for node in found if node.address is None)))
        self._addresses = Counter(node.address for node in readable)

    @property
    def asked(self) -> frozenset[str]:
        """The names on the bus that nodes ask for."""
        return frozenset(self._times)

    def write_once(self, node: Written) -> Command | None:
        """Return the command that has a node written only once."""
        alone = node.address is not None and self._addresses[node.address] == 1
        return self.give_address(node, node.address) if alone else None

    def give_address(self, node: Written, address: str | None = None) -> Command | None:
        """Return the command that gives a node another address; of a name that would not stay there is none."""
        stays = self._is_alone(node) and base_name(node.asked, "") == node.asked
        return Command("node add", (node.role.value, node.asked, address or ADDRESS)) if stays else None

    def give_label(self, node: Written, label: str) -> Command | None:
        """Return the command that gives a node a label."""
        return Command("node label", (node.asked, label)) if self._is_alone(node) else None

    def _is_alone(self, node: Written) -> bool:
        return bool(node.asked) and self._times[node.asked] == 1
