"""The ``[publisher]`` section."""

from pathlib import Path

from pydantic import Field

from common.settings.section import Section


class PublisherSettings(Section):
    """The control plane's side: where the registry is read, and how it is published."""

    registry_dir: Path | None = None
    """A folder of ConfigMap manifests (`*.yaml`) to read the registry from. Unset: the cluster."""
    kubeconfig: Path | None = None
    """The kubeconfig file. Unset: `KUBECONFIG` or `~/.kube/config`, in the cluster its service account."""
    context: str | None = None
    """The context in the kubeconfig. Unset: its current one."""
    namespace: str = "kube-system"
    """The namespace of the registry's ConfigMaps."""
    signing_seed_file: Path = Path("/etc/routecast/signing.seed")
    """The file with the Ed25519 seed that snapshots are signed with: 32 bytes in base64, mode 0600."""
    quiet_delay_s: float = Field(default=0.1, gt=0, le=60)
    """A change during a burst is published when nothing changed for this long, in s."""
    max_delay_s: float = Field(default=1.0, gt=0, le=60)
    """A change is never held back longer than this, in s; one that follows a pause of this length goes out at once."""
    reconcile_every_s: int = Field(default=3600, ge=1, le=7 * 24 * 3600)
    """How often the whole snapshot is published again, in s; jittered by a tenth."""
    relist_every_s: float = Field(default=300.0, gt=0, le=3600)
    """How often the source is listed even when no change was heard of, in s: a net below the watch."""
    keep_every_s: float = Field(default=30.0, gt=0, le=600)
    """How often streams and durable consumers are checked, and made again when missing, in s."""
    replicas: int = Field(default=1, ge=1, le=5)
    """How many servers of a NATS cluster keep each stream: 1, or 3 on a cluster."""
    discover: bool = False
    """Bring the cluster's Services of type LoadBalancer into the registry as they come, change and go."""
    http_host: str = "127.0.0.1"
    """The address that /healthz, /readyz and /metrics listen on."""
    http_port: int = Field(default=9480, ge=0, le=65535)
    """The port that they listen on; 0 takes a free one."""
