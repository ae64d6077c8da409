"""What a join token is made of: the control plane's keys, and what every machine that joins is told."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.newest import key_of, read_newest_untrusted
from cli.registry import READ_LIMIT_S
from common.bus import connected
from common.errors import ConfigError, RoutecastError, SourceUnavailable
from common.models import Registry, Role
from common.settings.nats import Tls
from publisher.pipeline.build import installation_of
from publisher.pipeline.parse import parse
from publisher.registry.book import open_book
from publisher.signing_files import SeedFiles
from publisher.source.open import open_source
from publisher.trust.admission import Terms, zones_for
from publisher.trust.directory import TrustDirectory
from publisher.trust.keyring import FILE, Keyring
from publisher.trust.record import TrustRecord

if TYPE_CHECKING:
    from common.settings import Settings
    from common.snapshot import Snapshot

_PORT = 4222


@dataclass(frozen=True, slots=True)
class JoinTerms:
    """Everything that a join token needs besides its own secrets."""

    keys: Keyring
    terms: Terms
    registry: Registry
    revoked: Collection[str]
    """Keys that are no longer good."""

    def zones(self, role: Role) -> tuple[str, ...]:
        """Return what a node's policy begins with."""
        return zones_for(role, self.registry)


def why_no_keys(settings: "Settings") -> str | None:
    """Return why there can be no join token on this machine, None when there can: an error is one of the keys' own."""
    directory = settings.trust.directory
    try:
        (directory / FILE).stat()
    except FileNotFoundError:
        return (
            f"no join token: there are no keys in {directory} (trust.directory). On the control plane "
            "`sudo routecast init` makes them; without any, NATS takes everybody, and nodes need no token"
        )
    except OSError:
        return None
    return None


async def read_terms(settings: "Settings") -> JoinTerms:
    """Return what a join token is made of.

    Raises:
        ConfigError: the keys cannot be read, or it is not known where NATS is, or whom nodes shall believe.
        SourceUnavailable: the registry cannot be read.

    """
    trust = TrustDirectory(settings.trust.directory, settings.trust.server_directory)
    keys = await asyncio.to_thread(Keyring.read, trust.path)
    authority = await asyncio.to_thread(_read_authority, trust)
    try:
        async with asyncio.timeout(READ_LIMIT_S):
            async with open_source(settings.publisher) as source:
                state = await source.read_state()
                registry = parse(await source.list(), None).registry
            async with open_book(settings.publisher) as book:
                revoked = TrustRecord.read(await book.read_trust()).revoked
    except TimeoutError as e:
        raise SourceUnavailable(f"the registry could not be read within {READ_LIMIT_S:g} s") from e
    public_keys, newest = await _public_keys(settings)
    if state is not None:
        installation = state.installation
    else:
        installation = newest.installation if newest is not None else installation_of(public_keys[0])
    url = _join_url(settings, registry)
    return JoinTerms(
        keys, Terms(url, settings.trust.join_tls, authority, installation, public_keys), registry, revoked.keys()
    )


def _join_url(settings: "Settings", registry: Registry) -> str:
    """Return where NATS is, as nodes reach it.

    Raises:
        ConfigError: nobody has said it.

    """
    if settings.trust.join_url is not None:
        return str(settings.trust.join_url)
    address = registry.cluster.control_plane_ip
    if address is None:
        raise ConfigError(
            "a machine that joins must be told where NATS is: set trust.join_url, "
            "or the control plane's address with `routecast init --control-plane-ip ADDRESS`; --no-token does without"
        )
    scheme = "nats" if settings.trust.join_tls is Tls.TAILNET else "tls"
    return f"{scheme}://{f'[{address}]' if ':' in address else address}:{_PORT}"


def _read_authority(trust: TrustDirectory) -> str | None:
    """Return the certificate authority of ours, None when the server's certificate is of one that systems trust."""
    try:
        return trust.authority.read_text("ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"the certificate authority {trust.authority} cannot be read: {e}") from e


async def _public_keys(settings: "Settings") -> "tuple[tuple[str, ...], Snapshot | None]":
    """Return what snapshots are signed with, and soon will be: by the seeds on this machine, else by the newest one.

    Raises:
        ConfigError: neither is there.

    """
    try:
        keys = await asyncio.to_thread(SeedFiles(settings.publisher.signing_seed_file).read)
    except ConfigError as no_seed:
        try:
            async with connected(settings.nats, "cli") as bus:
                newest = await read_newest_untrusted(bus)
        except RoutecastError as e:
            raise ConfigError(f"whom nodes shall believe is not known: {no_seed}; and {e}") from e
        key = key_of(newest.stored.sealed) if newest is not None and newest.fault is None else None
        if newest is None or key is None:
            raise ConfigError(
                f"whom nodes shall believe is not known: {no_seed}; and nothing was published yet"
            ) from None
        return (key,), newest.snapshot
    return (keys.current, *((keys.next,) if keys.next is not None else ())), None
