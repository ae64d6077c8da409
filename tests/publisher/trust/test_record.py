from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ConfigError
from publisher.registry.node_keys import NodeKey
from publisher.trust.record import Admission, TrustRecord
from tests.registries import AT

LATER = AT + timedelta(hours=1)
KNOWN = TrustRecord(keys={"K": Admission(node="laptop", registered="r", since=AT)})


def _node(name: str = "laptop", key: str | None = "K", registered: str = "r", *, sure: bool = True) -> NodeKey:
    return NodeKey(name, sure, key, registered)


def test_a_key_in_the_registry_is_remembered() -> None:
    """With the node that it lets in."""
    assert TrustRecord().reviewed([_node(), _node("vps", None)], AT) == KNOWN
    assert TrustRecord().reviewed([_node(sure=False)], AT) == TrustRecord()


@pytest.mark.parametrize(
    "present",
    [
        [_node()],
        [_node(registered="another")],
        [_node("mac", sure=False)],
        [_node(key=None)],
        [_node(key=None), _node("vps", None)],
    ],
)
def test_a_key_stays_good(present: list[NodeKey]) -> None:
    """Its node is there with it, perhaps with an address that cannot be read; or has lost it with an old form of it."""
    assert KNOWN.reviewed(present, LATER) == KNOWN


@pytest.mark.parametrize(
    "present",
    [
        [],
        [_node("vps", None)],
        [_node(key="L")],
        [_node("another")],
        [_node(key=None, registered="another")],
    ],
)
def test_a_key_is_revoked(present: list[NodeKey]) -> None:
    """Its node is gone, has another key, is called otherwise, or is another one of the same name."""
    assert KNOWN.reviewed(present, LATER).revoked == {
        "K": Admission(node="laptop", registered="r", since=AT, revoked=LATER)
    }


def test_a_key_that_was_revoked_is_never_good_again() -> None:
    """Whoever writes it back into the registry."""
    revoked = KNOWN.reviewed([], LATER)
    assert revoked.reviewed([_node()], LATER) == revoked
    assert revoked.joined(KNOWN) == KNOWN.joined(revoked) == revoked


def test_what_two_know_is_known_together() -> None:
    """A key that one of them did not know yet, and the token that it was used up for."""
    token = KNOWN.admitting("K", Admission(node="laptop", registered="r", join="J1", since=LATER))
    assert token.keys["K"] == Admission(node="laptop", registered="r", join="J1", since=AT)
    other = TrustRecord().admitting("L", Admission(node="vps", since=AT))
    assert token.joined(other).keys == {**token.keys, **other.keys}
    assert token.used("J1", "L")
    assert not token.used("J1", "K")
    assert not token.used("J2", "L")


def test_nodes_are_gone_that_are_kept_out_and_not_there_again() -> None:
    """One that was registered anew keeps its durable and its acks."""
    revoked = KNOWN.reviewed([], LATER)
    assert revoked.gone([]) == {"laptop"}
    assert revoked.gone([_node(key=None, registered="new")]) == frozenset()
    assert KNOWN.gone([]) == frozenset()


def test_it_comes_back_from_its_text() -> None:
    """No text is no key; what cannot be read is not taken for that."""
    revoked = KNOWN.reviewed([], LATER)
    assert TrustRecord.read(revoked.text) == revoked
    assert TrustRecord.read(None) == TrustRecord()
    for damaged in ("", "{", "[]", '{"keys": 5}', '{"keys": {"K": {}}}'):
        with pytest.raises(ConfigError, match="damaged"):
            TrustRecord.read(damaged)


NODES = st.lists(
    st.builds(
        NodeKey, st.sampled_from("ab"), st.booleans(), st.none() | st.sampled_from("KLM"), st.sampled_from(["", "r"])
    ),
    max_size=4,
)


@given(st.lists(NODES, max_size=6))
def test_the_revoked_only_become_more(looks: list[list[NodeKey]]) -> None:
    """Whatever the registry says from look to look; and looking twice changes nothing."""
    record = TrustRecord()
    for present in looks:
        after = record.reviewed(present, AT)
        assert after.revoked.keys() >= record.revoked.keys()
        assert after.keys.keys() >= record.keys.keys()
        assert after.reviewed(present, LATER) == after
        assert record.joined(after) == after
        record = after
