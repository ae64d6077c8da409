"""What is remembered of the nodes' keys: who was let in, and who is no more. Pure.

Kept beside the publisher's state, as ``trust.json``. A key that was revoked once is never good again: whoever joins
makes a new one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from pydantic import AwareDatetime, Field, ValidationError

from common.errors import ConfigError
from common.models import Frozen
from publisher.registry.node_keys import NodeKey


class Admission(Frozen):
    """One key that was let in."""

    node: str
    """The name in its token."""
    registered: str = ""
    """When the node's entry was made, as that says itself."""
    join: str | None = None
    """The id of the join token that was used up for it, as far as it is known."""
    since: AwareDatetime
    revoked: AwareDatetime | None = None


class TrustRecord(Frozen):
    """All keys that were ever let in, by key."""

    keys: dict[str, Admission] = Field(default_factory=dict)

    @classmethod
    def read(cls, text: str | None) -> Self:
        """Return the record of a kept text; None: nothing was kept yet.

        Raises:
            ConfigError: it cannot be read. It must not be taken for empty: who was revoked would be forgotten.

        """
        if text is None:
            return cls()
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            raise ConfigError(
                "the record of the nodes' keys (trust.json, beside the publisher's state) is damaged: put back your "
                "copy of it, or take it away, and remove every node again that must stay out"
            ) from None

    @property
    def text(self) -> str:
        """The text that is kept."""
        return self.model_dump_json(exclude_none=True)

    @property
    def revoked(self) -> dict[str, Admission]:
        """The keys that are no longer good."""
        return {key: each for key, each in self.keys.items() if each.revoked is not None}

    def used(self, token_id: str, key: str) -> bool:
        """Tell whether a join token was used up for another key."""
        return any(each.join == token_id for known, each in self.keys.items() if known != key)

    def admitting(self, key: str, admission: Admission) -> Self:
        """Return the record with one key more; one that is known learns which token it was let in with."""
        known = self.keys.get(key)
        changed = admission if known is None else known.model_copy(update={"join": known.join or admission.join})
        return self.model_copy(update={"keys": {**self.keys, key: changed}})

    def reviewed(self, present: Sequence[NodeKey], at: datetime) -> Self:
        """Return the record as the nodes that are `present` have it: new keys are let in, those of others revoked.

        A key stays good as long as its node is there with it, or has lost it with the rest of its entry unchanged: then
        somebody put an older form of the registry back, which says nothing of who was to be kept out.
        """
        kept = {
            key: each
            if each.revoked is not None or _is_there(key, each, present)
            else each.model_copy(update={"revoked": at})
            for key, each in self.keys.items()
        }
        new = {
            node.key: Admission(node=node.name, registered=node.registered, since=at)
            for node in present
            if node.key is not None and node.sure and node.key not in kept
        }
        return self.model_copy(update={"keys": {**kept, **new}})

    def joined(self, other: "TrustRecord") -> Self:
        """Return the record with what `other` knows besides: a key that is revoked in one of both is revoked."""
        keys = dict(self.keys)
        for key, theirs in other.keys.items():
            ours = keys.setdefault(key, theirs)
            if ours.revoked is None and theirs.revoked is not None:
                keys[key] = ours.model_copy(update={"revoked": theirs.revoked})
        return self.model_copy(update={"keys": keys})

    def gone(self, present: Sequence[NodeKey]) -> frozenset[str]:
        """Return the names of the nodes that were kept out and are not registered again."""
        names = {node.name for node in present}
        return frozenset(each.node for each in self.revoked.values() if each.node not in names)


def _is_there(key: str, admission: Admission, present: Sequence[NodeKey]) -> bool:
    if any(node.key == key and (node.name == admission.node or not node.sure) for node in present):
        return True
    same = [node for node in present if node.name == admission.node and node.registered == admission.registered]
    return any(node.key is None for node in same)
