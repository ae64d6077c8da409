from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.trust.jwt import issue, read_claims
from common.trust.nkeys import KeyPair, Owner

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ACCOUNT, USER = KeyPair.new(Owner.ACCOUNT), KeyPair.new(Owner.USER)


def test_a_token_says_what_was_put_into_it() -> None:
    """Issuer, subject, name, times; the id makes each claim another token."""
    token = issue(ACCOUNT, USER.public, "vinay-laptop", {"type": "user"}, AT, expires=AT.replace(hour=4))
    claims = read_claims(token)
    assert (claims["iss"], claims["sub"], claims["name"]) == (ACCOUNT.public, USER.public, "vinay-laptop")
    assert (claims["iat"], claims["exp"]) == (int(AT.timestamp()), int(AT.replace(hour=4).timestamp()))
    assert claims["nats"] == {"version": 2, "type": "user"}
    assert claims["jti"] != read_claims(issue(ACCOUNT, USER.public, "other", {"type": "user"}, AT))["jti"]
    assert "exp" not in read_claims(issue(ACCOUNT, USER.public, "x", {}, AT))


@given(st.one_of(st.text(), st.text(alphabet="abcAB01-_.", max_size=40)))
def test_what_is_no_token_is_refused(text: str) -> None:
    """Whatever text it is: a ValueError, nothing else."""
    with pytest.raises(ValueError, match="no NATS JWT"):
        read_claims(text)
