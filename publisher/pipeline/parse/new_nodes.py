"""The commands that register a VPS as a node: each proposes a name that no node has, and no other command proposes."""

from collections.abc import Iterable
from itertools import chain, count

from common.models import Role, Vps
from publisher.pipeline.parse.mend import Command
from publisher.pipeline.parse.node_names import plain

_VPS = Role.VPS.value


class NewNodes:
    """Names for new nodes. `taken` are those that others have or ask for; `after` must be run first."""

    def __init__(self, taken: Iterable[str], after: Command | None = None) -> None:
        self._taken = set(taken)
        self._after = after

    def register(self, vps: Vps) -> Command:
        """Return the command: the name tells whose machine it is and where it stands, else its address."""
        told, addressed = plain(f"{vps.provider or _VPS} {vps.location}"), plain(f"{_VPS} {vps.tailscale_ip}")
        names = chain((told, addressed), (f"{addressed}-{number}" for number in count(2)))
        name = next(name for name in names if name not in {"", _VPS, *self._taken})
        self._taken.add(name)
        return Command("node add", (_VPS, name, vps.tailscale_ip), after=self._after)
