"""What a check comes to: a state, what was seen, the next command. Pure."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Part(StrEnum):
    """What a check is about."""

    NATS = "nats"
    CONTROL_PLANE = "control-plane"
    NODE = "node"


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    """It works, but not as it should, or not for long."""
    FAIL = "fail"
    SKIP = "skip"
    """Nothing could be told: it does not apply here, or what it needs has failed."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check, done."""

    part: Part
    check: str
    state: State
    what: str
    next: str | None = None
    """The next command; None when there is nothing to do."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked, before it is known how it stands."""

    part: Part
    name: str

    def ok(self, what: str) -> Check:
        """Return the check when all is well."""
        return Check(self.part, self.name, State.OK, what)

    def warn(self, what: str, next_: str | None) -> Check:
        """Return the check when a person should look at it."""
        return Check(self.part, self.name, State.WARN, what, next_)

    def fail(self, what: str, next_: str | None) -> Check:
        """Return the check when something does not work."""
        return Check(self.part, self.name, State.FAIL, what, next_)

    def skip(self, why: str, next_: str | None = None) -> Check:
        """Return the check when nothing can be told."""
        return Check(self.part, self.name, State.SKIP, why, next_)


@dataclass(frozen=True, slots=True)
class Report:
    """All checks, in the order in which one rests on the other."""

    at: datetime
    checks: tuple[Check, ...]

    def holds(self, *, strict: bool) -> bool:
        """Tell whether nothing failed; `strict` counts warnings too. What was skipped counts for nothing."""
        bad = {State.FAIL, State.WARN} if strict else {State.FAIL}
        return not any(check.state in bad for check in self.checks)


def command(*words: object) -> str:
    """Return a command that can be pasted, whatever is in its words."""
    return shlex.join(map(str, words))


def listed(entries: Iterable[str], shown: int) -> str:
    """Return the first entries in one line, and how many more there are."""
    every = list(entries)
    more = f" and {len(every) - shown} more" if len(every) > shown else ""
    return ", ".join(every[:shown]) + more
