"""Answer machines that want to join, on ``registry.join.<id>``: check the token, write the key, return credentials.

The write of the key, under the optimistic lock, is the one use of a token: of two who race exactly one wins.
"""

import asyncio
from collections.abc import Callable

from common import log, subjects
from common.bus import Bus, translated
from common.clock import now
from common.errors import AccessDenied, ConfigError, EditRefused, RoutecastError, SourceUnavailable
from common.trust.joining import JoinReply, JoinRequest
from publisher.pipeline.parse.text import cleaned
from publisher.registry.book import Book
from publisher.registry.draft import Draft
from publisher.registry.editor import Editor
from publisher.registry.joining import Asked, admit_node, rejoin_command
from publisher.registry.lookup import NodeItem
from publisher.trust import claims
from publisher.trust.keyring import Keyring
from publisher.trust.record import Admission, TrustRecord

_log = log.get(__name__)

NO_RIGHT = (
    "this publisher may not write the nodes' keys into the registry: it needs the kustomize component join "
    "(deploy/kubernetes/components/join), or run `routecast node add ROLE NAME ADDRESS --wait` on the control plane, "
    "which answers itself"
)
AT_A_TIME = 4
"""So many requests are worked on at once; a flood waits, and then is dropped."""
_WAITING = 64
"""So many wait, in messages."""
_LIMIT_S = 30.0
"""How long the source may take to admit one."""
_DEFERENCE_S = 1.5
"""How long a publisher without the right waits before it says so: a `node add --wait` that has it answers meanwhile."""


class Admitter:
    """Lets machines join one registry. `by` stands in the record of edits."""

    def __init__(self, book: Book, keys: Keyring, by: str, on_join: Callable[[str], None] = lambda _: None) -> None:
        self._book = book
        self._keys = keys
        self._by = by
        self._on_join = on_join

    async def answer(self, token_id: str, body: bytes) -> JoinReply:
        """Return the answer to a request that came on the subject of a token.

        Raises:
            AccessDenied: we may not write the registry; somebody else may.

        """
        request = JoinRequest.from_body(body)
        if request is None:
            return JoinReply(ok=False, error="this is no request to join; is the node's routecast an older version?")
        host = cleaned(request.host)
        try:
            async with asyncio.timeout(_LIMIT_S):
                name, jwt = await self._admit(Asked(token_id, request.key, request.secret.get_secret_value()))
        except AccessDenied:
            raise
        except RoutecastError as e:
            _log.warning("a machine was not let in", token=cleaned(token_id), host=host, error=str(e))
            return JoinReply(ok=False, error=str(e), again=not isinstance(e, EditRefused))
        except TimeoutError:
            return JoinReply(ok=False, error="the registry could not be written in time; try again", again=True)
        _log.info("a machine joined", node=name, host=host, key=request.key, agent=cleaned(request.agent))
        self._on_join(name)
        return JoinReply(ok=True, jwt=jwt)

    async def _admit(self, asked: Asked) -> tuple[str, str]:
        """Return the name of the node that the asking machine is from now on, and the token with which it is that.

        Raises:
            EditRefused: its token is not good.
            RoutecastError: it could not be written.

        """
        record = TrustRecord.read(await self._book.read_trust())
        if asked.key in record.revoked:
            raise EditRefused("this key was revoked, and is never good again; run the join once more for a new one")
        if record.used(asked.id, asked.key):
            raise EditRefused("this join token was used already; have a new one made with `routecast node add`")
        at = now()
        found: list[NodeItem] = []

        def edit(draft: Draft) -> None:
            found[:] = [admit_node(draft, asked, at)]

        await Editor(self._book, self._by, rejoin_command(await self._book.list(), asked.id)).apply(edit)
        [node] = found
        await self._remember(node, asked)
        return node.name, claims.node_user(self._keys, node.name, asked.key, at)

    async def _remember(self, node: NodeItem, asked: Asked) -> None:
        """Note that the key is let in before its owner hears of it: nobody could revoke what nobody knows of.

        Raises:
            ConfigError: it could not be noted; the token is used up by now.

        """
        registered = node.entry.get("registered")
        admission = Admission(
            node=node.name,
            registered=registered if isinstance(registered, str) else "",
            join=asked.id,
            since=now(),
        )
        try:
            await self._book.write_trust(lambda text: TrustRecord.read(text).admitting(asked.key, admission).text)
        except (SourceUnavailable, AccessDenied) as e:
            raise ConfigError(f"the key of {node.name} could not be kept ({e}); run the join again") from e


async def answer_joins(
    bus: Bus, admitter: Admitter, *, subject: str = subjects.JOIN_ALL, queue: str = subjects.CONTROL_QUEUE
) -> None:
    """Serve requests for as long as the connection lasts; of all who serve in one `queue` one gets each.

    Raises:
        BusUnavailable: the connection is gone.

    """
    with translated("listening for machines that join", bus):
        subscription = await bus.nc.subscribe(subject, queue=queue, pending_msgs_limit=_WAITING)
        free = asyncio.Semaphore(AT_A_TIME)
        async with asyncio.TaskGroup() as answers:
            async for message in subscription.messages:
                await free.acquire()
                task = answers.create_task(
                    _answer(bus, admitter, message.subject, message.data, message.reply), name="join request"
                )
                task.add_done_callback(lambda _: free.release())


async def _answer(bus: Bus, admitter: Admitter, subject: str, body: bytes, reply_to: str) -> None:
    try:
        reply = await admitter.answer(subject.rpartition(".")[2], body)
    except AccessDenied as e:
        _log.error("a machine could not be let in", error=str(e))
        await asyncio.sleep(_DEFERENCE_S)
        reply = JoinReply(ok=False, error=NO_RIGHT)
    if reply_to:
        with translated("answering a machine that joins", bus):
            await bus.nc.publish(reply_to, reply.model_dump_json(exclude_none=True).encode())
