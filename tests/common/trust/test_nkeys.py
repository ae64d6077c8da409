import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ConfigError
from common.trust.nkeys import KeyPair, Owner, is_public_key

USER = KeyPair.new(Owner.USER)


@pytest.mark.parametrize("owner", Owner)
def test_a_key_says_whose_it_is(owner: Owner) -> None:
    """A pair made for one is no other's, and comes back from its seed."""
    pair = KeyPair.new(owner)
    assert pair.public.startswith(owner.letter)
    assert KeyPair.of(pair.seed, owner) == pair
    assert [each for each in Owner if is_public_key(pair.public, each)] == [owner]
    for other in set(Owner) - {owner}:
        with pytest.raises(ConfigError, match="no seed of a NATS"):
            KeyPair.of(pair.seed, other)


def test_a_seed_is_never_shown() -> None:
    """Neither by a pair nor by the error about a seed that is damaged."""
    assert USER.seed not in repr(USER)
    damaged = USER.seed[:-4] + "AAAA"
    with pytest.raises(ConfigError) as caught:
        KeyPair.of(damaged, Owner.USER)
    assert damaged not in str(caught.value)


@given(st.integers(1, len(USER.public) - 1), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_one_wrong_letter_is_noticed(i: int, letter: str) -> None:
    """The checksum in a public key holds."""
    text = USER.public[:i] + letter + USER.public[i + 1 :]
    assert is_public_key(text, Owner.USER) == (text == USER.public)


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    """What comes over the bus may be anything."""
    assert not is_public_key(f"U{text}", Owner.USER) or len(text) == 55
