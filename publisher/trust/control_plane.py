"""The control plane's keys in a running publisher: who may join, and who is kept out."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tenacity import AsyncRetrying, retry_if_exception_type, wait_random_exponential

from common import log
from common.bus import Bus
from common.errors import AccessDenied, ConfigError, SourceUnavailable
from common.settings import Settings
from common.settings.nats import NatsSettings
from publisher.pipeline.keeper import Keeper
from publisher.registry.book import Book
from publisher.source.document import SYNC_CONTROLLER_REGISTRY
from publisher.trust import claims
from publisher.trust.directory import TrustDirectory
from publisher.trust.joining import NO_RIGHT, Admitter, answer_joins
from publisher.trust.keyring import Keyring
from publisher.trust.revocation import Revocation
from publisher.trust.sweeping import sweep_for_ever

_log = log.get(__name__)


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """What lets nodes join, and keeps others out."""

    book: Book
    admitter: Admitter
    revocation: Revocation

    @classmethod
    def of(cls, book: Book, keys: Keyring, nats: NatsSettings, by: str) -> Self:
        """Return it for a registry; `nats` are the settings of a connection to the system account."""
        return cls(book, Admitter(book, keys, by), Revocation(book, keys, nats))

    async def run(self) -> None:
        """Keep out who is to be kept out, until cancelled; say once whether machines can join."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.revocation.run(), name="revocation")
            tasks.create_task(_say_whether_joining_works(self.book), name="right to let nodes join")

    async def on_connection(self, bus: Bus, keeper: Keeper) -> None:
        """Let machines join, and clean up after nodes, for as long as the publisher's connection lasts.

        Raises:
            BusUnavailable: it is gone.

        """
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(answer_joins(bus, self.admitter), name="joins")
            tasks.create_task(sweep_for_ever(bus, keeper, self.revocation), name="sweep")


def with_own_credentials(settings: Settings) -> Settings:
    """Return the settings of a publisher: `nats.credentials_file` names an operator's, for commands that people type.

    The publisher's own lie in the trust directory. There may be the authority too, where the one of the settings cannot
    be read by who a publisher runs as. Where NATS is used without credentials it stays so. Blocking.
    """
    trust = TrustDirectory(settings.trust.directory, settings.trust.server_directory)
    own = trust.credentials(claims.PUBLISHER)
    if settings.nats.credentials_file is None or not os.access(own, os.R_OK):
        return settings
    nats: dict[str, Path] = {"credentials_file": own}
    if settings.nats.ca_file is not None and os.access(trust.authority, os.R_OK):
        nats["ca_file"] = trust.authority
    return settings.model_copy(update={"nats": settings.nats.model_copy(update=nats)})


async def open_control_plane(settings: Settings, book: Book, by: str) -> ControlPlane | None:
    """Return what the settings' keys allow; None, and a line in the log, when there are none or NATS needs none."""
    folder = settings.trust.directory
    if settings.nats.credentials_file is None:
        _log.info("nobody joins or is kept out: NATS is used without credentials (nats.credentials_file)")
        return None
    directory = TrustDirectory(folder, settings.trust.server_directory)
    try:
        keys = await asyncio.to_thread(Keyring.read, folder)
    except ConfigError as e:
        _log.warning("nobody can join, and nobody is kept out, for there are no keys", error=str(e))
        return None
    nats = settings.nats.model_copy(update={"credentials_file": directory.credentials(claims.SYSTEM)})
    return ControlPlane.of(book, keys, nats, by)


async def _say_whether_joining_works(book: Book) -> None:
    """Ask the source once whether a node's key could be written; waits for it to answer."""
    try:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(SourceUnavailable), wait=wait_random_exponential(multiplier=0.5, max=30)
        ):
            with attempt:
                may = await book.may_write(SYNC_CONTROLLER_REGISTRY)
    except AccessDenied:
        return  # said by who reads the registry
    if may:
        _log.info("machines with a token of `routecast node add` can join")
    else:
        _log.warning("machines cannot join by themselves", why=NO_RIGHT)
