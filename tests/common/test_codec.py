import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.codec import COMPRESS_ABOVE, canonical, compress, decompress, digest_of, parse_json
from common.errors import Rejection, SnapshotRejected

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_equal_values_have_equal_bytes(value: object) -> None:
    """Canonical JSON read back is the same value with the same digest."""
    again = parse_json(canonical(value))
    assert again == value
    assert canonical(again) == canonical(value)
    assert digest_of(again) == digest_of(value)


def test_key_order_does_not_change_the_digest() -> None:
    """The digest is that of the value, not of how somebody wrote it."""
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})


@given(st.binary(max_size=64), st.integers(0, 2))
def test_a_body_comes_back_as_it_was(seed: bytes, times: int) -> None:
    """Compressed or not, a body is the same after its journey."""
    body = (seed or b"x") * (times * COMPRESS_ABOVE // max(len(seed), 1) + 1)
    data, encoding = compress(body)
    assert (encoding == "gzip") == (len(body) > COMPRESS_ABOVE)
    assert decompress(data, encoding) == body


@pytest.mark.parametrize(
    ("data", "encoding", "code"),
    [
        (b"plain", "gzip", Rejection.ENCODING),
        (gzip.compress(b"x" * 100)[:-9], "gzip", Rejection.ENCODING),
        (b"plain", "br", Rejection.ENCODING),
        (gzip.compress(bytes(1001)), "gzip", Rejection.SIZE),
        (bytes(1001), None, Rejection.SIZE),
    ],
)
def test_what_cannot_be_unpacked_within_its_bound_is_rejected(data: bytes, encoding: str | None, code: str) -> None:
    """Garbage, truncated frames, unknown encodings and bombs are refused by their rule."""
    with pytest.raises(SnapshotRejected) as caught:
        decompress(data, encoding, limit=1000)
    assert caught.value.code == code


def test_a_bomb_is_not_unpacked_beyond_the_bound() -> None:
    """A frame that lies about its size is stopped at the bound, whatever it holds."""
    liar = bytearray(gzip.compress(bytes(50_000_000)))
    liar[-4:] = (10).to_bytes(4, "little")
    with pytest.raises(SnapshotRejected) as caught:
        decompress(bytes(liar), "gzip", limit=4096)
    assert caught.value.code is Rejection.SIZE
    assert len(zlib.decompressobj(wbits=31).decompress(bytes(liar), 4097)) == 4097


def test_what_is_no_json_is_rejected() -> None:
    """A body that is no JSON is refused as such."""
    with pytest.raises(SnapshotRejected, match="not JSON"):
        parse_json(b"{")
