"""What a publisher says of itself on ``registry.status.<instance>`` (DESIGN 5, schema 1)."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from common.models import Frozen
from common.problems import Problem
from common.snapshot import Hold

SCHEMA = 1

EVERY_S = 60
"""A status is sent when it differs, and this often, in s."""


class SourceState(StrEnum):
    """How a source document stands with the publisher."""

    WAITING = "waiting"
    """Not listed yet."""
    READABLE = "readable"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    """There, but not to be read: denied, or broken."""
    LOST = "lost"
    """Its source does not answer; the last known form counts."""


class DocumentStatus(Frozen):
    """One source document."""

    state: SourceState
    resource_version: str | None = None
    detail: str | None = None


class PublisherStatus(Frozen):
    """One publisher: what it published last, and what it sees."""

    schema_: int = Field(default=SCHEMA, alias="schema", serialization_alias="schema")
    instance: str
    host: str
    agent_version: str
    started_at: datetime
    at: datetime
    epoch: int | None = None
    version: int | None = None
    digest: str | None = None
    sources: dict[str, DocumentStatus] = Field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    held: tuple[str, ...] = ()
    """Removals that wait for an approval."""
    hold: Hold | None = None
    waiting_for: str | None = None
    """What keeps it from publishing; None when nothing does."""
