import base64
import contextlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from common.errors import ConfigError
from common.models import Role
from common.trust.token import JoinToken
from tests.registries import AT

TOKEN = JoinToken(
    url="nats://100.122.68.75:4222",
    tls="required",
    authority="-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    node="vinay-laptop",
    role=Role.LAPTOP,
    installation="8f14e45f-0000-0000-0000-000000000000",
    public_keys=("WKsHhuz46EVmjbiraXWb4E/CUkYzMOGMnT2HybZW29E=",),
    zones=("mycloud.local",),
    issuer="A" * 56,
    id="J0123456789abcdef",
    expires=AT,
    secret=SecretStr("the-secret"),
    jwt=SecretStr("the-jwt"),
    seed=SecretStr("the-seed"),
)


def test_a_token_is_one_line_that_comes_back() -> None:
    """Paste it, and all of it is there."""
    line = TOKEN.encode()
    assert JoinToken.decode(line) == TOKEN
    assert line.isascii()
    assert len(line.split()) == 1


def test_its_secrets_are_not_shown() -> None:
    """A token in a log line or an error tells nothing that lets anybody in."""
    shown = f"{TOKEN!r} {TOKEN} {TOKEN.model_dump()}"
    assert not [word for word in ("the-secret", "the-jwt", "the-seed") if word in shown]


@given(st.data())
def test_a_token_that_was_cut_or_altered_is_refused(data: st.DataObject) -> None:
    """It is an error of ours; an altered token never gives another valid one by chance."""
    line = TOKEN.encode()
    i = data.draw(st.integers(0, len(line) - 1))
    altered = data.draw(st.sampled_from([line[:i], line[:i] + "~" + line[i + 1 :], line[:i] + "A" + line[i + 1 :]]))
    with contextlib.suppress(ConfigError):
        assert JoinToken.decode(altered) == TOKEN


def test_a_bomb_is_not_unpacked() -> None:
    """A few bytes that would become many megabytes are a damaged token."""
    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * 50_000_000, 9)).decode()
    with pytest.raises(ConfigError, match="damaged"):
        JoinToken.decode(f"rcj1.{bomb}")


@pytest.mark.parametrize("text", ["", "rcj1.", "rcj2.abc", "hello"])
def test_what_is_no_token_is_refused(text: str) -> None:
    """It says what one looks like."""
    with pytest.raises(ConfigError, match="join token"):
        JoinToken.decode(text)
