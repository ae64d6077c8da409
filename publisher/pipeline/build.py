"""From a registry to the snapshot that carries it: content, digest, place in the order. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from common.codec import digest_of
from common.models import Registry
from common.snapshot import SCHEMA, Order, Reason, Snapshot, SourceInfo, registry_value
from publisher.source.source import Mark


@dataclass(frozen=True, slots=True)
class Position:
    """What the bus holds: the newest snapshot that verifies, and the sequence that the next publish must follow."""

    newest: Snapshot | None
    """From ``REGISTRY``, else from the history."""
    last_seq: int
    """Sequence of the newest message on the subject, verified or not; 0 when there is none."""
    intact: bool = True
    """Whether that newest message is `newest`; not so when the subject is empty or holds what does not verify."""
    message_id: str | None = None
    """Of that newest message."""
    stored_at: datetime | None = None
    """When it was stored."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and why a snapshot is built, and under which promise of a republish."""

    reason: Reason
    now: datetime
    epoch_ms: int
    republish_every_s: int
    keys: tuple[str, ...] = ()
    """The public keys that nodes are told to believe."""


def next_order(position: Position, mark: Mark | None, digest: str, epoch_ms: int) -> Order:
    """Return the order of content `digest`: the same as before when it is the same, else one version up.

    A new epoch starts when the stream is empty, or its newest verified snapshot is below the mark: a stream that was
    wiped or restored from a backup. It is higher than all before: no node refuses it, no version gets two contents.
    """
    newest = position.newest
    if newest is None or position.last_seq == 0 or _below(newest, mark):
        known = [revision.epoch for revision in (newest, mark) if revision is not None]
        return Order(max([epoch_ms, *(epoch + 1 for epoch in known)]), 1)
    return newest.order if newest.digest == digest else Order(newest.epoch, newest.version + 1)


def _below(newest: Snapshot, mark: Mark | None) -> bool:
    if mark is None or newest.order > mark.order:
        return False
    return newest.order < mark.order or newest.digest != mark.digest


def build(
    registry: Registry,
    sources: Mapping[str, SourceInfo],
    position: Position,
    mark: Mark | None,
    installation: str,
    occasion: Occasion,
) -> Snapshot:
    """Return the snapshot of `registry`; one with the order of the newest keeps its ``created_at``.

    It is always published after the newest, whatever the clock says: nodes tell replayed keys by that.
    """
    digest = digest_of(registry_value(registry))
    order = next_order(position, mark, digest, occasion.epoch_ms)
    same = position.newest is not None and position.newest.order == order
    return Snapshot(
        schema=SCHEMA,
        installation=installation,
        epoch=order.epoch,
        version=order.version,
        digest=digest,
        created_at=position.newest.created_at if same and position.newest is not None else occasion.now,
        published_at=_after(position.newest, occasion.now),
        reason=occasion.reason,
        republish_every_s=occasion.republish_every_s,
        keys=occasion.keys,
        sources=dict(sources),
        registry=registry,
    )


def _after(newest: Snapshot | None, now: datetime) -> datetime:
    return now if newest is None else max(now, newest.published_at + timedelta(microseconds=1))


def mark_of(snapshot: Snapshot) -> Mark:
    """Return the mark that a published snapshot sets."""
    registry = snapshot.registry
    return Mark(
        epoch=snapshot.epoch,
        version=snapshot.version,
        digest=snapshot.digest,
        counts={
            "cluster": int(registry.cluster.domain is not None),
            "services": len(registry.services),
            "domains": len(registry.domains),
            "vps_nodes": len(registry.vps_nodes),
            "routing": len(registry.routing),
            "nodes": len(registry.nodes),
        },
    )


def installation_of(public_key: str) -> str:
    """Return the id of a new installation: the same for every publisher that shares a seed, also after a total loss."""
    return str(uuid5(NAMESPACE_URL, f"routecast:{public_key}"))
