"""Policies of nodes, for tests that are about something else."""

from common.settings.policy import PolicySettings
from subscriber.policy import Policy

SPECIAL = (
    "127.0.0.0/8",
    "::1",
    "169.254.0.0/16",
    "fe80::/10",
    "224.0.0.0/4",
    "ff00::/8",
    "0.0.0.0/8",
    "255.255.255.255",
)
ANYWHERE = PolicySettings.model_validate({"networks": ["0.0.0.0/0", "::/0", *SPECIAL]})
"""Takes every address, also this very machine's."""
LOOPBACK = PolicySettings.model_validate({"networks": [*map(str, PolicySettings().networks), "127.0.0.0/8"]})
"""Takes services that run beside the test, too."""

TAKES_ANYTHING = Policy(ANYWHERE)
