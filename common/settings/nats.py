"""The ``[nats]`` section."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, UrlConstraints
from pydantic_core import Url

from common.settings.section import Section

NatsUrl = Annotated[Url, UrlConstraints(allowed_schemes=["nats", "tls"], host_required=True, default_port=4222)]

CREDENTIAL = "nats.creds"
"""The name under which the systemd units load the credentials (``LoadCredential=``)."""


class Tls(StrEnum):
    """Where a connection may do without TLS."""

    REQUIRED = "required"
    """On this machine's loopback alone."""
    TAILNET = "tailnet"
    """Also to an address of the tailnet, which encrypts by itself."""


def credential_of_systemd() -> Path | None:
    """Return the credentials that systemd has loaded for this service, None when it has loaded none."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    file = Path(directory, CREDENTIAL) if directory else None
    return file if file is not None and file.exists() else None


class NatsSettings(Section):
    """How to reach the NATS server, and who we are there."""

    url: NatsUrl = Url("nats://127.0.0.1:4222")
    """The server, as `nats://HOST:PORT`, or `tls://HOST:PORT` for TLS wherever it is."""
    tls: Tls = Tls.REQUIRED
    """Where TLS is used: `required`, everywhere but to this machine's loopback; `tailnet`, also not on a tailnet.
    That is an address, not a name, in 100.64.0.0/10 or fd7a:115c:a1e0::/48. With `tls://` in the URL, or with a
    `ca_file`, there is always TLS."""
    ca_file: Path | None = None
    """The authority, in PEM, that the server's certificate must be of. Unset: one of those that the system trusts."""
    credentials_file: Path | None = Field(default_factory=credential_of_systemd)
    """The NATS credentials of this machine, mode 0600. Unset: what systemd has loaded as `nats.creds`, else none."""
    connect_timeout_s: float = Field(default=3.0, gt=0, le=60)
    """How long one attempt to connect may take, in s."""
    request_timeout_s: float = Field(default=5.0, gt=0, le=60)
    """How long one request to JetStream may take, in s."""
    reconnect_max_s: float = Field(default=5.0, gt=0, le=300)
    """The longest pause between two attempts to connect, in s. Pauses grow up to it and are jittered."""

    @property
    def host(self) -> str:
        """The server's name or address, an IPv6 one without brackets."""
        return str(self.url.host).removeprefix("[").removesuffix("]")

    @property
    def port(self) -> int:
        """The server's port."""
        return self.url.port or 4222
