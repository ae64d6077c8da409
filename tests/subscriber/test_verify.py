from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ack import Revision
from common.errors import Rejection, SnapshotRejected
from common.signing import Signer
from common.snapshot import Snapshot, seal
from subscriber.verify import Brought, Trust, verify
from tests.registries import INSTALLATION, KEYS, SIGNER, snapshot, without_service

TRUST = Trust(KEYS, INSTALLATION)
OTHERS = [Signer(bytes([n]) * 32) for n in (1, 2, 3)]
B, C, D = (each.public_key for each in OTHERS)
A = SIGNER.public_key


def _naming(*keys: str, version: int = 57, later_s: int = 0) -> Snapshot:
    made = snapshot(version=version)
    return made.model_copy(update={"keys": keys, "published_at": made.published_at + timedelta(seconds=later_s)})


def _taken(trust: Trust, named: Snapshot, signer: Signer, accepted: Revision | None = None) -> Trust:
    """Return whom a node believes that has taken `named`."""
    verified = verify(seal(named, signer), trust, accepted)
    return Trust(trust.public_keys, trust.installation, verified.brings or trust.brought)


@given(st.tuples(st.integers(1, 3), st.integers(1, 3)), st.tuples(st.integers(1, 3), st.integers(1, 3)))
def test_a_node_never_goes_back(accepted: tuple[int, int], offered: tuple[int, int]) -> None:
    """A lower order is refused and names the node's own; an equal one is a repeat, a higher one is taken."""
    own = Revision.of(snapshot(epoch=accepted[0], version=accepted[1]))
    sealed = seal(snapshot(epoch=offered[0], version=offered[1]), SIGNER)
    if offered < accepted:
        with pytest.raises(SnapshotRejected, match=str(own.order)) as caught:
            verify(sealed, TRUST, own)
        assert caught.value.code is Rejection.ORDER
    else:
        assert verify(sealed, TRUST, own).repeat == (offered == accepted)


def test_the_first_snapshot_of_any_installation_is_taken() -> None:
    """A node that is bound to no installation yet takes the first one that verifies."""
    verified = verify(seal(snapshot(), SIGNER), Trust(KEYS, None), None)
    assert (verified.snapshot, verified.repeat) == (snapshot(), False)


def test_no_version_has_two_contents() -> None:
    """The same order with another digest is refused."""
    sealed = seal(snapshot(without_service("grafana")), SIGNER)
    with pytest.raises(SnapshotRejected, match="other content") as caught:
        verify(sealed, TRUST, Revision.of(snapshot()))
    assert caught.value.code is Rejection.ORDER


def test_another_installation_is_refused() -> None:
    """A snapshot that was meant for somebody else's nodes changes nothing here."""
    with pytest.raises(SnapshotRejected) as caught:
        verify(seal(snapshot(), SIGNER), Trust(KEYS, "other"), None)
    assert caught.value.code is Rejection.INSTALLATION


def test_an_unknown_key_is_refused() -> None:
    """Only the keys in this node's settings count."""
    with pytest.raises(SnapshotRejected) as caught:
        verify(seal(snapshot(), Signer(bytes(32))), TRUST, None)
    assert caught.value.code is Rejection.UNKNOWN_KEY


def test_named_keys_replace_those_believed_so_far() -> None:
    """Announced beside the old key, then alone: from there on the old key is refused, its old messages too."""
    own = Revision.of(snapshot())
    both = _taken(TRUST, _naming(A, B), SIGNER, own)
    assert both.keys == {A, B}
    alone = _taken(both, _naming(B, later_s=1), OTHERS[0], own)
    assert alone.keys == {B}
    for old in (_naming(A, B), _naming(A), snapshot(version=99)):
        with pytest.raises(SnapshotRejected) as caught:
            verify(seal(old, SIGNER), alone, own)
        assert caught.value.code is Rejection.UNKNOWN_KEY


def test_the_same_keys_again_change_nothing() -> None:
    """Every snapshot after a rotation names its key; there is nothing to remember about that."""
    alone = _taken(TRUST, _naming(A), SIGNER)
    for again in (_naming(A), _naming(A, later_s=9), _naming(A, later_s=-9), snapshot(), _naming(A, version=58)):
        assert verify(seal(again, SIGNER), alone, None).brings is None


@pytest.mark.parametrize("later_s", [-1, 0])
def test_a_replay_brings_no_key_back(later_s: int) -> None:
    """Of the same version, what was published before the keys changed last cannot change them back."""
    own = Revision.of(snapshot())
    trust = _taken(TRUST, _naming(A, B), SIGNER, own)
    with pytest.raises(SnapshotRejected, match="and names others") as caught:
        verify(seal(_naming(A, later_s=later_s), SIGNER), trust, own)
    assert caught.value.code is Rejection.ORDER
    assert _taken(trust, _naming(A, later_s=1), SIGNER, own).keys == {A}


def test_a_newer_version_may_name_keys_whatever_the_clock_says() -> None:
    """The order of versions goes before times: a publisher whose clock was set back is not refused for ever."""
    trust = _taken(TRUST, _naming(A, B), SIGNER)
    assert _taken(trust, _naming(A, version=58, later_s=-3600), SIGNER, Revision.of(snapshot())).keys == {A}


def test_the_owner_has_the_last_word() -> None:
    """Keys in the settings that the brought ones do not descend from count; those that they replaced do not."""
    alone = _taken(_taken(TRUST, _naming(A, B), SIGNER), _naming(B, later_s=1), OTHERS[0])
    brought = alone.brought
    assert brought is not None
    assert set(brought.line) == {A, B}
    assert {
        "the same": Trust(frozenset({A}), None, brought).keys,
        "the new one": Trust(frozenset({B}), None, brought).keys,
        "another one beside": Trust(frozenset({A, C}), None, brought).keys,
        "others": Trust(frozenset({C}), None, brought).keys,
    } == {"the same": {B}, "the new one": {B}, "another one beside": {B, C}, "others": {C}}


def test_after_the_owners_word_all_begins_anew() -> None:
    """What was brought under other settings neither counts nor stands in the way of what is brought under these."""
    stale = _taken(TRUST, _naming(A, B, later_s=3600), SIGNER).brought
    trust = _taken(Trust(frozenset({C}), None, stale), _naming(C, D), OTHERS[1])
    assert trust.keys == {C, D}
    assert trust.brought is not None
    assert set(trust.brought.line) == {C, D}


@given(st.lists(st.sampled_from([A, B, C, D]), min_size=1, max_size=4), st.data())
def test_what_is_believed_was_named_by_what_was_believed(path: list[str], data: st.DataObject) -> None:
    """Only a believed key can name others, and what was replaced never comes back by a replay."""
    signers = {each.public_key: each for each in (SIGNER, *OTHERS)}
    trust, sent = TRUST, []
    for at, key in enumerate(path):
        signer = data.draw(st.sampled_from(sorted(trust.keys)))
        named = _naming(*dict.fromkeys((signer, key)), later_s=at)
        sent.append((named, signers[signer]))
        trust = _taken(trust, named, signers[signer], Revision.of(snapshot()))
        assert trust.keys == {signer, key}
    replayed, by = data.draw(st.sampled_from(sent))
    before = trust.keys
    with suppress(SnapshotRejected):
        trust = _taken(trust, replayed, by, Revision.of(snapshot()))
    assert trust.keys == before


def test_what_was_brought_is_read_back() -> None:
    """The file of a node's keys holds all that counts."""
    brought = _taken(TRUST, _naming(A, B), SIGNER).brought
    assert brought is not None
    assert Brought.model_validate_json(brought.model_dump_json()) == brought
