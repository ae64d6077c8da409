"""Signing keys that stay as they are, for tests of what signs with them."""

from dataclasses import dataclass, field

from publisher.signing import SigningKeys
from tests.registries import SIGNER


@dataclass
class FixedSigning:
    """The keys of a publisher without files."""

    keys: SigningKeys = field(default_factory=lambda: SigningKeys(SIGNER))

    async def refresh(self) -> bool:
        """Find nothing new."""
        return False
