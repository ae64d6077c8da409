"""The node's answer: what it did with a snapshot, and what it runs now (DESIGN 5, schema 1)."""

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import Field, ValidationError

from common.codec import canonical
from common.models import Frozen, Role
from common.snapshot import Order, Snapshot

SCHEMA = 1


class State(StrEnum):
    """The outcome of an attempt; of several targets the worst counts (`worst`)."""

    APPLIED = "applied"
    DRIFTED = "drifted"
    FAILED = "failed"
    REJECTED = "rejected"


_BADNESS = {State.APPLIED: 0, State.DRIFTED: 1, State.FAILED: 2, State.REJECTED: 3}


def worst(states: list[State]) -> State:
    """Return the worst of some states; of none, `applied`."""
    return max(states, key=_BADNESS.__getitem__, default=State.APPLIED)


class Revision(Frozen):
    """Which snapshot: its order and its content's digest."""

    epoch: int
    version: int
    digest: str

    @property
    def order(self) -> Order:
        """The place among all others."""
        return Order(self.epoch, self.version)

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self:
        """Return the revision that `snapshot` is."""
        return cls(epoch=snapshot.epoch, version=snapshot.version, digest=snapshot.digest)


class AckError(Frozen):
    """Why an attempt did not end as `applied`."""

    code: str
    message: str
    target: str | None = None
    entry: str | None = None


class Refused(Frozen):
    """An entry that the node's policy left out."""

    entry: str
    reason: str


class TargetAck(Frozen):
    """What one target did."""

    state: State
    applied: Revision | None
    changed: bool = False
    """Something was written."""
    created: int = 0
    updated: int = 0
    deleted: int = 0
    took_ms: float = 0.0
    checked: str | None = None
    """What confirmed the result: ``file``, ``dns`` or ``traefik``; None when nothing did."""
    refused: tuple[Refused, ...] = ()
    """What the node's policy left out of the target, as far as there is room."""
    refused_more: int = 0
    """How many more it left out."""
    error: AckError | None = None


class Agent(Frozen):
    """The program that answers, and the machine it runs on."""

    version: str
    host: str
    addresses: tuple[str, ...] = ()


class NodeAck(Frozen):
    """A node's record of one attempt."""

    schema_: int = Field(default=SCHEMA, alias="schema", serialization_alias="schema")
    node: str
    role: Role
    instance: str
    """New at every start of the subscriber."""
    attempted: Revision | None
    """None when the message could not be read that far."""
    state: State
    applied: Revision | None
    """The lowest of the targets; for `rejected` and `failed` what runs instead."""
    stream_seq: int | None = None
    """Sequence in ``REGISTRY``; None when no message caused this record."""
    received_at: datetime | None = None
    finished_at: datetime
    attempt: int = 1
    """The message's delivery count."""
    targets: dict[str, TargetAck] = Field(default_factory=dict)
    error: AckError | None = None
    agent: Agent

    @property
    def took_ms(self) -> float:
        """How long the targets took, in ms."""
        return sum(target.took_ms for target in self.targets.values())

    @property
    def refused(self) -> tuple[Refused, ...]:
        """What the policy left out, each once: two targets that take the same names refuse the same ones."""
        return tuple(dict.fromkeys(each for target in self.targets.values() for each in target.refused))

    @property
    def refused_count(self) -> int:
        """How many entries the policy left out, those included that there was no room for."""
        lists = {(target.refused, target.refused_more) for target in self.targets.values()}
        return sum(len(refused) + more for refused, more in lists)

    def to_body(self) -> bytes:
        """Return the JSON body of the record."""
        return canonical(self.model_dump(mode="json", by_alias=True))

    @classmethod
    def from_body(cls, body: bytes) -> Self | None:
        """Return the record of a body, None when it is none that this code can read."""
        try:
            return cls.model_validate_json(body)
        except ValidationError:
            return None
