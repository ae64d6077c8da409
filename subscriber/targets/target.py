"""What every target is: something that can be planned and brought to a registry's desired state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from common.models import Registry
from common.settings.subscriber import TargetName
from subscriber.policy import NOTHING, Refusals

T = TypeVar("T")

_SHOWN = 3  # refused entries named in a summary


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes from current to desired, by entry. Prints its own summary."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    rewrite: bool = False
    """The bytes differ though no entry does: order, comments, a drop-in."""
    refused: Refusals = NOTHING
    """What the node's policy leaves out of desired."""

    @classmethod
    def between(cls, current: Mapping[str, T], desired: Mapping[str, T], *, rewrite: bool = False) -> Self:
        """Return the plan that makes `desired` of `current`, entries sorted."""
        return cls(
            created=tuple(sorted(desired.keys() - current.keys())),
            updated=tuple(sorted(key for key in desired.keys() & current.keys() if desired[key] != current[key])),
            deleted=tuple(sorted(current.keys() - desired.keys())),
            rewrite=rewrite,
        )

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.rewrite or bool(self.created or self.updated or self.deleted)

    def __str__(self) -> str:
        changes = f"{len(self.created)} created, {len(self.updated)} updated, {len(self.deleted)} deleted"
        return f"{changes if self.changed else 'nothing to do'}{self._refused()}"

    def _refused(self) -> str:
        if not self.refused.count:
            return ""
        shown = [f"{each.entry}: {each.reason}" for each in self.refused.listed[:_SHOWN]]
        more = self.refused.count - len(shown)
        return f"; {self.refused.count} refused ({'; '.join(shown)}{f'; and {more} more' if more else ''})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an apply did."""

    plan: Plan
    checked: str | None
    """What confirmed the result: ``file``, ``dns`` or ``traefik``."""
    found: object = None
    """What was there of ours before, to be compared with what the last apply `left`: any value that compares."""
    left: object = None
    """What is there of ours now."""


class Target(Protocol):
    """One thing that a subscriber writes. Every byte that is not ours stays as it was."""

    name: TargetName

    async def recover(self) -> None:
        """Finish or undo a write that a crash cut short. Called once, on start.

        Raises:
            TargetFailed: it could not.

        """
        ...

    async def plan(self, registry: Registry) -> Plan:
        """Read what is there and compare; write nothing.

        Raises:
            TargetFailed: what is there cannot be read.

        """
        ...

    async def apply(self, registry: Registry) -> Outcome:
        """Read, plan, write when it differs, read back, check; put the previous bytes back when the check fails.

        Raises:
            TargetFailed: it could not; what ran before stands.

        """
        ...
