"""What an operator asks a publisher, and its answer, over ``registry.control`` (DESIGN 5)."""

from typing import Any

from pydantic import Field

from common.models import Frozen


class ControlRequest(Frozen):
    """Ask for one operation; answered when its round has ended."""

    op: str
    args: dict[str, Any] = Field(default_factory=dict)
    request_id: str
    by: str
    """Who asks, as ``user@host``; for the log only."""


class ControlReply(Frozen):
    """Tell how the round ended, and what is the newest snapshot now."""

    ok: bool
    epoch: int | None = None
    version: int | None = None
    digest: str | None = None
    stream_seq: int | None = None
    error: str | None = None
