"""What a machine with a join token asks, and the answer, over ``registry.join.<id>`` (DESIGN 5)."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_serializer

from common.models import Frozen
from common.trust.nkeys import Owner, is_public_key

MAX_BYTES = 4096
"""More than any request is long; what is longer is not even read."""


def _user_key(text: str) -> str:
    if not is_public_key(text, Owner.USER):
        raise ValueError("no public key of a NATS user")
    return text


class JoinRequest(Frozen):
    """Ask for credentials: the token's secret, and the key that they shall be of. Its private half stays where it is.

    The same request may be sent again when no answer came.
    """

    secret: SecretStr = Field(max_length=128)
    key: Annotated[str, Field(max_length=64), AfterValidator(_user_key)]
    host: str = Field(default="", max_length=255)
    """What the machine is called; for the log only."""
    agent: str = Field(default="", max_length=64)
    """The version of routecast there; for the log only."""

    @field_serializer("secret", when_used="json")
    def _reveal(self, value: SecretStr) -> str:
        return value.get_secret_value()

    @classmethod
    def from_body(cls, body: bytes) -> Self | None:
        """Return the request of a body, None when it is none; nothing is said of it, for a secret is in it."""
        try:
            return cls.model_validate_json(body) if len(body) <= MAX_BYTES else None
        except ValidationError:
            return None


class JoinReply(Frozen):
    """Tell what became of it: the token with which the key is that node, or why there is none."""

    ok: bool
    jwt: str | None = Field(default=None, repr=False)
    error: str | None = None
    again: bool = False
    """Whether the same key may ask again: it was not refused, or is let in already."""
