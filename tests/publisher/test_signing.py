import pytest

from common.signing import Signer
from common.snapshot import Snapshot
from publisher.signing import SigningKeys, Stage, is_replaced, keys_to_name
from tests.registries import SIGNER, snapshot

A, B, C = SIGNER.public_key, Signer(bytes(32)).public_key, Signer(bytes([1]) * 32).public_key


def _newest(*named: str) -> Snapshot:
    return snapshot().model_copy(update={"keys": named})


@pytest.mark.parametrize(
    ("keys", "stage"),
    [
        (SigningKeys(SIGNER), Stage.NONE),
        (SigningKeys(SIGNER, next=B), Stage.ANNOUNCING),
        (SigningKeys(SIGNER, next=B, previous=A), Stage.ANNOUNCING),
        (SigningKeys(SIGNER, previous=A), Stage.NONE),
        (SigningKeys(SIGNER, previous=B), Stage.RETIRING),
    ],
)
def test_the_seeds_tell_how_far_a_rotation_is(keys: SigningKeys, stage: Stage) -> None:
    """Whatever files an interrupted rotation left, they stand for one stage, from which it goes on."""
    assert keys.stage is stage


@pytest.mark.parametrize(
    ("keys", "newest", "named"),
    [
        # never rotated
        (SigningKeys(SIGNER), None, ()),
        (SigningKeys(SIGNER), _newest(), ()),
        # announced, by this one or by another that sees the next seed already
        (SigningKeys(SIGNER, next=B), _newest(), (A, B)),
        (SigningKeys(SIGNER, next=B), None, (A, B)),
        (SigningKeys(SIGNER), _newest(A, B), (A, B)),
        # switched: the previous key is taken back
        (SigningKeys(SIGNER, previous=B), _newest(B, A), (A,)),
        (SigningKeys(SIGNER, previous=B), None, (A,)),
        (SigningKeys(SIGNER, previous=B), _newest(A), (A,)),
        # done, and for ever after; and with another next key, which was never switched to, dropped
        (SigningKeys(SIGNER), _newest(A), (A,)),
        (SigningKeys(SIGNER), _newest(B, A), (A,)),
        (SigningKeys(SIGNER, next=C), _newest(A, B), (A, C)),
    ],
)
def test_what_nodes_are_told_to_believe(keys: SigningKeys, newest: Snapshot | None, named: tuple[str, ...]) -> None:
    """Nothing before the first rotation, both keys during one, the signing key alone after it."""
    assert keys_to_name(keys, newest) == named
    assert not named or named[0] == keys.current


@pytest.mark.parametrize(
    ("keys", "newest", "replaced"),
    [
        (SigningKeys(SIGNER), None, False),
        (SigningKeys(SIGNER), _newest(), False),
        (SigningKeys(SIGNER, next=B), _newest(A, B), False),
        (SigningKeys(SIGNER, next=B), _newest(B), True),
        (SigningKeys(SIGNER), _newest(B), True),
        # a stream that was restored from a backup: nodes believe us, whatever it says
        (SigningKeys(SIGNER, previous=B), _newest(B), False),
    ],
)
def test_a_publisher_knows_that_its_key_is_replaced(keys: SigningKeys, newest: Snapshot | None, replaced: bool) -> None:
    """One that sees the new seed late publishes nothing that every node would refuse."""
    assert is_replaced(keys, newest) is replaced


def test_no_seed_is_shown() -> None:
    """What is logged or printed of keys is public."""
    seed = bytes(range(32))
    assert str(seed) not in repr(SigningKeys(Signer(seed)))
    assert SigningKeys(SIGNER, B, C).trusted == {A, B, C}
