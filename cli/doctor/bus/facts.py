"""What was seen of NATS, all of about one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from cli.doctor.attempt import Fault
from cli.newest import Newest
from common.ack import NodeAck
from common.settings.nats import NatsSettings
from common.status import PublisherStatus
from common.streams import ConsumerState
from common.transport import Transport, choose


@dataclass(frozen=True, slots=True)
class StreamSeen:
    """A stream that exists."""

    messages: int
    deviations: tuple[str, ...]
    """Settings that are not as the publisher makes them, in words."""


@dataclass(frozen=True, slots=True)
class ClockSeen:
    """The server's clock beside ours."""

    ahead_s: float
    """How far the server's is ahead of this machine's."""
    unsure_s: float
    """Half of the time that asking took."""


@dataclass(frozen=True, slots=True)
class JetStreamSeen:
    """What JetStream holds. Each part is there, or is the reason why not."""

    now: datetime
    """By the server's clock, where that is known."""
    clock: ClockSeen | Fault | None
    """None: nothing on this server tells its time."""
    streams: Mapping[str, StreamSeen | Fault | None]
    """None: it does not exist."""
    newest: Newest | Fault | None
    statuses: Sequence[PublisherStatus] | Fault
    """The newest first."""
    consumers: Mapping[str, ConsumerState] | Fault
    odd_consumers: Mapping[str, tuple[str, ...]] | Fault
    """Durables of nodes whose settings are not as the publisher makes them, by name, in words."""
    acks: Mapping[str, NodeAck | None] | Fault


@dataclass(frozen=True, slots=True)
class Validity:
    """Until when something is valid, and how long that still is."""

    until: datetime
    left: timedelta

    @classmethod
    def at(cls, now: datetime, until: datetime) -> Self:
        """Return it as it stands now."""
        return cls(until, until - now)


@dataclass(frozen=True, slots=True)
class LoginSeen:
    """The credentials of this machine."""

    where: str
    """Their file, or the setting that has a login in it."""
    name: str | None = None
    """As whom they let us in; None: it is not known here."""
    valid: Validity | None = None
    """None: until they are revoked."""


@dataclass(frozen=True, slots=True)
class HiddenLogin:
    """Credentials that this user may not read."""

    where: str


@dataclass(frozen=True, slots=True)
class ServerSeen:
    """A server that let us in."""

    version: str
    max_payload: int
    jetstream: JetStreamSeen | Fault
    certificate: Validity | Fault | None = None
    """What it shows; None: there is no TLS."""


@dataclass(frozen=True, slots=True)
class BusSeen:
    """Where NATS should be, and what is there."""

    url: str
    """Without any password."""
    host: str
    port: int
    server: ServerSeen | Fault
    transport: Transport = field(default_factory=lambda: choose(NatsSettings()))
    login: LoginSeen | HiddenLogin | Fault | None = None
    """None: there is none."""
