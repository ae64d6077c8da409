"""What was found in a registry that is taken over. Values, and the log that collects them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from publisher.pipeline.parse.mend import Command


class FindingKind(StrEnum):
    """What is wrong with an entry, in the order in which people are told."""

    SHAPE = "old shape"
    SPELLING = "old spelling"
    STALE = "names what does not exist"
    STRATEGY = "unknown strategy"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    INVALID = "invalid, so not used as written"
    ODD = "used, but not all of it"
    VPS_WITHOUT_NODE = "VPS without a node"
    PRIVATE_BUT_ROUTED = "private, but routed"
    NODE_NAME = "no node name"
    UNREADABLE = "cannot be read"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    kind: FindingKind
    entry: str
    """What it is and what it is called, as ``service immich``."""
    wrong: str
    mended: str | None
    """What `import` does about it; None: nothing, a person must decide."""
    commands: tuple[str, ...]
    """One of them does what `import` does not or, where it does something, what can be done instead, before it."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found, by kind."""

    found: tuple[Finding, ...]

    @classmethod
    def of(cls, found: Iterable[Finding]) -> Self:
        """Return findings in the order of their kinds, each once; those of one kind stay in their order."""
        once = dict.fromkeys(found)
        return cls(tuple(sorted(once, key=lambda finding: list(FindingKind).index(finding.kind))))

    @property
    def mended(self) -> tuple[Finding, ...]:
        """What `import` does something about."""
        return tuple(finding for finding in self.found if finding.mended is not None)

    @property
    def left(self) -> tuple[Finding, ...]:
        """What only a person can decide."""
        return tuple(finding for finding in self.found if finding.mended is None)


class Log:
    """Findings in the order in which they are made. `routecast` is how the command line is called for the source."""

    def __init__(self, routecast: str) -> None:
        self.routecast = routecast
        self.found: list[Finding] = []

    def mend(self, kind: FindingKind, entry: str, wrong: str, mended: str, *instead: Command) -> None:
        """Note what is mended, and the commands that can be run instead, before it."""
        self.found.append(Finding(kind, entry, wrong, mended, self._lines(instead)))

    def leave(self, kind: FindingKind, entry: str, wrong: str, *commands: Command | str) -> None:
        """Note what is left to a person, and the commands of which one mends it."""
        self.found.append(Finding(kind, entry, wrong, None, self._lines(commands)))

    def _lines(self, commands: Iterable[Command | str]) -> tuple[str, ...]:
        lines = (each if isinstance(each, str) else each.line(self.routecast) for each in commands)
        return tuple(dict.fromkeys(line for line in lines if line))
