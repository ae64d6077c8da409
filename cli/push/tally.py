"""Count which nodes have answered a publish. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from cli.nodes.report import error_of
from common.ack import NodeAck, State


@dataclass(frozen=True, slots=True)
class Answer:
    """How one node answered."""

    node: str
    state: State
    error: str | None
    took_ms: float


class Tally:
    """The awaited nodes and their answers to the message with a stream sequence, or to one that superseded it.

    A later record of a node replaces its earlier one; `drifted` is no answer yet, the healed state follows.
    """

    def __init__(self, awaited: Iterable[str], stream_seq: int) -> None:
        self.awaited = frozenset(awaited)
        self._seq = stream_seq
        self._answers: dict[str, Answer] = {}

    def count(self, ack: NodeAck) -> None:
        """Take a record into account."""
        answers = ack.node in self.awaited and ack.stream_seq is not None and ack.stream_seq >= self._seq
        if answers and ack.state is not State.DRIFTED:
            self._answers[ack.node] = Answer(ack.node, ack.state, error_of(ack), ack.took_ms)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The answers, by node."""
        return tuple(answer for _, answer in sorted(self._answers.items()))

    @property
    def missing(self) -> tuple[str, ...]:
        """The awaited nodes that have not answered, by name."""
        return tuple(sorted(self.awaited - self._answers.keys()))

    @property
    def complete(self) -> bool:
        """Whether all awaited nodes have answered."""
        return not self.missing

    @property
    def holds(self) -> bool:
        """Whether all awaited nodes have answered that they applied it."""
        return self.complete and all(answer.state is State.APPLIED for answer in self._answers.values())
