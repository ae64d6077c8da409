"""The snapshot: a registry at one version, and its message on the bus.

`seal` makes a message from a snapshot, `open_sealed` the snapshot from a message that proves to be signed. Order
against what a node has accepted is the node's to judge. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, Self

from pydantic import AfterValidator, Field, ValidationError

from common.codec import MAX_BODY, canonical, compress, decompress, digest_of, parse_json
from common.errors import Rejection, SnapshotRejected
from common.models import Frozen, Registry
from common.signing import Signer, check_public_key, verify

SCHEMA = 1
"""The highest schema number that this code reads, and the one that it writes."""

MAX_KEYS = 8
"""How many public keys a snapshot may name."""

PublicKey = Annotated[str, AfterValidator(check_public_key)]


class Reason(StrEnum):
    """Why a snapshot was published."""

    CHANGE = "change"
    RECONCILE = "reconcile"
    PUSH = "push"
    ROLLBACK = "rollback"


class Order(NamedTuple):
    """The order of snapshots: epoch (a number of ms), then version (counted up from 1)."""

    epoch: int
    version: int

    def __str__(self) -> str:
        return f"{self.epoch}/{self.version}"


class Hold(Frozen):
    """Say that old content is published on purpose, until a time."""

    of_version: int
    until: datetime
    by: str


class SourceInfo(Frozen):
    """Which form of a source document a snapshot was built from, and who changed it last."""

    resource_version: str | None = None
    changed_by: str | None = None
    changed_at: datetime | None = None


class Snapshot(Frozen):
    """A registry at one version, and what identifies it. `digest` is that of the registry's value."""

    schema_: int = Field(alias="schema", serialization_alias="schema")
    installation: str = Field(min_length=1, max_length=64)
    epoch: int = Field(strict=True, ge=1)
    version: int = Field(strict=True, ge=1)
    digest: str
    created_at: datetime
    published_at: datetime
    reason: Reason
    republish_every_s: int = Field(ge=1)
    hold: Hold | None = None
    keys: tuple[PublicKey, ...] = Field(default=(), max_length=MAX_KEYS)
    """The public keys to believe from now on; none: those that were believed so far."""
    sources: dict[str, SourceInfo] = Field(default_factory=dict)
    registry: Registry

    @property
    def order(self) -> Order:
        """The place of this snapshot among all others."""
        return Order(self.epoch, self.version)

    def to_body(self) -> bytes:
        """Return the canonical JSON body; without `keys` where there are none, as it was before there were any."""
        return canonical(self.model_dump(mode="json", by_alias=True, exclude=None if self.keys else {"keys"}))

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """Return the snapshot of a decompressed body, its digest checked against its content.

        Raises:
            SnapshotRejected: not JSON, a newer schema, missing or invalid fields, or another digest.

        """
        value = parse_json(body)
        _check_schema(value)
        if value.get("digest") != digest_of(value.get("registry")):
            raise SnapshotRejected(Rejection.DIGEST, "the digest is not that of the registry it came with")
        try:
            return cls.model_validate_json(body)
        except ValidationError as e:
            fault = e.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in fault["loc"])
            raise SnapshotRejected(Rejection.SCHEMA, f"{where}: {fault['msg']}") from e


def _check_schema(value: Any) -> None:
    schema = value.get("schema") if isinstance(value, dict) else None
    if not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise SnapshotRejected(
            Rejection.SCHEMA,
            f"schema {schema!r} cannot be read here, up to {SCHEMA} can: update routecast on this node",
        )


def registry_value(registry: Registry) -> dict[str, Any]:
    """Return the JSON value of a registry, as it travels and as its digest is taken."""
    return registry.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A snapshot as a message: the body as sent, and its headers."""

    body: bytes
    headers: Mapping[str, str]


_SCHEMA = "Routecast-Schema"
_EPOCH = "Routecast-Epoch"
_VERSION = "Routecast-Version"
_DIGEST = "Routecast-Digest"
_REASON = "Routecast-Reason"
_KEY = "Routecast-Key"
_SIGNATURE = "Routecast-Signature"
_ENCODING = "Content-Encoding"


def seal(snapshot: Snapshot, signer: Signer) -> Sealed:
    """Return the message that carries `snapshot`, signed over the exact bytes of its body."""
    body, encoding = compress(snapshot.to_body())
    headers = {
        _SCHEMA: str(snapshot.schema_),
        _EPOCH: str(snapshot.epoch),
        _VERSION: str(snapshot.version),
        _DIGEST: snapshot.digest,
        _REASON: snapshot.reason.value,
        _KEY: signer.public_key,
        _SIGNATURE: signer.sign(body),
    }
    if encoding is not None:
        headers[_ENCODING] = encoding
    return Sealed(body, headers)


def open_sealed(sealed: Sealed, public_keys: frozenset[str]) -> tuple[Snapshot, bytes]:
    """Return the snapshot of a message and its decompressed body, when one of `public_keys` signed it.

    The signature is verified before anything is decoded; headers other than key, signature and encoding decide nothing.

    Raises:
        SnapshotRejected: with the rule that it broke.

    """
    key, signature = sealed.headers.get(_KEY), sealed.headers.get(_SIGNATURE)
    if not key or not signature:
        raise SnapshotRejected(Rejection.UNSIGNED, "the snapshot is not signed")
    if key not in public_keys:
        raise SnapshotRejected(
            Rejection.UNKNOWN_KEY, f"the snapshot is signed with a key that is not trusted here: {key}"
        )
    if len(sealed.body) > MAX_BODY:
        raise SnapshotRejected(Rejection.SIZE, f"the message is larger than {MAX_BODY} bytes")
    if not verify(key, sealed.body, signature):
        raise SnapshotRejected(Rejection.SIGNATURE, "the signature is not that of this body")
    body = decompress(sealed.body, sealed.headers.get(_ENCODING))
    snapshot = Snapshot.from_body(body)
    if snapshot.keys and key not in snapshot.keys:
        raise SnapshotRejected(Rejection.SCHEMA, "keys: the key that signed the snapshot is not among them")
    return snapshot, body
