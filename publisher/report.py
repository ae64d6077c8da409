"""Say on ``registry.status.<instance>`` what this publisher sees: when it differs, and every minute."""

import asyncio
import contextlib
import secrets
import socket

import orjson

from common import subjects
from common.bus import Bus, translated
from common.clock import now
from common.status import EVERY_S, PublisherStatus
from common.version import VERSION
from publisher.overwritten import OverwrittenEdits
from publisher.pipeline.controller import Controller
from publisher.pipeline.store import Store

_MAX_PROBLEMS = 500
"""More than anybody reads, and far from the server's limit for a message."""


class StatusReport:
    """This process's status, and its way to the bus."""

    def __init__(self, controller: Controller, store: Store, overwritten: OverwrittenEdits) -> None:
        self._controller = controller
        self._store = store
        self._overwritten = overwritten
        self._instance = f"{socket.gethostname().split('.')[0].lower()}-{secrets.token_hex(4)}"
        self._started_at = now()
        self._look = asyncio.Event()

    def changed(self) -> None:
        """Have the status compared with what was sent last."""
        self._look.set()

    def status(self) -> PublisherStatus:
        """Return what this publisher sees now."""
        newest = self._controller.newest
        return PublisherStatus(
            instance=self._instance,
            host=socket.gethostname(),
            agent_version=VERSION,
            started_at=self._started_at,
            at=now(),
            epoch=newest.epoch if newest is not None else None,
            version=newest.version if newest is not None else None,
            digest=newest.digest if newest is not None else None,
            sources=self._store.statuses(),
            problems=(*self._controller.problems, *self._overwritten.problems)[:_MAX_PROBLEMS],
            waiting_for=self._controller.waiting_for,
        )

    async def withdraw(self, bus: Bus) -> None:
        """Take this process's status off the bus, as it ends; one that was killed is forgotten by its age."""
        with translated("withdrawing the status", bus):
            await bus.js.purge_stream(subjects.STATUS, subject=subjects.status(self._instance))

    async def send_for_ever(self, bus: Bus) -> None:
        """Send the status when it differs, and every minute, for as long as the connection lasts.

        Raises:
            BusUnavailable: the connection is gone.

        """
        sent: PublisherStatus | None = None
        while True:
            self._look.clear()
            status = self.status()
            if sent is None or status != sent.model_copy(update={"at": status.at}) or _is_old(sent, status):
                body = orjson.dumps(status.model_dump(mode="json", by_alias=True))
                with translated("sending the status", bus):
                    await bus.js.publish(subjects.status(self._instance), body, stream=subjects.STATUS)
                sent = status
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S):
                    await self._look.wait()


def _is_old(sent: PublisherStatus, status: PublisherStatus) -> bool:
    return (status.at - sent.at).total_seconds() >= EVERY_S - 1
