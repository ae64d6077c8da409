"""What was seen of the registry's source."""

from collections.abc import Sequence
from dataclasses import dataclass

from cli.doctor.attempt import Fault
from common.problems import Problem
from common.status import SourceState


@dataclass(frozen=True, slots=True)
class DocumentSeen:
    """One of the four documents."""

    name: str
    state: SourceState
    why: str | None
    """Why it cannot be read, if it is there."""
    edit: str
    """The command that opens it, or grants its reading."""


@dataclass(frozen=True, slots=True)
class Read:
    """A source that answers."""

    documents: Sequence[DocumentSeen]
    problems: Sequence[Problem]

    @property
    def readable(self) -> bool:
        """Whether any document can be read."""
        return any(document.state is SourceState.READABLE for document in self.documents)


@dataclass(frozen=True, slots=True)
class Rights:
    """What the publisher needs, and the user who asks may not do."""

    whose: str
    missing: Sequence[str]
    needed: int
    grant: str
    """The command that grants it."""


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """The source that the settings name, or that is there without being named."""

    where: str
    """In words."""
    named: bool
    """By a setting or an option."""
    options: str
    """What to add to our commands, to mean this one; with a blank before it, empty for none."""
    in_cluster: bool
    look: str
    """The command that shows whether it is there at all."""
    read: Read | Fault
    rights: Rights | Fault
