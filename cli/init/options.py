"""The options of `routecast init` that concern the keys."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class TrustOptions:
    """How the keys are to be made, and whether."""

    hosts: tuple[str, ...]
    """Names and addresses of the NATS server."""
    certificate: Path | None
    key: Path | None
    authority: Path | None
    registry_only: bool


def trust_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options; the command gets them as one `TrustOptions`, called `trust`."""

    @wraps(command)
    def packed(*args: Any, **kwargs: Any) -> None:
        given = {field.name: kwargs.pop(field.name) for field in fields(TrustOptions)}
        if (given["certificate"] is None) is not (given["key"] is None):
            raise click.UsageError("--tls-certificate and --tls-key belong together")
        command(*args, trust=TrustOptions(**given), **kwargs)

    decorated: Callable[..., None] = packed
    for add in (_REGISTRY_ONLY, _AUTHORITY, _KEY, _CERTIFICATE, _HOSTS):
        decorated = add(decorated)
    return decorated


_HOSTS = click.option(
    "--nats-host", "hosts", multiple=True, help="A name or address of the NATS server; may be given several times."
)
_CERTIFICATE = click.option(
    "--tls-certificate",
    "certificate",
    type=_FILE,
    help="The NATS server's certificate, when you bring your own.",
)
_KEY = click.option("--tls-key", "key", type=_FILE, help="Its private key.")
_AUTHORITY = click.option(
    "--tls-authority",
    "authority",
    type=_FILE,
    help="Who signed it, unless every system trusts that one anyway.",
)
_REGISTRY_ONLY = click.option(
    "--registry-only", is_flag=True, help="Make no keys: NATS then takes everybody, as is right on loopback alone."
)
