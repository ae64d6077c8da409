"""`routecast push` and `routecast reconcile`, with a publisher and nodes played by the test on a real server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.msg import Msg

from cli import exits
from cli.push.tally import Tally
from cli.push.waiting import wait_for_answers
from common import subjects
from common.ack import AckError, NodeAck, State
from common.bus import Bus
from common.control import ControlReply, ControlRequest
from common.errors import BusUnavailable
from common.snapshot import Snapshot
from tests.cli.bus_data import ack_of, answer, make_consumers, online, publish, publish_registry
from tests.cli.conftest import Routecast
from tests.nats import NatsServer
from tests.registries import snapshot, without_service

NODES = ("contabo-vps", "vinay-laptop", "work-laptop")
Round = Callable[[ControlRequest], Awaitable[ControlReply]]


@asynccontextmanager
async def _publisher(bus: Bus, round_: Round) -> AsyncIterator[list[ControlRequest]]:
    """Answer control requests by `round_` while the body runs; yield those that came."""
    asked: list[ControlRequest] = []

    async def handle(message: Msg) -> None:
        request = ControlRequest.model_validate_json(message.data)
        asked.append(request)
        await message.respond((await round_(request)).model_dump_json().encode())

    subscription = await bus.nc.subscribe(subjects.CONTROL, queue=subjects.CONTROL_QUEUE, cb=handle)
    await bus.nc.flush()
    try:
        yield asked
    finally:
        if not bus.nc.is_closed:
            await subscription.unsubscribe()


async def _republish(bus: Bus, published: Snapshot) -> ControlReply:
    seq = await publish(bus, published, history=False)
    return ControlReply(
        ok=True, epoch=published.epoch, version=published.version, digest=published.digest, stream_seq=seq
    )


@pytest.fixture
async def published(bus: Bus) -> Snapshot:
    """Publish the reference registry and make the durables of three of its nodes."""
    made = await publish_registry(bus)
    await make_consumers(bus, *NODES)
    return made


async def test_push_waits_for_every_online_node(bus: Bus, published: Snapshot, routecast: Routecast) -> None:
    """All online nodes have answered: exit code 0; those that sleep are named, and not waited for."""

    async def round_(_: ControlRequest) -> ControlReply:
        reply = await _republish(bus, published)
        for node in ("contabo-vps", "vinay-laptop"):
            await answer(bus, ack_of(node, published, reply.stream_seq))
        return reply

    async with online(bus, "contabo-vps", "vinay-laptop"), _publisher(bus, round_) as asked:
        result = await routecast("push", "-o", "json")
    report = orjson.loads(result.stdout)
    assert result.exit_code == exits.OK, result.stderr
    assert [one["node"] for one in report["answered"]] == ["contabo-vps", "vinay-laptop"]
    assert report["missing"] == []
    assert report["away"] == ["digitalocean-vps", "work-laptop"]
    assert report["stream_seq"] == 2
    assert [request.op for request in asked] == ["push"]
    assert "@" in asked[0].by
    assert not result.stderr


async def test_push_names_who_did_not_answer(bus: Bus, published: Snapshot, routecast: Routecast) -> None:
    """An online node that stays silent is named when the time is over, with where to look: exit code 1."""

    async def round_(_: ControlRequest) -> ControlReply:
        reply = await _republish(bus, published)
        await answer(bus, ack_of("contabo-vps", published, 1))  # the answer to an older message does not count
        return reply

    async with online(bus, "contabo-vps"), _publisher(bus, round_):
        result = await routecast("push", "--timeout", "500ms")
    assert result.exit_code == exits.NOT_SO
    assert "0 of 1 online node answered" in result.stdout
    assert "see `routecast acks contabo-vps`" in result.stdout
    assert "not online, will take it when back: digitalocean-vps, vinay-laptop, work-laptop" in result.stdout


async def test_push_names_who_failed(bus: Bus, published: Snapshot, routecast: Routecast) -> None:
    """A node that answers that it could not is named with its reason: exit code 1."""
    error = AckError(code="eacces", message="permission denied", target="hosts")

    async def round_(_: ControlRequest) -> ControlReply:
        reply = await _republish(bus, published)
        await answer(bus, ack_of("contabo-vps", published, reply.stream_seq, state=State.FAILED, error=error))
        return reply

    async with online(bus, "contabo-vps"), _publisher(bus, round_):
        result = await routecast("push")
    assert result.exit_code == exits.NOT_SO
    assert "hosts: permission denied" in result.stdout


async def test_push_with_nobody_online(bus: Bus, published: Snapshot, routecast: Routecast) -> None:
    """Nobody to wait for: published, exit code 0."""
    async with _publisher(bus, lambda _: _republish(bus, published)):
        result = await routecast("push")
    assert result.exit_code == exits.OK
    assert "0 of 0 online nodes answered" in result.stdout


async def test_a_publisher_that_cannot_says_why(bus: Bus, published: Snapshot, routecast: Routecast) -> None:
    """The publisher's own words reach the operator: exit code 1."""

    async def refuse(_: ControlRequest) -> ControlReply:
        return ControlReply(ok=False, error="services.json cannot be read")

    async with _publisher(bus, refuse):
        for op in ("push", "reconcile"):
            result = await routecast(op)
            assert result.exit_code == exits.NOT_SO
            assert result.stderr == f"error: the publisher could not {op}: services.json cannot be read\n"
    assert published


async def test_an_answer_that_cannot_be_read_is_said(bus: Bus, published: Snapshot, routecast: Routecast) -> None:
    """A publisher of another make does not crash us."""

    async def handle(message: Msg) -> None:
        await message.respond(b"\x00")

    subscription = await bus.nc.subscribe(subjects.CONTROL, cb=handle)
    await bus.nc.flush()
    result = await routecast("reconcile")
    await subscription.unsubscribe()
    assert result.exit_code == exits.NOT_SO
    assert "cannot be read" in result.stderr
    assert published


async def test_reconcile_says_whether_anything_changed(bus: Bus, published: Snapshot, routecast: Routecast) -> None:
    """The same version again: nothing had changed; a higher one: it had."""
    async with _publisher(bus, lambda _: _republish(bus, published)) as asked:
        same = await routecast("reconcile")
    assert (same.exit_code, [request.op for request in asked]) == (exits.OK, ["reconcile"])
    assert same.stdout.endswith("nothing had changed\n")
    newer = snapshot(without_service("immich"), version=58)
    async with _publisher(bus, lambda _: _republish(bus, newer)):
        changed = await routecast("reconcile", "-o", "json")
    assert orjson.loads(changed.stdout)["changed"] is True


async def test_the_first_reconcile_publishes(bus: Bus, routecast: Routecast) -> None:
    """With an empty stream the round's snapshot is new."""
    async with _publisher(bus, lambda _: _republish(bus, snapshot())):
        result = await routecast("reconcile")
    assert result.stdout.endswith("the registry had changed\n")


async def test_waiting_ends_with_the_server(
    bus: Bus, published: Snapshot, server: NatsServer, routecast: Routecast
) -> None:
    """A server that goes away while nodes are waited for is said at once: exit code 3."""
    republished = asyncio.Event()

    async def round_(_: ControlRequest) -> ControlReply:
        reply = await _republish(bus, published)
        republished.set()
        return reply

    async with online(bus, "contabo-vps"), _publisher(bus, round_):
        pushing = asyncio.create_task(routecast("push", "--timeout", "60s"))
        await republished.wait()
        await bus.close()
        await server.kill()
        result = await pushing
    assert result.exit_code == exits.UNREACHABLE


async def test_records_that_end_are_a_lost_connection() -> None:
    """When the records end before all nodes have answered, nobody is reported as missing: nobody could be heard."""

    async def none() -> AsyncIterator[NodeAck]:
        return
        yield

    with pytest.raises(BusUnavailable):
        await wait_for_answers(Tally({"contabo-vps"}, 1), none(), 5)


_ACKS = st.tuples(st.sampled_from(NODES), st.integers(1, 9) | st.none(), st.sampled_from(State))


@given(st.lists(_ACKS), st.sets(st.sampled_from(NODES)))
def test_the_tally_counts_final_answers_to_the_publish(
    records: list[tuple[str, int | None, State]], awaited: set[str]
) -> None:
    """Only awaited nodes, only answers to the message or a later one, never `drifted`; the last one counts."""
    tally = Tally(awaited, 5)
    expected: dict[str, State] = {}
    for node, seq, state in records:
        tally.count(ack_of(node, snapshot(), seq, state=state))
        if node in awaited and seq is not None and seq >= 5 and state is not State.DRIFTED:
            expected[node] = state
    assert {one.node: one.state for one in tally.answers} == expected
    assert set(tally.missing) == awaited - expected.keys()
    assert tally.complete == (expected.keys() == awaited)
    assert tally.holds == (tally.complete and set(expected.values()) <= {State.APPLIED})
