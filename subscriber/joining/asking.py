"""Ask the control plane to be let in, with a join token, and judge its answer. Keeps nothing."""

import asyncio
import socket
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NoReturn

import nats.errors
from pydantic import ValidationError
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random_exponential

from common import subjects
from common.bus import NODES_JETSTREAM, connected, translated
from common.errors import AccessDenied, BusUnavailable, ConfigError, EditRefused
from common.settings.nats import NatsSettings
from common.tls import NotTrusted
from common.trust.credentials import Credentials, write_credentials
from common.trust.joining import JoinReply, JoinRequest
from common.trust.nkeys import KeyPair
from common.trust.token import JoinToken
from common.version import VERSION

AGAIN_S = 5.0
"""For how long it is tried again when NATS, or a publisher, is not there."""
ANSWER_S = 35.0
"""How long one answer may take: the publisher gives its source 30 s."""


class Unanswered(BusUnavailable):
    """Raise when the control plane was asked and no answer came: it may have let the key in."""


async def ask_to_join(token: JoinToken, key: KeyPair) -> Credentials:
    """Return the credentials with which `key` is the node of the token.

    Raises:
        EditRefused: the control plane does not let it in, or the answer is not what was asked for.
        Unanswered: no answer came; the same may be asked again with the same key.
        BusUnavailable: NATS cannot be reached, or no publisher answers: nothing was asked.
        ConfigError: the token's NATS server cannot be used.

    """
    request = JoinRequest(secret=token.secret, key=key.public, host=socket.gethostname()[:255], agent=VERSION)
    reply = await _ask(token, request.model_dump_json().encode())
    if not reply.ok or reply.jwt is None:
        raise EditRefused(f"the control plane does not let this machine in: {reply.error or 'it does not say why'}")
    return judge(reply.jwt, token, key)


def judge(jwt: str, token: JoinToken, key: KeyPair) -> Credentials:
    """Return the credentials that a token of NATS and our key make, if they are those of the node. Pure.

    Raises:
        EditRefused: they are not.

    """
    wrong = "the answer of the control plane is not what the join token promises"
    try:
        found = Credentials.of(jwt, key.seed)
    except ConfigError as e:
        raise EditRefused(f"{wrong}: {e}") from e
    if found.name != token.node:
        raise EditRefused(f"{wrong}: it is for {found.name!r}, not for {token.node!r}")
    if found.account != token.issuer:
        raise EditRefused(f"{wrong}: it is of the account {found.account}, not of {token.issuer}")
    return found


async def _ask(token: JoinToken, body: bytes) -> JoinReply:
    """Send a request until it is answered; when an earlier one was sent and not answered, all that follows tells so."""
    unanswered: Unanswered | None = None
    async for attempt in AsyncRetrying(
        retry=retry_if_exception(lambda e: isinstance(e, BusUnavailable) and not isinstance(e, NotTrusted)),
        wait=wait_random_exponential(multiplier=0.2, max=2),
        stop=stop_after_delay(AGAIN_S),
        reraise=True,
    ):
        with attempt:
            try:
                reply = await _ask_once(token, body)
            except Unanswered as e:
                unanswered = e
                raise
            except (BusUnavailable, EditRefused) as e:
                if unanswered is not None:
                    raise Unanswered(f"{unanswered}; then: {e}") from e
                raise
    return reply


async def _ask_once(token: JoinToken, body: bytes) -> JoinReply:
    async with AsyncExitStack() as stack:
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="routecast-join-")
        stack.push_async_callback(asyncio.to_thread, folder.cleanup)
        settings = await asyncio.to_thread(_settings, token, Path(folder.name))
        try:
            bus = await stack.enter_async_context(connected(settings, "join", jetstream_prefix=NODES_JETSTREAM))
        except AccessDenied as e:
            raise EditRefused(
                f"NATS at {token.url} does not let the join token in: it has expired, or is another control plane's; "
                "have a new one made there with `routecast node add`"
            ) from e
        try:
            with translated("asking the control plane to join", bus):
                request = bus.nc.request(subjects.join(token.id), body, timeout=ANSWER_S)
                answer = await bus.until_closed(request)
        except BusUnavailable as e:
            _plainly(e, token)
        try:
            reply = JoinReply.model_validate_json(answer.data)
        except ValidationError as e:
            raise Unanswered("the control plane's answer cannot be read; is it a newer version?") from e
        if reply.again and not reply.ok:
            raise Unanswered(f"the control plane could not let this machine in now: {reply.error}")
        return reply


def _plainly(error: BusUnavailable, token: JoinToken) -> NoReturn:
    if isinstance(error.__cause__, nats.errors.NoRespondersError):
        raise BusUnavailable(
            f"nobody answers at {token.url}: no publisher is running, or it lets no machine join; "
            "see `routecast doctor` on the control plane"
        ) from error
    raise Unanswered(str(error)) from error


def _settings(token: JoinToken, folder: Path) -> NatsSettings:
    """Return how the token's NATS server is reached. What a connection reads from files is put into `folder`.

    Raises:
        ConfigError: the token's values are of no use.

    """
    jwt, seed = token.jwt.get_secret_value(), token.seed.get_secret_value()
    write_credentials(folder / "join.creds", Credentials.of(jwt, seed))
    authority = folder / "ca.crt" if token.authority is not None else None
    if authority is not None and token.authority is not None:
        authority.write_text(token.authority)
    values = {"url": token.url, "tls": token.tls, "ca_file": authority, "credentials_file": folder / "join.creds"}
    try:
        return NatsSettings.model_validate(values)
    except ValidationError as e:
        raise ConfigError(f"the join token names no NATS server that can be used: {token.url!r}, {token.tls!r}") from e
