"""Credentials on a connection, against a real nats-server in operator mode."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats.js.errors
import pytest
from structlog.testing import capture_logs

from common import subjects
from common.bus import NODES_JETSTREAM, Bus, connected, nodes_jetstream, translated
from common.errors import AccessDenied, BusUnavailable, ConfigError
from common.reconnect import keep_connected
from common.snapshot import Order
from common.streams import read_newest, read_version, stream_info
from common.trust.nkeys import KeyPair, Owner
from publisher.pipeline.keeper import Keeper
from tests.operator_mode import OperatorServer
from tests.world import until

NODE = "vinay-laptop"


@pytest.fixture
def server(tmp_path: Path) -> OperatorServer:
    """Return a server that is not started yet."""
    return OperatorServer(tmp_path)


async def _streams(server: OperatorServer, *bodies: bytes) -> None:
    async with connected(server.settings(await server.publisher()), "publisher") as bus:
        keeper = Keeper(bus, 1)
        await keeper.ensure_streams()
        await keeper.ensure_consumers([NODE])
        for body in bodies:
            await bus.js.publish(subjects.SNAPSHOT, body)


async def test_a_node_reads_takes_and_answers_with_its_own_rights(server: OperatorServer) -> None:
    """The newest by direct get, the next from its durable, acked, and a record of its own: all through the imports."""
    async with server:
        await _streams(server, b"v1")
        settings = server.settings(await server.node(NODE))
        assert nodes_jetstream(settings) == NODES_JETSTREAM
        async with connected(settings, NODE, jetstream_prefix=nodes_jetstream(settings)) as bus:
            stored = await read_newest(bus)
            assert stored is not None
            assert (stored.sealed.body, stored.seq) == (b"v1", 1)
            pull = await bus.js.pull_subscribe_bind(consumer=subjects.durable(NODE), stream=subjects.REGISTRY)
            (message,) = await pull.fetch(1, timeout=5)
            await message.ack_sync()
            await bus.js.publish(subjects.ack(NODE), b"{}", stream=subjects.ACKS)
            await (await bus.js.publish_async(subjects.ack(NODE), b"{}", stream=subjects.ACKS))
            assert bus.violations == 0


async def test_a_node_finds_that_nothing_was_published(server: OperatorServer) -> None:
    """An empty stream is no error over the import either, and neither is one that no publisher has made."""
    async with server:
        settings = server.settings(await server.node(NODE))
        async with connected(settings, NODE, jetstream_prefix=NODES_JETSTREAM) as bus:
            assert await read_newest(bus) is None
            await _streams(server)
            assert await read_newest(bus) is None


async def test_a_refused_request_says_so(server: OperatorServer) -> None:
    """Not "no answer": which subject, and whose credentials may not; of a request that is only slow it is not said."""
    async with server:
        await _streams(server)
        credentials = await server.node(NODE)
        async with connected(server.settings(credentials), "cli") as bus:
            with pytest.raises(BusUnavailable, match=f"reading stream REGISTRY: NATS refused it .*{NODE} in .*may not"):
                await stream_info(bus, subjects.REGISTRY)
            assert str(credentials) in (bus.refusal() or "")
            await asyncio.gather(
                read_version(bus, Order(1, 1)), stream_info(bus, subjects.ACKS), return_exceptions=True
            )
            assert "stream.info.registry" in (bus.refusal() or "")
            assert "history" in (bus.refusal(1) or "")
            with pytest.raises(BusUnavailable, match="it: no answer in time"), translated("it", bus):
                raise TimeoutError


async def test_nobody_hears_anothers_answers(server: OperatorServer) -> None:
    """Each has an inbox of its own, by its name; without it no request of a node has an answer."""
    async with server:
        await _streams(server, b"v1")
        settings = server.settings(await server.node(NODE))
        async with connected(settings, NODE, jetstream_prefix=NODES_JETSTREAM) as bus:
            await bus.nc.subscribe("_INBOX_work-laptop.>")
            await until(lambda: bus.violations == 1, "the server refused it")
            assert bus.nc._inbox_prefix == b"_INBOX_vinay-laptop"


async def test_who_has_no_credentials_is_told_to_get_some(server: OperatorServer) -> None:
    """A node by joining, everybody else by looking which are set."""
    async with server:
        for prefix, said in ((NODES_JETSTREAM, "routecast join"), ("$JS.API", "routecast config show")):
            with pytest.raises(AccessDenied, match=f"asks for credentials, and none are set; .*{said}"):
                async with connected(server.settings(None), "test", jetstream_prefix=prefix):
                    pass


async def test_credentials_of_another_server_are_told_apart(server: OperatorServer, tmp_path: Path) -> None:
    """Signed by somebody whom this server does not know."""
    stranger = await OperatorServer(tmp_path / "other").node(NODE)
    async with server:
        with pytest.raises(AccessDenied, match=f"the credentials of {NODE} in .* revoked, or are another server's"):
            async with connected(server.settings(stranger), NODE, jetstream_prefix=NODES_JETSTREAM):
                pass


async def test_credentials_that_cannot_be_read_connect_nobody(server: OperatorServer, tmp_path: Path) -> None:
    """Not even to find out whether it would do without them."""
    with pytest.raises(ConfigError, match="there are no NATS credentials"):
        async with connected(server.settings(tmp_path / "none.creds"), "test"):
            pass


class _Sessions:
    """The sessions of a connection that is kept, and what was said of it."""

    def __init__(self) -> None:
        self.buses: list[Bus] = []
        self.troubles: list[str | None] = []

    async def work(self, bus: Bus) -> None:
        self.buses.append(bus)
        await asyncio.Event().wait()

    @property
    def trouble(self) -> str | None:
        return self.troubles[-1] if self.troubles else "not connected yet"


async def test_a_revoked_node_is_cut_off_and_says_why(server: OperatorServer) -> None:
    """Within seconds, in plain words with the next command, once; and with new credentials it is back by itself."""
    key, sessions = KeyPair.new(Owner.USER), _Sessions()
    async with server:
        await _streams(server)
        credentials = await server.node(NODE, key)
        other = await server.node("work-laptop")
        kept = keep_connected(
            server.settings(credentials),
            NODE,
            sessions.work,
            jetstream_prefix=NODES_JETSTREAM,
            on_trouble=sessions.troubles.append,
        )
        async with connected(server.settings(other), "work-laptop", jetstream_prefix=NODES_JETSTREAM) as undisturbed:
            task = asyncio.create_task(kept)
            with capture_logs() as logs:
                await until(lambda: sessions.buses, "connected")
                assert sessions.trouble is None
                await server.revoke(key.public)
                await until(sessions.buses[0].closed.is_set, "cut off", 10)
                await until(lambda: "does not let us in" in str(sessions.trouble), "refused when it came back")
                tried = len(sessions.troubles)
                await until(lambda: len(sessions.troubles) > tried + 12, "it goes on trying")
            await server.node(NODE)  # what joining again writes
            await until(lambda: len(sessions.buses) == 2, "back")
            assert not undisturbed.closed.is_set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    cut = [line for line in logs if line["event"] == "nats no longer lets us in"]
    assert len(cut) == 1
    assert "were revoked; have a token made on the control plane with `routecast node add`" in cut[0]["error"]
    assert len([line for line in logs if line["event"] == "waiting for nats"]) == 1


async def test_credentials_that_end_are_said_to_have_ended(server: OperatorServer) -> None:
    """While connected, and when somebody comes with them later: with the day on which they did."""
    async with server:
        credentials = await server.joining("J0123456789abcdef", datetime.now(UTC) + timedelta(seconds=3))
        settings = server.settings(credentials)
        for _ in range(2):  # the server may let it in at first also the second time, and then look at the clock
            with pytest.raises(AccessDenied, match=r"lets? us in: .*have expired on 20.*routecast node add"):
                async with connected(settings, "test", jetstream_prefix=NODES_JETSTREAM) as bus:
                    await bus.until_closed(asyncio.sleep(60))


async def test_what_the_work_itself_is_denied_is_not_the_connections(server: OperatorServer) -> None:
    """An API server that refuses a publisher ends it, as before: no other connection would help."""

    async def work(_: Bus) -> None:
        raise AccessDenied("the API server refuses")

    async with server:
        settings = server.settings(await server.publisher())
        with pytest.raises(ExceptionGroup) as ended:
            await keep_connected(settings, "test", work)
    assert ended.group_contains(AccessDenied, match="the API server refuses")


async def test_missing_credentials_are_waited_for(server: OperatorServer) -> None:
    """A service that was started before its machine has joined connects when it has."""
    sessions = _Sessions()
    async with server:
        await _streams(server)
        file = (await server.operator()).with_name("vinay-laptop.creds")
        kept = keep_connected(server.settings(file), NODE, sessions.work, on_trouble=sessions.troubles.append)
        task = asyncio.create_task(kept)
        await until(lambda: "there are no NATS credentials" in str(sessions.trouble), "it says what is missing")
        await server.node(NODE)
        await until(lambda: sessions.buses, "connected")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_newest_is_read_the_same_with_other_rights(server: OperatorServer) -> None:
    """An operator reads what a node reads, by JetStream's own name."""
    async with server:
        await _streams(server, b"v1", b"v2")
        async with connected(server.settings(await server.operator()), "cli") as bus:
            stored = await read_newest(bus)
            assert stored is not None
            assert stored.sealed.body == b"v2"
            with pytest.raises(nats.js.errors.NotFoundError):
                await bus.js.get_msg(subjects.REGISTRY, 99)
