"""The limits and pauses towards the API server, in s."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """What no setting names; tests make it short."""

    request_s: float = 10.0
    """How long one request may take."""
    watch_s: int = 60
    """How long the server keeps one watch open: below its own limit of 300, and the bound on a watch gone silent."""
    watch_grace_s: float = 5.0
    """How much longer the client waits for the end of a watch."""
    pause_max_s: float = 5.0
    """The longest pause between two tries; pauses grow up to it and are jittered."""
    denied_pause_s: float = 30.0
    """The pause after a refusal: only a person can mend it, so trying often is no use."""
