"""The second half of `routecast init`: keys, certificates, and what the NATS server needs to know them."""

import base64
import os
import shlex
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from cli.extras import publisher_extra
from cli.init.options import TrustOptions
from common.clock import now
from common.errors import ConfigError
from common.files import write_atomic
from common.signing import read_seed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from common.settings import Settings

_IN_CLUSTER = ("nats", "nats.routecast", "nats.routecast.svc", "nats.routecast.svc.cluster.local")
_HERE = ("localhost", "127.0.0.1", "::1")
_POD = ("nats-keys.json", "publisher.creds", "operator.creds", "system.creds", "ca.crt")


def make_trust(settings: "Settings", options: TrustOptions, address: str | None) -> list[Path]:
    """Make what is missing of the control plane's keys and of the NATS server's files; return what was made.

    The server is reached under the control plane's `address`, under those of `options`, and as it is called in the
    cluster. A second run makes nothing.

    Raises:
        ConfigError: something cannot be written, is damaged, or the certificate that was brought cannot be used.

    """
    with publisher_extra():
        from publisher.trust.directory import Brought, TrustDirectory  # noqa: PLC0415 - the publisher's side, only here
    trust = TrustDirectory(settings.trust.directory, settings.trust.server_directory)
    brought = None
    if options.certificate is not None and options.key is not None:
        brought = Brought(options.certificate, options.key, options.authority)
    reached = (*options.hosts, *([address] if address is not None else ()))
    hosts = tuple(dict.fromkeys((*_HERE, *_IN_CLUSTER, socket.gethostname(), *reached)))
    accounts = settings.trust.accounts_directory
    try:
        made = trust.make(hosts, now(), accounts=accounts, brought=brought)
        return [*made, *_make_seed(settings.publisher.signing_seed_file)]
    except OSError as e:
        raise ConfigError(
            f"{e.filename or trust.path} cannot be written ({e.strerror}): run as root, or name folders of yours in "
            "the settings ([trust] directory, server_directory; [publisher] signing_seed_file); "
            "--registry-only makes no keys"
        ) from e


def _make_seed(file: Path) -> list[Path]:
    """Make the signing seed where there is none."""
    if file.exists():
        read_seed(file)
        return []
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(file, base64.b64encode(os.urandom(32)) + b"\n", mode=0o600)
    return [file]


def next_steps(settings: "Settings", made: "Sequence[Path]") -> list[str]:
    """Return the lines that say what was made, and what to start with it."""
    if not made:
        return [f"keys and certificates: unchanged, in {settings.trust.directory}"]
    server, trust = settings.trust.server_directory, settings.trust.directory
    seed = settings.publisher.signing_seed_file
    files = {"signing.seed": seed, **{name: trust / name for name in _POD if (trust / name).exists()}}
    from_files = " ".join(f"--from-file={shlex.quote(f'{name}={file}')}" for name, file in files.items())
    return [
        *(f"made {file}" for file in made),
        f"Keep a copy of {trust} and of {seed} somewhere safe: nobody can make them again.",
        "Start NATS with it, on this machine:",
        f"  NATS_ACCESS={server} docker-compose up -d",
        "or in the cluster:",
        f"  kubectl -n routecast create secret generic routecast-nats --from-file={server}",
        f"  kubectl -n routecast create secret generic routecast-trust {from_files}",
        "For the commands on this machine, in its settings (/etc/routecast/routecast.toml):",
        "  [nats]",
        f'  credentials_file = "{trust / "operator.creds"}"',
        *([f'  ca_file = "{trust / "ca.crt"}"'] if (trust / "ca.crt").exists() else []),
    ]
