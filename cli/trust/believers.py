"""Count which nodes believe the keys that a snapshot named: those that accepted it, or a later one. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from common.ack import NodeAck, State

_NOT_KEPT = "state_not_written"
"""The error of a node that could not remember a snapshot, and so its keys."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A node that does not believe the keys yet, and why, as far as it said."""

    node: str
    why: str


class Believers:
    """The answers to the snapshot with a stream sequence, and to all that followed it."""

    def __init__(self, stream_seq: int) -> None:
        self._seq = stream_seq
        self._accepted: set[str] = set()
        self._refused: dict[str, str] = {}

    def count(self, ack: NodeAck) -> None:
        """Take a record into account: who accepted once remembers the keys, whatever it refuses later."""
        if ack.stream_seq is None or ack.stream_seq < self._seq:
            return
        if ack.state is State.REJECTED or (ack.error is not None and ack.error.code == _NOT_KEPT):
            self._refused[ack.node] = (
                f"{ack.state}: {ack.error.message if ack.error is not None else 'no reason given'}"
            )
        else:
            self._accepted.add(ack.node)

    def waiting(self, nodes: Iterable[str]) -> tuple[Waiting, ...]:
        """Return which of `nodes` are waited for."""
        missing = sorted(set(nodes) - self._accepted)
        return tuple(Waiting(node, self._refused.get(node, "no answer yet")) for node in missing)
