"""A target at our own seam: keeps names in memory, and fails when it is told to."""

from common.errors import TargetFailed
from common.models import Registry
from common.names import derive_names
from common.settings.subscriber import TargetName
from subscriber.targets.target import Outcome, Plan


class MemoryTarget:
    """Holds the names of the registry that it was brought to; counts its writes."""

    def __init__(self, name: TargetName = TargetName.HOSTS) -> None:
        self.name = name
        self.current: dict[str, str] = {}
        self.writes = 0
        self.recovered = 0
        self.fails_with: str | None = None

    async def recover(self) -> None:
        """Count."""
        self.recovered += 1

    async def plan(self, registry: Registry) -> Plan:
        """Compare."""
        return Plan.between(self.current, derive_names(registry).records)

    async def apply(self, registry: Registry) -> Outcome:
        """Take the names over, unless told to fail."""
        if self.fails_with is not None:
            raise TargetFailed(self.fails_with, "told to fail")
        plan, found = await self.plan(registry), dict(self.current)
        if plan.changed:
            self.current = dict(derive_names(registry).records)
            self.writes += 1
        return Outcome(plan, checked="file", found=found, left=dict(self.current))
