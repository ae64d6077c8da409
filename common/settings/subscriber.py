"""The ``[subscriber]`` section and those of its targets."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl

from common.models import Role
from common.settings.section import Section
from common.signing import check_public_key
from common.values import NodeName


class TargetName(StrEnum):
    """What a subscriber can write."""

    HOSTS = "hosts"
    DNSMASQ = "dnsmasq"
    TRAEFIK = "traefik"


PRESETS: dict[Role, tuple[TargetName, ...]] = {
    Role.LAPTOP: (TargetName.HOSTS,),
    Role.WORKER: (TargetName.HOSTS,),
    Role.VPS: (TargetName.TRAEFIK,),
}
"""The targets of a role when the settings name none."""


Pause = Annotated[float, Field(gt=0, le=24 * 3600)]
"""A pause, in s."""


class SubscriberSettings(Section):
    """The node's side: who it is, whom it believes, what it writes."""

    node: NodeName | None = None
    """The name that this node is registered under. Required to run a subscriber."""
    role: Role = Role.LAPTOP
    """`laptop`, `vps` or `worker`: picks the targets when `targets` is unset."""
    targets: tuple[TargetName, ...] | None = None
    """What this node writes: `hosts`, `dnsmasq`, `traefik`. Unset: by role (laptop, worker: hosts; vps: traefik)."""
    public_keys: tuple[Annotated[str, AfterValidator(check_public_key)], ...] = ()
    """The publishers' public keys, in base64: what none of them signed is rejected. Required to run a subscriber."""
    installation: str | None = None
    """The only installation that this node takes snapshots of. Unset: that of the first accepted one, for life."""
    state_dir: Path = Path("/var/lib/routecast")
    """Where the newest accepted snapshot and the node's own records are kept."""
    drift_every_s: float = Field(default=300.0, gt=0, le=24 * 3600)
    """How often the targets are compared with the snapshot, and mended, in s."""
    nak_delays_s: tuple[Pause, ...] = (5.0, 10.0, 20.0)
    """The pauses before a failed snapshot is tried again, in s; after the last one it counts as failed."""
    retry_delays_s: tuple[Pause, ...] = Field(default=(60.0, 120.0, 300.0), min_length=1)
    """The pauses between later tries from the stored snapshot, in s; the last one repeats."""

    @property
    def target_names(self) -> tuple[TargetName, ...]:
        """The targets of this node, by setting or by role."""
        return PRESETS[self.role] if self.targets is None else self.targets


class HostsSettings(Section):
    """The `hosts` target: a marked block in a hosts file."""

    path: Path = Path("/etc/hosts")
    """The hosts file."""
    flush_command: tuple[str, ...] | None = None
    """Run after each change, to empty the resolver's cache. Unset: nothing on Linux, dscacheutil on macOS."""


class DnsmasqSettings(Section):
    """The `dnsmasq` target: a static drop-in and a hosts file of ours, read again on SIGHUP."""

    drop_in: Path = Path("/etc/dnsmasq.d/routecast.conf")
    """The drop-in file, written when the zone changes."""
    hosts_file: Path = Path("/var/lib/routecast/dnsmasq/hosts")
    """The file with the names; dnsmasq's user must be able to read it."""
    pid_file: Path = Path("/run/dnsmasq/dnsmasq.pid")
    """dnsmasq's process id, to send SIGHUP to."""
    restart_command: tuple[str, ...] = ("systemctl", "restart", "dnsmasq")
    """Run after the drop-in has changed."""
    test_command: tuple[str, ...] = ("dnsmasq", "--test", "--conf-dir=/etc/dnsmasq.d,.dpkg-dist,.dpkg-old,.dpkg-new")
    """Checks dnsmasq's configuration, the drop-in's folder included; ours is taken back when it fails."""
    server: str = "127.0.0.1"
    """The address that dnsmasq answers on, for the check of the result."""
    port: int = Field(default=53, ge=1, le=65535)
    """The port that it answers on."""


class TraefikSettings(Section):
    """The `traefik` target: one file of ours in the directory that Traefik's file provider watches."""

    directory: Path = Path("/etc/traefik/dynamic")
    """The watched directory."""
    staging_dir: Path = Path("/etc/traefik/.routecast")
    """Where the file is made before it is renamed into place: the same file system, outside the watched directory."""
    api_url: Annotated[HttpUrl | None, BeforeValidator(lambda value: value or None)] = HttpUrl("http://127.0.0.1:8080")
    """Traefik's API, to read back what it serves. Empty, or when it does not answer: the file alone is checked."""
    check_timeout_s: float = Field(default=5.0, gt=0, le=60)
    """How long Traefik may take to serve a change, in s."""
    entry_point: str = Field(default="websecure", min_length=1)
    """The TLS entry point."""
    plain_entry_point: str = Field(default="web", min_length=1)
    """The plain entry point, which redirects to the TLS one."""
    cert_resolver: str = "letsencrypt"
    """The certificate resolver; empty: Traefik's default certificate."""
    prefix: str = Field(default="routecast", pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")
    """What the names of our routers, services and middlewares begin with."""
