"""What was seen of this machine as a node. Each part is there, or is the reason why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli.doctor.attempt import Fault
from common.ack import NodeAck
from common.settings import Settings
from common.settings.subscriber import TargetName
from common.snapshot import Snapshot
from subscriber.survey import Survey
from subscriber.targets.traefik_check import Verdict
from subscriber.verify import Brought


@dataclass(frozen=True, slots=True)
class PathSeen:
    """A file or directory, and what this user may do with it."""

    path: Path
    exists: bool
    directory: bool = False
    mode: int = 0
    """Its permission bits."""
    writable: bool = False


@dataclass(frozen=True, slots=True)
class ServiceSeen:
    """What the running service says of itself."""

    node: str
    connected: bool
    stale: bool
    last_ack: NodeAck | None
    trouble: str | None = None
    """Why it is not connected, or what NATS refuses it."""


@dataclass(frozen=True, slots=True)
class TargetSeen:
    """What a target holds, against the stored snapshot."""

    name: TargetName
    holds: str
    """What it should hold, in words: ``5 names``."""
    differs: str | Fault | None
    """What its plan says; None: nothing to do."""


@dataclass(frozen=True, slots=True)
class NameSeen:
    """A name, as the system's resolver answers it."""

    name: str
    expected: str
    found: frozenset[str] | Fault
    """Addresses of the family that is expected."""


@dataclass(frozen=True, slots=True)
class ResolverSeen:
    """How the system looks names up; both empty where it has no such files."""

    services: tuple[str, ...]
    """The words behind ``hosts:`` in /etc/nsswitch.conf."""
    nameservers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DnsmasqSeen:
    """The dnsmasq that reads our files."""

    pid: int | Fault | None
    """None: it does not run."""
    wrong: str | Fault | None
    """What it answers wrongly; None: nothing."""


@dataclass(frozen=True, slots=True)
class CanarySeen:
    """A router of no use that was put into Traefik's directory for a moment."""

    verdict: Verdict
    took_ms: float
    gone: bool
    """Traefik has let go of it again."""


@dataclass(frozen=True, slots=True)
class TraefikSeen:
    """Traefik, and the directory that it should watch."""

    directory: PathSeen
    one_file_system: bool
    """The directory and the one that files are made in can be renamed between."""
    forgotten: Path | None
    """A canary that a killed run has left."""
    routes: int
    served: Verdict | Fault | None
    """None: no API is set."""
    canary: CanarySeen | Fault | None = None
    """None: it was not asked for, or nobody could have said what becomes of it."""


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """All of it. What needs the stored snapshot is empty without one."""

    settings: Settings
    root: bool
    """Whether we are root, as the service is."""
    settings_file: PathSeen | None
    state_dir: PathSeen | Fault
    service: ServiceSeen | Fault | None
    """None: none runs."""
    accepted: Snapshot | Fault | None
    """The stored snapshot; None: none was ever accepted."""
    address: tuple[str, bool] | None
    """The address that this node is registered with, and whether this machine has it; None: it is not known."""
    brought: Brought | None = None
    """The keys that snapshots have brought; None: those in the settings count."""
    targets: Sequence[TargetSeen] | Fault = ()
    shadows: Mapping[str, str] | Fault = field(default_factory=dict)
    """Names that the owner's own lines above ours give another address."""
    dnsmasq: DnsmasqSeen | None = None
    traefik: TraefikSeen | Fault | None = None
    names: Sequence[NameSeen] = ()
    resolver: ResolverSeen = ResolverSeen((), ())
    leftovers: Survey | Fault | None = None
    canary: bool = False
    """Whether one was asked for."""
