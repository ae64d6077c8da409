from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.codec import digest_of
from common.snapshot import Order, Reason, registry_value
from publisher.pipeline.build import Occasion, Position, build, installation_of, mark_of, next_order
from publisher.pipeline.parse import Part
from publisher.source.source import Mark
from tests.registries import AT, INSTALLATION, REFERENCE, SIGNER, snapshot, without_service

NOW_MS = 1_763_999_999_000
OLD = snapshot(version=57)
MARK = mark_of(OLD)
OCCASION = Occasion(Reason.PUSH, AT.replace(year=2026), NOW_MS, 3600)


@pytest.mark.parametrize(
    ("position", "mark", "digest", "order"),
    [
        # first contact
        (Position(None, 0, intact=False), None, "x", Order(NOW_MS, 1)),
        # the same content, and new content
        (Position(OLD, 5), MARK, OLD.digest, OLD.order),
        (Position(OLD, 5), MARK, "x", Order(OLD.epoch, 58)),
        # the mark was lost, or is a version late after a crash
        (Position(OLD, 5), None, "x", Order(OLD.epoch, 58)),
        (Position(OLD, 5), MARK.model_copy(update={"version": 56, "digest": "y"}), "x", Order(OLD.epoch, 58)),
        # the stream was wiped; or restored from a backup; or holds other content at the mark's own order
        (Position(None, 0, intact=False), MARK, "x", Order(NOW_MS, 1)),
        (Position(OLD, 0, intact=False), MARK, OLD.digest, Order(NOW_MS, 1)),
        (Position(OLD, 5), MARK.model_copy(update={"version": 60}), OLD.digest, Order(NOW_MS, 1)),
        (Position(OLD, 5), MARK.model_copy(update={"digest": "y"}), OLD.digest, Order(NOW_MS, 1)),
        # the newest message is a forgery: what the history has verified goes on
        (Position(OLD, 9, intact=False), MARK, OLD.digest, OLD.order),
    ],
)
def test_each_way_the_stream_can_stand_has_its_order(
    position: Position, mark: Mark | None, digest: str, order: Order
) -> None:
    """Versions rise by one with the content; a lost or restored stream begins a new epoch."""
    assert next_order(position, mark, digest, NOW_MS) == order


@given(st.integers(1, 2**53), st.integers(1, 2**53), st.integers(1, 9), st.sampled_from(["a", "b"]))
def test_a_new_epoch_is_above_all_that_was_known(epoch_ms: int, mark_epoch: int, version: int, digest: str) -> None:
    """Also with a clock that is hours wrong no node refuses what comes next."""
    mark = Mark(epoch=mark_epoch, version=version, digest="a", counts={})
    assert next_order(Position(None, 0, intact=False), mark, digest, epoch_ms) > mark.order
    assert next_order(Position(OLD, 0, intact=False), mark, digest, epoch_ms) > max(mark.order, OLD.order)


def test_a_republish_differs_only_in_when_and_why() -> None:
    """Same epoch, version, digest and created_at: nodes find nothing to do."""
    occasion = Occasion(Reason.PUSH, AT.replace(year=2026), NOW_MS, 3600)
    again = build(REFERENCE, {}, Position(OLD, 5), MARK, INSTALLATION, occasion)
    assert again.model_dump(exclude={"published_at", "reason"}) == OLD.model_dump(exclude={"published_at", "reason"})
    assert again.published_at == occasion.now


def test_new_content_is_created_now() -> None:
    """A new version carries the time of its making and the digest of its registry."""
    registry = without_service("grafana")
    occasion = Occasion(Reason.CHANGE, AT.replace(year=2026), NOW_MS, 3600)
    built = build(registry, {}, Position(OLD, 5), MARK, INSTALLATION, occasion)
    assert built.created_at == built.published_at == occasion.now
    assert built.order == Order(OLD.epoch, 58)
    assert built.digest == digest_of(registry_value(registry))


def test_the_mark_counts_every_part() -> None:
    """What was there is counted by the names that readiness asks for."""
    assert set(MARK.counts) == {part.value for part in Part}
    assert MARK.counts == {
        "cluster": 1, "services": 4, "domains": 2, "vps_nodes": 2, "routing": 2, "nodes": 4
    }  # fmt: skip


def test_publishers_that_share_a_seed_agree_on_a_new_installation() -> None:
    """Two publishers at first contact, or one after a total loss, name the same installation."""
    assert installation_of(SIGNER.public_key) == installation_of(SIGNER.public_key)
    assert installation_of(SIGNER.public_key) != installation_of("other")


def test_keys_are_named_as_the_occasion_says() -> None:
    """Also in a republish, whose content is that of before."""
    named = build(REFERENCE, {}, Position(OLD, 5), MARK, INSTALLATION, replace(OCCASION, keys=(SIGNER.public_key,)))
    assert named.keys == (SIGNER.public_key,)
    assert named.order == OLD.order


def test_what_follows_is_published_later() -> None:
    """A clock that was set back makes no snapshot look older than the one before it."""
    occasion = replace(OCCASION, now=AT - timedelta(days=1))
    after = build(REFERENCE, {}, Position(OLD, 5), MARK, INSTALLATION, occasion)
    assert after.published_at == OLD.published_at + timedelta(microseconds=1)
    first = build(REFERENCE, {}, Position(None, 0), None, INSTALLATION, occasion)
    assert first.published_at == occasion.now
