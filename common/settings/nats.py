"""The ``[nats]`` section."""

from typing import Annotated

from pydantic import Field, UrlConstraints
from pydantic_core import Url

from common.settings.section import Section

NatsUrl = Annotated[Url, UrlConstraints(allowed_schemes=["nats"], host_required=True, default_port=4222)]


class NatsSettings(Section):
    """How to reach the NATS server."""

    url: NatsUrl = Url("nats://127.0.0.1:4222")
    """The server, as `nats://HOST:PORT`."""
    connect_timeout_s: float = Field(default=3.0, gt=0, le=60)
    """How long one attempt to connect may take, in s."""
    request_timeout_s: float = Field(default=5.0, gt=0, le=60)
    """How long one request to JetStream may take, in s."""
    reconnect_max_s: float = Field(default=5.0, gt=0, le=300)
    """The longest pause between two attempts to connect, in s. Pauses grow up to it and are jittered."""
