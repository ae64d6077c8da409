"""A whole routecast with trust on: operator mode, TLS on loopback, credentials for everybody. Every secret is a test's.

`SecureWorld` is a `World` whose publishers, nodes and bus have credentials; `join` plays a machine with a join token.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import nats.errors
import orjson
from nats.aio.client import Client, RawCredentials
from pydantic import SecretStr

from common import subjects
from common.bus import Bus, connected
from common.clock import now
from common.models import Role
from common.settings import Settings
from common.settings.nats import NatsSettings, Tls
from common.trust.credentials import Credentials
from common.trust.joining import JoinReply, JoinRequest
from common.trust.nkeys import KeyPair, Owner
from common.trust.token import JoinToken
from publisher.process import Publisher
from publisher.registry.book import open_book
from publisher.registry.editor import Editor
from publisher.registry.invitation import KEY
from publisher.registry.joining import invite_node
from publisher.registry.lookup import node_items
from publisher.source.open import open_source
from publisher.trust import claims
from publisher.trust.admission import VALID_FOR, Terms, new_ticket
from publisher.trust.control_plane import open_control_plane
from publisher.trust.directory import TrustDirectory
from publisher.trust.keyring import Keyring
from publisher.trust.server import FILE
from tests.nats import NatsServer
from tests.registries import INSTALLATION, SIGNER
from tests.world import NodeUnderTest, World, _task

HERE = ("localhost", "127.0.0.1")


class SecureServer(NatsServer):
    """A nats-server that speaks TLS first and knows who may connect."""

    def __init__(self, store: Path, trust: TrustDirectory, port: int | None = None) -> None:
        super().__init__(store, "-c", str(trust.server / FILE), port=port)
        self._trusting = ssl.create_default_context(cafile=trust.authority)

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"tls://127.0.0.1:{self.port}"

    async def answers(self) -> bool:
        """Tell whether it greets a client that speaks TLS within a second."""
        try:
            async with asyncio.timeout(1):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self._trusting)
                try:
                    return (await reader.readline()).startswith(b"INFO ")
                finally:
                    writer.close()
        except OSError:
            return False


class SecureNode(NodeUnderTest):
    """A node that has joined: its credentials are in its folder."""

    def __init__(
        self, world: "SecureWorld", name: str, role: Role, settings: Mapping[str, Mapping[str, Any]], file: Path
    ) -> None:
        super().__init__(world, name, role, settings)
        self.settings = self.settings.model_copy(update={"nats": world.nats(file)})


class SecureWorld(World):
    """A nats-server in operator mode with TLS, a registry folder, and the control plane's keys."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.trust = TrustDirectory(folder / "trust", folder / "access")
        self.accounts = folder / "accounts"
        self.trust.make(HERE, now() - timedelta(minutes=1), accounts=self.accounts)
        self.keys = Keyring.read(self.trust.path)
        self.server: SecureServer = SecureServer(folder / "nats", self.trust)

    def nats(self, credentials: Path | str) -> NatsSettings:
        """Return the settings of a connection with credentials: a file, or the name of a user of the control plane."""
        file = credentials if isinstance(credentials, Path) else self.trust.credentials(credentials)
        return NatsSettings.model_validate(
            {
                "url": self.server.url,
                "ca_file": self.trust.authority,
                "credentials_file": file,
                "reconnect_max_s": 0.5,
            }
        )

    def settings(self, **publisher: Any) -> Settings:
        """Return the settings of a publisher on the registry folder."""
        trust = {"directory": self.trust.path, "server_directory": self.trust.server, "join_url": self.server.url}
        plain = super().settings(**publisher)
        with_trust = Settings.model_validate({"trust": trust})
        return plain.model_copy(update={"nats": self.nats(claims.PUBLISHER), "trust": with_trust.trust})

    @asynccontextmanager
    async def publisher(self, *, joins: bool = True, **settings: Any) -> AsyncIterator[Publisher]:
        """Run a publisher while the body runs; one that lets nobody join keeps nobody out either."""
        chosen = self.settings(**settings)
        async with open_source(chosen.publisher) as source, open_book(chosen.publisher) as book:
            trust = await open_control_plane(chosen, book, "the publisher") if joins else None
            publisher = Publisher(chosen, source, SIGNER, book, None, trust)
            async with _task(publisher.run()):
                yield publisher

    @asynccontextmanager
    async def bus(self, user: str = claims.OPERATOR) -> AsyncIterator[Bus]:
        """Yield a connection of an operator, or of another user of the control plane."""
        async with connected(self.nats(user), "test") as bus:
            yield bus

    def node(self, name: str, role: Role | None = None, **settings: Mapping[str, Any]) -> SecureNode:
        """Return a node that has joined: a key in the registry, credentials in its folder."""
        plain = super().node(name, role, **settings)
        file = plain.folder / "nats.creds"
        if not file.exists():
            self.enrol(name, file)
        return SecureNode(self, name, Role(plain.settings.subscriber.role), settings, file)

    def enrol(self, name: str, file: Path) -> KeyPair:
        """Make credentials of a registered node, and write its key into the registry."""
        pair = KeyPair.new(Owner.USER)

        def write(root: dict[str, Any]) -> None:
            for item in node_items(root):
                if item.name == name:
                    item.entry[KEY] = pair.public

        self.registry.edit("sync-controller-registry", "registry.json", write)
        made = Credentials.of(claims.node_user(self.keys, name, pair.public, now()), pair.seed)
        file.write_text(made.text.get_secret_value())
        file.chmod(0o600)
        return pair

    @property
    def terms(self) -> Terms:
        """What machines that join are told."""
        authority = self.trust.authority.read_text()
        return Terms(self.server.url, Tls.REQUIRED, authority, INSTALLATION, (SIGNER.public_key,))

    async def invite(self, name: str, *, valid_for: timedelta = VALID_FOR, rejoin: bool = False) -> JoinToken:
        """Make a join token for a registered node, as `routecast node add` does."""
        ticket = new_ticket(now(), valid_for)
        chosen = self.settings()
        async with open_book(chosen.publisher) as book:
            await Editor(book, "test", "test").apply(
                lambda draft: invite_node(draft, name, ticket.invitation, rejoin=rejoin)  # type: ignore[arg-type,return-value]
            )
        return ticket.token(self.keys, self.terms, (name, Role.LAPTOP), (), now())


@asynccontextmanager
async def raw(world: SecureWorld, jwt: str, seed: str, inbox: str) -> AsyncIterator[Client]:
    """Yield a plain client with some credentials, and what nats-py says of errors in `client.said`."""
    client = Client()
    said: list[str] = []
    closed = asyncio.Event()

    async def on_error(error: Exception) -> None:
        said.append(str(error))

    async def on_closed() -> None:
        closed.set()

    context = await asyncio.to_thread(ssl.create_default_context, cafile=world.trust.authority)
    await client.connect(
        world.server.url,
        user_credentials=RawCredentials(Credentials.of(jwt, seed).text.get_secret_value()),
        inbox_prefix=inbox,
        tls=context,
        tls_handshake_first=True,
        allow_reconnect=False,
        max_reconnect_attempts=1,
        connect_timeout=3,
        error_cb=on_error,
        closed_cb=on_closed,
    )
    client.said, client.gone = said, closed  # type: ignore[attr-defined]
    try:
        yield client
    finally:
        if not client.is_closed:
            await client.close()


async def ask_to_join(
    world: SecureWorld, token: JoinToken, key: str, *, secret: str | None = None, timeout_s: float = 10
) -> JoinReply:
    """Ask with a join token as a machine does, and return the answer."""
    request = JoinRequest(secret=SecretStr(secret or token.secret.get_secret_value()), key=key, host="h", agent="1")
    jwt, seed = token.jwt.get_secret_value(), token.seed.get_secret_value()
    body = request.model_dump_json().encode()
    async with asyncio.timeout(timeout_s), raw(world, jwt, seed, subjects.inbox(token.id)) as client:
        while True:
            try:
                answer = await client.request(subjects.join(token.id), body, timeout=timeout_s)
                return JoinReply.model_validate(orjson.loads(answer.data))
            except nats.errors.NoRespondersError:  # the publisher is starting
                await asyncio.sleep(0.05)


async def lets_in(world: SecureWorld, name: str, jwt: str, seed: str) -> bool:
    """Tell whether the server lets a node in."""
    try:
        async with raw(world, jwt, seed, subjects.inbox(name)):
            return True
    except nats.errors.Error:
        return False


async def opened(folder: Path) -> SecureWorld:
    """Return a world to be entered: making keys and certificates takes a moment."""
    return await asyncio.to_thread(SecureWorld, folder)
