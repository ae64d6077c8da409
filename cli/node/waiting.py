"""Let one machine join, and wait until it runs what it should: `routecast node add --wait`."""

import asyncio
import time
from typing import TYPE_CHECKING

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from cli import console
from cli.node.report import Joined
from cli.nodes.report import error_of
from cli.who import who
from common import subjects
from common.ack import NodeAck, State
from common.bus import Bus, connected
from common.streams import read_ack
from publisher.registry.book import open_book
from publisher.trust import claims
from publisher.trust.directory import TrustDirectory
from publisher.trust.joining import Admitter, answer_joins
from publisher.trust.keyring import Keyring

if TYPE_CHECKING:
    from common.settings import Settings
    from common.trust.token import JoinToken

_LOOK_EVERY_S = 0.5
_SPOKEN = (State.APPLIED, State.REJECTED)
"""What needs no more waiting; a node that failed tries again."""


async def wait_for_join(settings: "Settings", keys: Keyring, token: "JoinToken", timeout_s: float) -> Joined:
    """Return how far the machine with a token came within `timeout_s`.

    Its request is answered here too, beside the publishers: one that may not write the registry cannot.

    Raises:
        BusUnavailable: NATS cannot be reached, or the connection was lost.
        ConfigError: the publisher's credentials, which this needs, are not there.

    """
    trust = TrustDirectory(settings.trust.directory, settings.trust.server_directory)
    nats = settings.nats.model_copy(update={"credentials_file": trust.credentials(claims.PUBLISHER)})
    by = await asyncio.to_thread(who)
    async with open_book(settings.publisher) as book, connected(nats, "cli") as bus:
        admitted = asyncio.Event()
        admitter = Admitter(book, keys, by, on_join=lambda _: admitted.set())
        return await bus.until_closed(_wait(bus, admitter, token, admitted, timeout_s))


async def _wait(bus: Bus, admitter: Admitter, token: "JoinToken", admitted: asyncio.Event, timeout_s: float) -> Joined:
    started, seen = time.monotonic(), await read_ack(bus, token.node)
    subject = subjects.join(token.id)
    answering = asyncio.create_task(answer_joins(bus, admitter, subject=subject, queue=token.id), name="join")
    out = console.stderr()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    newest: NodeAck | None = None
    try:
        with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
            task = bar.add_task(f"waiting until {token.node} joins")
            while time.monotonic() - started < timeout_s and not answering.done():
                found = await read_ack(bus, token.node)
                newest = found if found != seen else newest
                if newest is not None and newest.state in _SPOKEN:
                    break
                if admitted.is_set():
                    bar.update(task, description=f"{token.node} joined; waiting for its first answer")
                await asyncio.sleep(min(_LOOK_EVERY_S, timeout_s))
    finally:
        answering.cancel()
        [ended] = await asyncio.gather(answering, return_exceptions=True)
    if isinstance(ended, Exception):
        raise ended
    return Joined(
        joined=admitted.is_set() or newest is not None,
        state=newest.state if newest is not None else None,
        error=error_of(newest) if newest is not None else None,
        took_s=round(time.monotonic() - started, 3),
    )
