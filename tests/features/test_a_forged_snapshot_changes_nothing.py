import asyncio
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli import exits
from common import subjects
from common.ack import NodeAck, State
from common.codec import MAX_BODY, canonical, digest_of
from common.signing import Signer
from common.snapshot import Sealed, Snapshot, seal
from common.streams import read_newest, read_version
from tests.cli.conftest import run_routecast
from tests.registries import SIGNER
from tests.world import LAPTOPS, NodeUnderTest, World, until

STRANGER = Signer(bytes(32))
LAPTOP = LAPTOPS[0]

Forge = Callable[[Snapshot], Sealed]
"""Makes a message of the newest snapshot: what an attacker who may write to the subject sends."""


def _signed(body: bytes, encoding: str | None = None) -> Sealed:
    """Return a message of any bytes, rightly signed: what only a holder of the seed could send."""
    headers = {"Routecast-Key": SIGNER.public_key, "Routecast-Signature": SIGNER.sign(body)}
    return Sealed(body, headers if encoding is None else {**headers, "Content-Encoding": encoding})


def _value(newest: Snapshot, **changes: Any) -> bytes:
    return canonical({**orjson.loads(newest.to_body()), **changes})


def _evil(newest: Snapshot) -> dict[str, Any]:
    """Return a value that leads the users of a service elsewhere, newer than the newest."""
    value: dict[str, Any] = orjson.loads(newest.to_body())
    value["registry"]["services"]["immich"]["ip"] = "100.64.66.66"
    return {**value, "version": newest.version + 1, "digest": digest_of(value["registry"])}


def _altered(newest: Snapshot) -> Sealed:
    sealed = seal(newest, SIGNER)
    return Sealed(canonical(_evil(newest)), sealed.headers)


def _older(newest: Snapshot) -> Sealed:
    return seal(newest.model_copy(update={"epoch": newest.epoch - 1, "version": 99}), SIGNER)


def _other_content(newest: Snapshot) -> Sealed:
    return _signed(canonical({**_evil(newest), "version": newest.version}))


def _bomb(_: Snapshot) -> Sealed:
    return _signed(gzip.compress(bytes(MAX_BODY + 1)), "gzip")


def _lying_frame(newest: Snapshot) -> Sealed:
    """Return a body whose gzip trailer says that it is three bytes long."""
    whole = gzip.compress(newest.to_body())
    return _signed(whole[:-4] + (3).to_bytes(4, "little"), "gzip")


def _lying_bomb(_: Snapshot) -> Sealed:
    whole = gzip.compress(bytes(MAX_BODY + 1_000_000))
    return _signed(whole[:-4] + (3).to_bytes(4, "little"), "gzip")


FORGERIES: dict[str, tuple[Forge, str]] = {
    "nothing": (lambda _: Sealed(b"", {}), "unsigned"),
    "unsigned": (lambda newest: Sealed(canonical(_evil(newest)), {}), "unsigned"),
    "forged": (lambda newest: seal(Snapshot.model_validate(_evil(newest)), STRANGER), "unknown_key"),
    "altered": (_altered, "signature"),
    "an older version": (_older, "order"),
    "the same version with other content": (_other_content, "order"),
    "another installation": (lambda newest: _signed(_value(newest, installation="other")), "installation"),
    "a newer schema": (lambda newest: _signed(_value(newest, schema=2)), "schema"),
    "no schema": (lambda _: _signed(b"{}"), "schema"),
    "no JSON": (lambda _: _signed(b"\x00"), "schema"),
    "a digest that is not its own": (lambda newest: _signed(_value(newest, digest="sha256:0")), "digest"),
    "keys without the one that signed": (
        lambda newest: _signed(_value(newest, keys=[STRANGER.public_key])),
        "schema",
    ),
    "an unknown encoding": (lambda newest: _signed(newest.to_body(), "zstd"), "encoding"),
    "a truncated frame": (lambda newest: _signed(gzip.compress(newest.to_body())[:-9], "gzip"), "encoding"),
    "a frame that lies about its size": (_lying_frame, "encoding"),
    "too large when decompressed": (_bomb, "size"),
    "too large in a frame that says it is small": (_lying_bomb, "size"),
    "a stranger's bomb": (
        lambda newest: Sealed(_bomb(newest).body, {**seal(newest, STRANGER).headers, "Content-Encoding": "gzip"}),
        "unknown_key",
    ),
}


async def _send(world: World, sealed: Sealed) -> int:
    """Publish as a raw client does that may write to the subject: without an expected sequence."""
    headers = {name: value for name, value in sealed.headers.items() if not name.startswith("Nats-")}
    async with world.bus() as bus:
        return (await bus.js.publish(subjects.SNAPSHOT, sealed.body, headers=headers)).seq


async def _answer(world: World, seq: int) -> NodeAck:
    async def look() -> NodeAck | None:
        ack = await world.ack(LAPTOP)
        return ack if ack is not None and ack.stream_seq == seq else None

    found: NodeAck = await until(look, f"an answer to {seq}")
    return found


def _files(node: NodeUnderTest) -> dict[Path, tuple[bytes, int]]:
    """Return what a node has written, and when, but for the record of what it runs."""
    found = [each for each in node.folder.rglob("*") if each.is_file() and each.name not in ("lock", "applied.json")]
    return {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in found}


async def _state(world: World) -> tuple[str, str]:
    """Return how `routecast nodes` says that the laptop stands, and why."""
    env = {"ROUTECAST_NATS_URL": world.server.url}
    shown = await asyncio.to_thread(run_routecast, "nodes", "-o", "json", env=env)
    assert shown.exit_code in (exits.OK, exits.NOT_SO), shown.stderr  # some nodes never were
    (row,) = [each for each in orjson.loads(shown.stdout)["nodes"] if each["node"] == LAPTOP]
    return row["state"], row["error"] or ""


@pytest.mark.parametrize("what", FORGERIES)
async def test_what_a_stranger_sends_is_rejected_and_published_over(
    world: World, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The node says why in its record, in `nodes` and in its log; its files stay; a push puts the truth back."""
    forge, code = FORGERIES[what]
    async with world.publisher(), world.node(LAPTOP).running():
        node = world.node(LAPTOP)
        truth = await world.synced(LAPTOP)
        before = await asyncio.to_thread(_files, node)
        seq = await _send(world, forge(truth))
        ack = await _answer(world, seq)
        assert ack.error is not None
        assert (ack.state, ack.error.code, ack.attempted) == (State.REJECTED, code, None)
        assert ack.applied is not None
        assert ack.applied.order == truth.order
        assert await _state(world) == ("rejected", ack.error.message)
        said = [each.msg for each in caplog.records if isinstance(each.msg, dict)]
        assert code in {each["code"] for each in said if each["event"] == "snapshot rejected"}
        assert await asyncio.to_thread(_files, node) == before
        pushed = await asyncio.to_thread(run_routecast, "push", env={"ROUTECAST_NATS_URL": world.server.url})
        assert pushed.exit_code == exits.OK, pushed.stdout + pushed.stderr
        after = await world.synced(LAPTOP)
        assert after.digest == truth.digest
        assert after.order >= truth.order  # above it where the stream looks like one from a backup
        assert (await _state(world))[0] == "synced"


async def test_a_publisher_looks_and_publishes_over_what_is_not_its_own(world: World) -> None:
    """Nobody has to push: at its next look the publisher finds the forgery, and no version is lost or used twice."""
    async with world.publisher(keep_every_s=0.2), world.node(LAPTOP).running():
        truth = await world.synced(LAPTOP)
        for sealed in (Sealed(b"", {}), seal(Snapshot.model_validate(_evil(truth)), STRANGER)):
            seq = await _send(world, sealed)
            await until(lambda s=seq: _above(world, s), "the truth again")
            assert (await world.synced(LAPTOP)).order == truth.order
        world.registry.edit_services(lambda services: services.pop("grafana"))
        assert (await world.published(above=truth.order)).version == truth.version + 1


async def _above(world: World, seq: int) -> bool:
    return await world.last_seq() > seq


async def test_a_replayed_version_is_not_gone_back_to(world: World) -> None:
    """An old version out of the history, rightly signed and sent again byte for byte, is refused for its order."""
    async with world.publisher(), world.node(LAPTOP).running():
        old = await world.synced(LAPTOP)
        async with world.bus() as bus:
            kept = await read_version(bus, old.order)
        assert kept is not None
        world.registry.edit_services(lambda services: services.pop("grafana"))
        await world.published(above=old.order)
        new = await world.synced(LAPTOP)
        ack = await _answer(world, await _send(world, kept.sealed))
        assert ack.error is not None
        assert (ack.state, ack.error.code) == (State.REJECTED, "order")
        assert str(new.order) in ack.error.message
        assert "grafana.mycloud.local" not in world.node(LAPTOP).names()


async def test_more_than_the_server_takes_is_not_even_sent(world: World) -> None:
    """What is too large as sent never reaches a node: the server refuses it, and its newest stays."""
    async with world.publisher(), world.node(LAPTOP).running():
        truth = await world.synced(LAPTOP)
        async with world.bus() as bus:
            with pytest.raises(Exception, match="maximum payload"):
                await bus.js.publish(subjects.SNAPSHOT, bytes(bus.max_payload + 1))
            stored = await read_newest(bus)
        assert stored is not None
        assert (await world.synced(LAPTOP)).order == truth.order
