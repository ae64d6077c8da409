"""`routecast acks`, on a real server."""

from contextlib import AbstractAsyncContextManager

import orjson
import pytest

from cli import exits
from cli.acks.table import describe_target, line, refused_of
from common.ack import AckError, Refused, Revision, State, TargetAck
from common.bus import Bus
from common.snapshot import Snapshot
from tests.cli.bus_data import ack_of, answer, publish_registry
from tests.cli.conftest import Routecast
from tests.cli.processes import Routecasting, running
from tests.nats import NatsServer


@pytest.fixture
async def snapshot(bus: Bus) -> Snapshot:
    """Publish the reference registry."""
    return await publish_registry(bus)


def _following(server: NatsServer, *words: str) -> AbstractAsyncContextManager[Routecasting]:
    """Run `routecast acks --follow` as JSON lines."""
    return running("acks", "--follow", "-o", "json", *words, env={"ROUTECAST_NATS_URL": server.url})


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (TargetAck(state=State.APPLIED, applied=None, changed=True, created=1, deleted=2), "hosts +1 ~0 -2"),
        (TargetAck(state=State.APPLIED, applied=None), "hosts unchanged"),
        (TargetAck(state=State.FAILED, applied=None), "hosts failed"),
        (
            TargetAck.model_validate(
                {"state": "applied", "applied": None, "refused": [{"entry": "x", "reason": "zone"}]}
            ),
            "hosts unchanged (1 refused)",
        ),
        (
            TargetAck(state=State.APPLIED, applied=None, refused=(Refused(entry="x", reason="zone"),), refused_more=41),
            "hosts unchanged (42 refused)",
        ),
    ],
)
def test_a_target_is_described_in_a_word(target: TargetAck, said: str) -> None:
    """What was written, or that nothing was, or that it failed."""
    assert describe_target("hosts", target) == said


async def test_what_a_policy_left_out_is_named(snapshot: Snapshot) -> None:
    """Each entry once, the first with their reasons, the rest as a number; a record without any says nothing of it."""
    refused = tuple(Refused(entry=f"{name}.mycloud.local", reason="zone") for name in "abcd")
    target = TargetAck(state=State.APPLIED, applied=None, refused=refused, refused_more=5)
    ack = ack_of("work-laptop", snapshot, targets={"hosts": target, "dnsmasq": target})
    assert ack.refused_count == 9
    said = "refused a.mycloud.local (zone), b.mycloud.local (zone), c.mycloud.local (zone) and 6 more"
    assert refused_of(ack) == said
    assert str(line(ack)).endswith(f"(9 refused), hosts unchanged (9 refused): {said}")
    assert refused_of(ack_of("work-laptop", snapshot)) is None


async def test_the_newest_record_of_each_node(bus: Bus, snapshot: Snapshot, routecast: Routecast) -> None:
    """Without words: one record a node, in the order they came."""
    for attempt in (1, 2):
        for node in ("work-laptop", "contabo-vps"):
            await answer(bus, ack_of(node, snapshot, attempt=attempt))
    result = await routecast("acks", "-o", "json")
    assert result.exit_code == exits.OK
    found = [(ack["node"], ack["attempt"]) for ack in orjson.loads(result.stdout)]
    assert found == [("work-laptop", 2), ("contabo-vps", 2)]


async def test_the_last_records_of_one_node(bus: Bus, snapshot: Snapshot, routecast: Routecast) -> None:
    """With a name: its last ten, or as many as asked for, the oldest first; others are not in it."""
    await answer(bus, ack_of("contabo-vps", snapshot))
    for attempt in range(1, 71):
        await answer(bus, ack_of("work-laptop", snapshot, attempt=attempt))
    for words, attempts in (((), range(61, 71)), (("-n", "2"), (69, 70)), (("-n", "64"), range(7, 71))):
        result = await routecast("acks", "work-laptop", "-o", "json", *words)
        assert [ack["attempt"] for ack in orjson.loads(result.stdout)] == list(attempts)


async def test_a_record_as_a_row(bus: Bus, snapshot: Snapshot, routecast: Routecast) -> None:
    """People see version, state, what runs, targets and the error of each attempt."""
    older = Revision(epoch=snapshot.epoch, version=55, digest="x")
    error = AckError(code="c", message="permission denied", target="hosts")
    await answer(bus, ack_of("work-laptop", snapshot, state=State.FAILED, applied=older, error=error, attempt=3))
    await answer(bus, ack_of("contabo-vps", snapshot, attempted=None, applied=None, state=State.REJECTED))
    heading, failed, rejected = (await routecast("acks")).stdout.splitlines()
    assert heading.split() == ["TIME", "NODE", "VERSION", "STATE", "RUNS", "TRY", "TOOK", "TARGETS", "ERROR"]
    assert failed.split()[1:6] == ["work-laptop", "57", "failed", "55", "3"]
    assert failed.endswith("hosts: permission denied")
    assert rejected.split()[1:6] == ["contabo-vps", "-", "rejected", "-", "1"]


async def test_no_record_is_not_so(bus: Bus, snapshot: Snapshot, routecast: Routecast) -> None:
    """A node that never answered, or nobody, is exit code 1; so is asking for none of the records that are there."""
    nobody = await routecast("acks")
    assert (nobody.exit_code, nobody.stderr) == (exits.NOT_SO, "error: no node ever answered\n")
    await answer(bus, ack_of("contabo-vps", snapshot))
    missing = await routecast("acks", "work-laptop")
    assert (missing.exit_code, missing.stderr) == (exits.NOT_SO, "error: node 'work-laptop' never answered\n")


async def test_records_of_others_and_garbage_are_left_out(bus: Bus, snapshot: Snapshot, routecast: Routecast) -> None:
    """A record under another node's subject, or one that cannot be read, is not shown."""
    await bus.js.publish("registry.ack.contabo-vps", ack_of("work-laptop", snapshot).to_body())
    await bus.js.publish("registry.ack.vinay-laptop", b"\x00")
    await answer(bus, ack_of("digitalocean-vps", snapshot))
    found = orjson.loads((await routecast("acks", "-o", "json")).stdout)
    assert [ack["node"] for ack in found] == ["digitalocean-vps"]


async def test_following_begins_with_the_last_records(bus: Bus, snapshot: Snapshot, server: NatsServer) -> None:
    """The newest records first, then each new one as it comes, none twice."""
    await answer(bus, ack_of("contabo-vps", snapshot))
    async with _following(server) as following:
        assert orjson.loads(await following.line())["node"] == "contabo-vps"
        for node in ("work-laptop", "vinay-laptop"):
            await answer(bus, ack_of(node, snapshot))
            assert orjson.loads(await following.line())["node"] == node


async def test_following_one_node(bus: Bus, snapshot: Snapshot, server: NatsServer) -> None:
    """With a name only its records are followed."""
    await answer(bus, ack_of("work-laptop", snapshot, attempt=1))
    async with _following(server, "work-laptop") as following:
        assert orjson.loads(await following.line())["attempt"] == 1
        await answer(bus, ack_of("contabo-vps", snapshot))
        await answer(bus, ack_of("work-laptop", snapshot, attempt=2))
        assert orjson.loads(await following.line())["attempt"] == 2


async def test_following_ends_when_the_server_is_gone(bus: Bus, snapshot: Snapshot, server: NatsServer) -> None:
    """A lost connection is said, not waited out in silence: exit code 3."""
    await answer(bus, ack_of("contabo-vps", snapshot))
    async with _following(server) as following:
        assert await following.line()
        await bus.close()
        await server.kill()
        assert (await following.error_line()).startswith(b"error: ")
        assert await following.ended() == exits.UNREACHABLE
