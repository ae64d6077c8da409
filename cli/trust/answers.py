"""Read from the bus what a rotation goes by: the newest snapshot of our own, and all answers that nodes have stored."""

import base64
from dataclasses import dataclass

import orjson

from cli.newest import key_of
from common import subjects
from common.ack import NodeAck
from common.bus import Bus, translated
from common.errors import BusUnavailable, SnapshotRejected
from common.snapshot import Snapshot, open_sealed
from common.streams import read_newest, stream_info
from publisher.signing import SigningKeys


@dataclass(frozen=True, slots=True)
class Ours:
    """The newest snapshot, when one of our keys signed it."""

    snapshot: Snapshot
    stream_seq: int
    signed_with: str | None


async def read_ours(bus: Bus, keys: SigningKeys) -> Ours | None:
    """Return the newest snapshot; None when there is none, or none of ours.

    Raises:
        BusUnavailable: no answer.

    """
    stored = await read_newest(bus)
    if stored is None:
        return None
    try:
        snapshot, _ = open_sealed(stored.sealed, keys.trusted)
    except SnapshotRejected:
        return None
    return Ours(snapshot, stored.seq, key_of(stored.sealed))


@dataclass(frozen=True, slots=True)
class Counters:
    """Which streams these are, and how far the answers have counted."""

    streams: str
    last_ack: int


async def read_counters(bus: Bus) -> Counters:
    """Return how the streams stand now.

    Raises:
        BusUnavailable: no answer, or no publisher has made them yet.

    """
    registry, acks = await stream_info(bus, subjects.REGISTRY), await stream_info(bus, subjects.ACKS)
    if registry is None or acks is None:
        raise BusUnavailable(
            "no publisher is running, nor ever was on this NATS server; start one with `routecast publisher run`"
        )
    return Counters(f"{registry.created} {acks.created}", acks.state.last_seq)


async def read_answers(bus: Bus, after: int) -> tuple[list[NodeAck], int]:
    """Return the answers that were stored after the sequence `after`, and the sequence of the last one.

    Each is believed for the node on whose subject it came alone.

    Raises:
        BusUnavailable: no answer.

    """
    found: list[NodeAck] = []
    subject = f"{bus.jetstream_prefix}.STREAM.MSG.GET.{subjects.ACKS}"
    while True:
        wanted = orjson.dumps({"seq": after + 1, "next_by_subj": subjects.ACK_ALL})
        with translated("reading the nodes' answers", bus):
            reply = orjson.loads((await bus.nc.request(subject, wanted, timeout=bus.timeout_s)).data)
        message = reply.get("message")
        if message is None:
            return found, after
        after = int(message["seq"])
        ack = NodeAck.from_body(_decoded(message.get("data") or ""))
        if ack is not None and message["subject"] == subjects.ack(ack.node):
            found.append(ack)


def _decoded(text: str) -> bytes:
    return base64.b64decode(text)
