"""Letting machines in, on a folder and on a cluster, without a bus."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from common.clock import now
from common.errors import AccessDenied, SourceUnavailable
from common.trust.joining import MAX_BYTES, JoinReply, JoinRequest
from common.trust.jwt import read_claims
from common.trust.nkeys import KeyPair, Owner
from publisher.registry.book import Book, open_book
from publisher.registry.cluster import ClusterBook
from publisher.registry.draft import NODES
from publisher.registry.editor import Editor
from publisher.registry.invitation import JOIN, KEY
from publisher.registry.joining import invite_node
from publisher.source.document import SYNC_CONTROLLER_REGISTRY
from publisher.trust.admission import Ticket, new_ticket
from publisher.trust.joining import Admitter
from publisher.trust.keyring import Keyring
from publisher.trust.record import TrustRecord
from tests.fakes.kubernetes import FakeKubernetes
from tests.publisher.pipeline.parsing import texts
from tests.publisher.registry.editing import value
from tests.publisher.registry.meddling import Meddled
from tests.publisher.source.worlds import FakeCluster, World

KEYRING = Keyring.new()


def _request(ticket: Ticket, key: str, secret: str | None = None) -> bytes:
    return JoinRequest(secret=SecretStr(secret or ticket.secret), key=key, host="h").model_dump_json().encode()


async def _registry(world: World) -> None:
    for name, data in texts().items():
        await world.put(name, data or {})


async def _invited(book: Book, *, rejoin: bool = False) -> Ticket:
    ticket = new_ticket(now())

    def edit(draft: Any) -> None:
        invite_node(draft, "laptop", ticket.invitation, rejoin=rejoin)

    await Editor(book, "me", "x").apply(edit)
    return ticket


async def _laptop(book: Book) -> dict[str, Any]:
    found: dict[str, Any] = value(await book.list(), NODES)["management_laptops"][0]
    return found


def _key() -> str:
    return KeyPair.new(Owner.USER).public


async def test_a_machine_is_let_in(world: World, book: Book) -> None:
    """The registry has its key, the record knows it, and nothing that is kept holds a secret."""
    await _registry(world)
    ticket, key = await _invited(book), _key()
    reply = await Admitter(book, KEYRING, "the publisher").answer(ticket.invitation.id, _request(ticket, key))
    assert reply.jwt is not None, reply.error
    claims = read_claims(reply.jwt)
    assert (claims["sub"], claims["name"], claims["iss"]) == (key, "laptop", KEYRING.node_scope.public)
    entry = await _laptop(book)
    assert entry[KEY] == key
    assert JOIN not in entry
    record = await book.read_record()
    assert record is not None
    assert orjson.loads(record)[-1]["command"].endswith("node add laptop laptop 100.86.112.112 --rejoin")
    for secret in (ticket.secret, ticket.invitation.secret_sha256, ticket.pair.seed):
        assert secret not in record
        assert secret not in str(await book.read_trust())
        assert secret not in repr(ticket)
    admitted = TrustRecord.read(await book.read_trust()).keys[key]
    assert (admitted.node, admitted.join) == ("laptop", ticket.invitation.id)
    assert reply.jwt not in repr(reply)


async def test_of_many_who_race_one_wins(world: World, book: Book) -> None:
    """Whichever publisher they ask."""
    await _registry(world)
    ticket, keys = await _invited(book), [_key() for _ in range(6)]
    async with open_book(world.settings) as other:
        admitters = [Admitter(each, KEYRING, "x") for each in (book, other)]
        replies = await asyncio.gather(
            *(admitters[i % 2].answer(ticket.invitation.id, _request(ticket, key)) for i, key in enumerate(keys))
        )
    won = [key for key, reply in zip(keys, replies, strict=True) if reply.ok]
    assert won == [(await _laptop(book))[KEY]]


async def test_a_token_stays_used_when_an_old_form_of_the_registry_comes_back(world: World, book: Book) -> None:
    """As a writer without a lock brings one; the machine that used it may still ask again."""
    await _registry(world)
    ticket, key = await _invited(book), _key()
    data = (await book.list())[SYNC_CONTROLLER_REGISTRY].data
    assert data is not None
    admitter = Admitter(book, KEYRING, "x")
    assert (await admitter.answer(ticket.invitation.id, _request(ticket, key))).ok
    await world.put(SYNC_CONTROLLER_REGISTRY, data)
    refused = await admitter.answer(ticket.invitation.id, _request(ticket, _key()))
    assert "used already" in str(refused.error)
    assert (await admitter.answer(ticket.invitation.id, _request(ticket, key))).ok


async def test_a_key_that_was_revoked_is_never_let_in_again(world: World, book: Book) -> None:
    """Also with a good token."""
    await _registry(world)
    key = _key()
    ticket = await _invited(book)
    admitter = Admitter(book, KEYRING, "x")
    assert (await admitter.answer(ticket.invitation.id, _request(ticket, key))).ok
    await book.write_trust(lambda text: TrustRecord.read(text).reviewed([], now()).text)
    again = await _invited(book, rejoin=True)
    assert "revoked" in str((await admitter.answer(again.invitation.id, _request(again, key))).error)
    assert (await admitter.answer(again.invitation.id, _request(again, _key()))).ok


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"",
        lambda _: b"\xff",
        lambda body: body + b" " * MAX_BYTES,
        lambda body: body.replace(b'"U', b'"A'),
        lambda body: orjson.dumps({**orjson.loads(body), "secret": "x" * 129}),
        lambda body: orjson.dumps({**orjson.loads(body), "host": "x" * 256}),
        lambda body: orjson.dumps({**orjson.loads(body), "key": KEYRING.operator.public}),
    ],
)
async def test_what_is_no_request_is_refused_without_a_look(book: Book, change: Callable[[bytes], bytes]) -> None:
    """And nothing of it is repeated, for a secret may be in it."""
    ticket = new_ticket(now())
    body = change(_request(ticket, _key()))
    reply = await Admitter(book, KEYRING, "x").answer(ticket.invitation.id, body)
    assert reply == JoinReply(ok=False, error="this is no request to join; is the node's routecast an older version?")


async def test_an_expired_token_is_refused(world: World, book: Book) -> None:
    """NATS would not let it in either."""
    await _registry(world)
    ticket = new_ticket(now(), timedelta(seconds=-1))

    def edit(draft: Any) -> None:
        invite_node(draft, "laptop", ticket.invitation, rejoin=False)

    await Editor(book, "me", "x").apply(edit)
    reply = await Admitter(book, KEYRING, "x").answer(ticket.invitation.id, _request(ticket, _key()))
    assert "expired at" in str(reply.error)


async def test_a_registry_that_is_away_may_be_back_soon(world: World, book: Book) -> None:
    """The token is not used up."""
    await _registry(world)
    ticket, key = await _invited(book), _key()
    admitter = Admitter(book, KEYRING, "x")
    await world.lose()
    assert not (await admitter.answer(ticket.invitation.id, _request(ticket, key))).ok
    await world.find()
    assert (await admitter.answer(ticket.invitation.id, _request(ticket, key))).ok


async def test_who_cannot_be_remembered_gets_no_credentials_yet(world: World, book: Book) -> None:
    """Nobody could keep it out; the same machine may ask again."""

    class Forgetful(Meddled):
        forgets = True

        async def read_trust(self) -> str | None:
            return await book.read_trust()

        async def write_trust(self, change: Callable[[str | None], str]) -> None:
            if self.forgets:
                raise SourceUnavailable("away")
            await book.write_trust(change)

    await _registry(world)
    ticket, key = await _invited(book), _key()
    forgetful = Forgetful(book)
    admitter = Admitter(forgetful, KEYRING, "x")
    reply = await admitter.answer(ticket.invitation.id, _request(ticket, key))
    assert (reply.ok, reply.jwt) == (False, None)
    assert "run the join again" in str(reply.error)
    forgetful.forgets = False
    assert (await admitter.answer(ticket.invitation.id, _request(ticket, key))).ok


async def test_a_damaged_record_lets_nobody_in(world: World, book: Book) -> None:
    """Who is kept out is not known then; and it is not written over."""
    await _registry(world)
    ticket = await _invited(book)
    await book.write_trust(lambda _: "{")
    reply = await Admitter(book, KEYRING, "x").answer(ticket.invitation.id, _request(ticket, _key()))
    assert "damaged" in str(reply.error)
    assert JOIN in await _laptop(book)
    assert await book.read_trust() == "{"


async def test_without_the_right_somebody_else_must_answer(api: FakeKubernetes, tmp_path: Path) -> None:
    """Which is not said as a refusal: `node add --wait` may have it. The right is found out beforehand, too."""
    cluster = FakeCluster(api, tmp_path / "kubeconfig")
    await _registry(cluster)
    async with open_book(cluster.settings) as book:
        assert isinstance(book, ClusterBook)
        ticket = await _invited(book)
        assert await book.may_write(SYNC_CONTROLLER_REGISTRY)
        api.deny("patch", SYNC_CONTROLLER_REGISTRY)
        assert not await book.may_write(SYNC_CONTROLLER_REGISTRY)
        with pytest.raises(AccessDenied, match=r"components/join/access\.yaml"):
            await Admitter(book, KEYRING, "x").answer(ticket.invitation.id, _request(ticket, _key()))
