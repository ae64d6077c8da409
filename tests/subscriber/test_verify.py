import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.ack import Revision
from common.errors import Rejection, SnapshotRejected
from common.signing import Signer
from common.snapshot import seal
from subscriber.verify import Trust, verify
from tests.registries import INSTALLATION, KEYS, SIGNER, snapshot, without_service

TRUST = Trust(KEYS, INSTALLATION)


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
