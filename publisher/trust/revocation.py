"""Keep out the keys of nodes that left the registry, or that have another key by now.

What decides is the registry's nodes, when they can be read: unreadable is never empty. Who was let in is remembered
(`publisher.trust.record`), so that nobody is forgotten who left while no publisher ran; the NATS server is told after
each change, after each connect, and every minute: one whose store was wiped knows nobody that is to be kept out.
"""

import asyncio
import contextlib

from common import log
from common.bus import Bus
from common.clock import now
from common.errors import BusUnavailable, RoutecastError
from common.reconnect import keep_connected
from common.settings.nats import NatsSettings
from publisher.registry.book import Book
from publisher.registry.node_keys import node_keys
from publisher.trust.keyring import Keyring
from publisher.trust.nodes_account import NodesAccount
from publisher.trust.record import TrustRecord

_log = log.get(__name__)

EVERY_S = 60.0
"""How often the server is compared with what it should know."""
FAREWELL_S = 3.0
"""How long a node that was just removed may still read: it learns of it, and withdraws what it wrote."""
_SETTLE_S = 0.1
_RETRY_S = 5.0
"""How soon a look that failed is repeated."""


class Revocation:
    """Who is kept out, as of the last look. `nats` are the settings of a connection to the system account."""

    def __init__(self, book: Book, keys: Keyring, nats: NatsSettings) -> None:
        self._book = book
        self._keys = keys
        self._nats = nats
        self._look = asyncio.Event()
        self._record: TrustRecord | None = None
        self._said: str | None = None
        self.gone: frozenset[str] = frozenset()
        """The names of the nodes that are kept out and not registered: nothing of theirs is needed any more."""
        self.told = asyncio.Event()
        """Set whenever the server was told of somebody."""

    def changed(self) -> None:
        """Have the registry looked at."""
        self._look.set()

    async def run(self) -> None:
        """Look after each change and from time to time, over one connection after the other, until cancelled."""
        await keep_connected(self._nats, "publisher-trust", self._on_connection)

    async def _on_connection(self, bus: Bus) -> None:
        account = NodesAccount(bus, self._keys)
        while True:
            self._look.clear()
            pause = EVERY_S if await self._look_once(bus, account) else _RETRY_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._look.wait()
                    await asyncio.sleep(_SETTLE_S)

    async def _look_once(self, bus: Bus, account: NodesAccount) -> bool:
        """Bring the record and the server up to date; tell whether both are."""
        well, known = True, self._record
        try:
            await self._review()
        except RoutecastError as e:
            self._say(f"the nodes' keys cannot be looked at: {e}")
            well = False
        if self._record is None:
            return False
        if known is not None and self._record.revoked.keys() - known.revoked.keys():
            await asyncio.sleep(FAREWELL_S)
        try:
            if await account.keep_out(self._record.revoked):
                self.told.set()
        except BusUnavailable as e:
            if bus.closed.is_set():
                raise
            self._say(f"the NATS server was not told who is to be kept out: {e}")
            return False
        if well:
            self._said = None
        return well

    async def _review(self) -> None:
        """Compare the record with the registry, and keep what follows.

        The record is read first: of a node that joins in between the registry says more than it, never less. What is
        written is joined with what others wrote meanwhile.

        Raises:
            RoutecastError: one of them cannot be read or written now, or the record is damaged.

        """
        record = TrustRecord.read(await self._book.read_trust())
        self._record = record if self._record is None else self._record.joined(record)
        present = node_keys(await self._book.list())
        if present is None:
            return
        before, reviewed = self._record, self._record.reviewed(present, now())
        self._record, self.gone = reviewed, reviewed.gone(present)  # counts also when it cannot be kept
        for key in reviewed.revoked.keys() - before.revoked.keys():
            _log.warning("a node's key is revoked", node=reviewed.keys[key].node, key=key)
        if reviewed != record:
            await self._book.write_trust(lambda text: TrustRecord.read(text).joined(reviewed).text)

    def _say(self, why: str) -> None:
        """Log what is wrong, once for as long as it stays the same."""
        if why != self._said:
            self._said = why
            _log.error("revocation waits", error=why)
