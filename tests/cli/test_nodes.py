"""`routecast nodes`, on a real server."""

import time
from datetime import timedelta

import orjson
import yaml

from cli import exits
from common import subjects
from common.ack import AckError, State
from common.bus import Bus
from common.clock import now
from common.models import Node, Role
from common.snapshot import Sealed
from tests.cli.bus_data import ack_of, answer, make_consumers, online, publish_raw, publish_registry, report
from tests.cli.conftest import Routecast
from tests.cli.processes import running
from tests.nats import NatsServer
from tests.registries import REFERENCE

LAPTOPS = ("vinay-laptop", "work-laptop")
ALL = (*LAPTOPS, "contabo-vps", "digitalocean-vps")


async def test_every_node_is_shown_as_it_stands(bus: Bus, routecast: Routecast) -> None:
    """Synced, lagging, offline and never: told apart by what the server sees and what the node said."""
    snapshot = await publish_registry(bus)
    await make_consumers(bus, *ALL)
    await answer(bus, ack_of("vinay-laptop", snapshot))
    await answer(bus, ack_of("work-laptop", snapshot, finished_at=now() - timedelta(hours=55)))
    await report(bus)
    async with online(bus, "vinay-laptop", "contabo-vps"):
        result = await routecast("nodes", "-o", "json")
    found = orjson.loads(result.stdout)
    assert {row["node"]: row["state"] for row in found["nodes"]} == {
        "contabo-vps": "lagging",
        "digitalocean-vps": "never",
        "work-laptop": "offline",
        "vinay-laptop": "synced",
    }
    assert found["nodes"][0]["node"] == "contabo-vps"
    assert [row["alive"] for row in found["publishers"]] == [True]
    assert found["snapshot"]["version"] == snapshot.version
    assert result.exit_code == exits.NOT_SO


async def test_online_nodes_that_are_synced_are_enough(bus: Bus, routecast: Routecast) -> None:
    """Exit code 0 when all online nodes are synced; --strict wants the sleeping ones as well."""
    snapshot = await publish_registry(bus)
    await make_consumers(bus, *ALL)
    for node in LAPTOPS:
        await answer(bus, ack_of(node, snapshot))
    async with online(bus, *LAPTOPS):
        assert (await routecast("nodes")).exit_code == exits.OK
        assert (await routecast("nodes", "--strict")).exit_code == exits.NOT_SO


async def test_a_table_in_a_pipe_is_plain_and_whole(bus: Bus, routecast: Routecast) -> None:
    """No colour, no lines cut or folded, no blanks at their ends; what a node writes cannot move the cursor."""
    snapshot = await publish_registry(bus)
    long = "x" * 300
    error = AckError(code="c", message=f"\x1b[31m{long}\n")
    await answer(bus, ack_of("work-laptop", snapshot, state=State.FAILED, error=error))
    result = await routecast("nodes")
    assert "\x1b" not in result.stdout
    assert rf"\x1b[31m{long}\n" in result.stdout
    assert all(line == line.rstrip() for line in result.stdout.splitlines())
    assert "2 publishers" not in result.stdout
    assert not result.stderr


async def test_yaml_says_the_same_as_json(bus: Bus, routecast: Routecast) -> None:
    """Both machine forms carry one value."""
    await publish_registry(bus)
    as_json = orjson.loads((await routecast("nodes", "-o", "json")).stdout)
    as_yaml = yaml.safe_load((await routecast("nodes", "-o", "yaml")).stdout)
    assert as_json.keys() == as_yaml.keys()
    assert as_json["snapshot"]["digest"] == as_yaml["snapshot"]["digest"]


async def test_nothing_published_is_not_so(bus: Bus, routecast: Routecast) -> None:
    """With empty streams, and with no streams at all, the table says that nothing was published."""
    assert (await routecast("nodes")).exit_code == exits.NOT_SO
    for stream in (subjects.REGISTRY, subjects.HISTORY, subjects.ACKS, subjects.STATUS):
        await bus.js.delete_stream(stream)
    result = await routecast("nodes")
    assert result.exit_code == exits.NOT_SO
    assert "nothing was published yet" in result.stdout
    assert not result.stderr


async def test_a_forged_or_broken_newest_message_is_survived(bus: Bus, routecast: Routecast) -> None:
    """The nodes of the version before are shown, with what is wrong with the newest message and how they judge it."""
    snapshot = await publish_registry(bus)
    seq = await publish_raw(bus, Sealed(b"\x00garbage", {}))
    rejected = ack_of("work-laptop", snapshot, seq, attempted=None, state=State.REJECTED)
    await answer(bus, rejected)
    await make_consumers(bus, *ALL)
    async with online(bus, "work-laptop"):
        result = await routecast("nodes", "-o", "json")
    found = orjson.loads(result.stdout)
    assert "cannot be read: the snapshot is not signed" in found["fault"]
    assert (found["nodes"][0]["node"], found["nodes"][0]["state"]) == ("work-laptop", "rejected")
    assert result.exit_code == exits.NOT_SO


async def test_a_broken_message_and_no_history(bus: Bus, routecast: Routecast) -> None:
    """Without any version that can be read there are no nodes to show, and no crash."""
    await publish_raw(bus, Sealed(b"", {}))
    result = await routecast("nodes")
    assert result.exit_code == exits.NOT_SO
    assert "none that can be read" in result.stdout


async def test_fifty_nodes_take_less_than_two_seconds(bus: Bus, routecast: Routecast) -> None:
    """The reads run side by side: a fleet of fifty is shown while one waits."""
    nodes = tuple(Node(name=f"n{i}", role=Role.LAPTOP, address=f"100.64.0.{i + 1}") for i in range(50))
    snapshot = await publish_registry(bus, REFERENCE.model_copy(update={"nodes": nodes}))
    await make_consumers(bus, *(node.name for node in nodes))
    for node in nodes:
        await answer(bus, ack_of(node.name, snapshot))
    started = time.monotonic()
    result = await routecast("nodes", "-o", "json")
    assert time.monotonic() - started < 2
    assert len(orjson.loads(result.stdout)["nodes"]) == 50


async def test_a_broken_history_is_survived_too(bus: Bus, routecast: Routecast) -> None:
    """When the version before cannot be read either, that is all there is to say."""
    await bus.js.publish(subjects.history(1, 1), b"\x00")
    await publish_raw(bus, Sealed(b"\x00", {}))
    assert (await routecast("nodes")).exit_code == exits.NOT_SO


async def test_watching_goes_on_through_an_outage(bus: Bus, server: NatsServer) -> None:
    """A server that goes away is said on standard error; when it is back the reports go on, a line of JSON each."""
    await publish_registry(bus)
    async with running("nodes", "--watch", "-o", "json", env={"ROUTECAST_NATS_URL": server.url}) as watch:
        assert orjson.loads(await watch.line())["snapshot"]["version"] == 57
        await server.kill()
        while b"trying again" not in await watch.error_line():
            pass
        await server.start()
        assert orjson.loads(await watch.line())["snapshot"]["version"] == 57
