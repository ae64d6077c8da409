"""The ``[trust]`` section."""

from pathlib import Path

from common.settings.nats import NatsUrl, Tls
from common.settings.section import Section


class TrustSettings(Section):
    """The control plane's keys, and what machines that join are told. Of no use on a node."""

    directory: Path = Path("/etc/routecast/trust")
    """Where the control plane keeps the keys that say who may connect to NATS; `routecast init` makes it."""
    server_directory: Path = Path("/etc/routecast/nats")
    """Where `routecast init` puts what the NATS server needs: `access.conf`, certificate and key."""
    accounts_directory: Path = Path("/data/jwt")
    """Where the NATS server keeps what it is told of its accounts, as that server sees it; it must be able to write."""
    join_url: NatsUrl | None = None
    """The NATS server as nodes reach it, for join tokens. Unset: port 4222 of the control plane's address."""
    join_tls: Tls = Tls.REQUIRED
    """The `nats.tls` of machines that join."""
