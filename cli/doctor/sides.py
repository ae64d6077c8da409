"""Decide which sides of routecast a machine is checked as. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from cli.doctor.attempt import Fault
from cli.doctor.check import Check, Part, Subject
from cli.doctor.control_plane.source_facts import SourceSeen
from common.errors import ConfigError


class Side(StrEnum):
    """What a machine can be; one can be both."""

    CONTROL_PLANE = "control-plane"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class Sides:
    """What to check, and what is left out and why."""

    control_plane: bool
    node: bool
    skipped: tuple[Check, ...] = ()


def choose(asked: Side | None, *, node_named: bool, source: SourceSeen | None) -> Sides:
    """Return the sides: the one that was asked for, else what the machine is.

    It is a node when its settings name it, and a control plane when they name a registry source, one answers without
    being named, or there is nothing else that it could be. `source` is None only where a node was asked for.
    """
    if asked is not None or source is None:
        return Sides(asked is Side.CONTROL_PLANE, asked is Side.NODE)
    why = _no_control_plane(source) if node_named else None
    skipped = []
    if why is not None:
        said = f"not checked: {why}; if it is one:"
        skipped.append(Subject(Part.CONTROL_PLANE, "control plane").skip(said, "routecast doctor control-plane"))
    if not node_named:
        said = "not checked: subscriber.node is not set, so this machine is no node; if it is one:"
        skipped.append(Subject(Part.NODE, "node").skip(said, "routecast doctor node"))
    return Sides(why is None, node_named, tuple(skipped))


def _no_control_plane(source: SourceSeen) -> str | None:
    """Return why a node is no control plane as well, None when it is one."""
    if source.named:
        return None
    if isinstance(source.read, Fault):
        why = "none is there" if isinstance(source.read.error, ConfigError) else str(source.read)
        return f"no setting names a registry source, and {why}"
    return None if source.read.readable else "no setting names a registry source, and this user may read none"
