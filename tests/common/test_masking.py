from hypothesis import given
from hypothesis import strategies as st

from common.masking import MASK, masked, masked_url
from common.trust.nkeys import KeyPair, Owner

words = st.text(alphabet=st.characters(codec="ascii", categories=["L", "N", "Zs"]), max_size=20)


@given(st.sampled_from(Owner), words, words)
def test_no_seed_is_left_in_a_text(owner: Owner, before: str, after: str) -> None:
    """Whoever's it is and whatever stands around it; a public key is no secret and stays."""
    pair = KeyPair.new(owner)
    assert masked(f"{before} {pair.seed} {after}") == f"{before} {MASK} {after}"
    assert masked(f"{before} {pair.public} {after}") == f"{before} {pair.public} {after}"


def test_logins_and_join_tokens_are_masked() -> None:
    """What stands before a host, for either scheme, and a whole token."""
    assert masked("at tls://me:s3cret@cp1:4222 with rcj1.ab-c_d= done") == f"at tls://{MASK}@cp1:4222 with {MASK} done"
    assert masked_url("nats://t0ken@cp1") == f"nats://{MASK}@cp1"
