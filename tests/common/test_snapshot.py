from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given

from common.ack import NodeAck
from common.codec import canonical, digest_of
from common.errors import Rejection, SnapshotRejected
from common.models import Registry
from common.signing import Signer
from common.snapshot import Order, Sealed, Snapshot, open_sealed, registry_value, seal
from tests.registries import KEYS, REFERENCE, SIGNER, registries, snapshot

GOLDEN = Path(__file__).parent.parent / "golden"


@given(registries())
def test_a_sealed_snapshot_opens_to_the_same(registry: Registry) -> None:
    """What was sealed is what comes out, small or large."""
    before = snapshot(registry)
    after, body = open_sealed(seal(before, SIGNER), KEYS)
    assert after == before
    assert body == before.to_body()


def test_a_large_snapshot_travels_compressed() -> None:
    """Above 32 KB the body is gzip and says so; the signature is over the bytes as sent."""
    services = {f"app-{i:04}": REFERENCE.services["immich"] for i in range(400)}
    before = snapshot(REFERENCE.model_copy(update={"services": services}))
    sealed = seal(before, SIGNER)
    assert sealed.headers["Content-Encoding"] == "gzip"
    assert len(sealed.body) < len(before.to_body()) / 5
    assert open_sealed(sealed, KEYS)[0] == before


def test_headers_tell_what_is_inside_without_decoding() -> None:
    """An operator's tool can list versions from headers alone."""
    headers = seal(snapshot(), SIGNER).headers
    assert headers["Routecast-Epoch"] == "1763885042123"
    assert headers["Routecast-Version"] == "57"
    assert headers["Routecast-Reason"] == "change"
    assert headers["Routecast-Digest"] == snapshot().digest
    assert headers["Routecast-Schema"] == "1"
    assert headers["Routecast-Key"] == SIGNER.public_key


def _altered(**headers: str | None) -> Sealed:
    sealed = seal(snapshot(), SIGNER)
    merged = {**sealed.headers, **{f"Routecast-{k}": v for k, v in headers.items()}}
    return Sealed(sealed.body, {k: v for k, v in merged.items() if v is not None})


def _signed(value: Any) -> Sealed:
    """Return a message of any value, rightly signed."""
    body = canonical(value)
    return Sealed(body, {"Routecast-Key": SIGNER.public_key, "Routecast-Signature": SIGNER.sign(body)})


def _value_of(**changes: Any) -> dict[str, Any]:
    return {**orjson.loads(snapshot().to_body()), **changes}


@pytest.mark.parametrize(
    ("sealed", "code"),
    [
        (_altered(Signature=None), Rejection.UNSIGNED),
        (_altered(Key=None), Rejection.UNSIGNED),
        (_altered(Key=Signer(bytes(32)).public_key), Rejection.UNKNOWN_KEY),
        (_altered(Signature=SIGNER.sign(b"else")), Rejection.SIGNATURE),
        (Sealed(b"", dict(_altered().headers)), Rejection.SIGNATURE),
        (_signed([]), Rejection.SCHEMA),
        (_signed({}), Rejection.SCHEMA),
        (_signed(_value_of(schema=2)), Rejection.SCHEMA),
        (_signed(_value_of(schema="1")), Rejection.SCHEMA),
        (_signed(_value_of(version=0)), Rejection.SCHEMA),
        (_signed(_value_of(digest="sha256:0")), Rejection.DIGEST),
        (_signed(_value_of(registry={})), Rejection.DIGEST),
        (_signed(_value_of(keys=[Signer(bytes(32)).public_key])), Rejection.SCHEMA),
        (_signed(_value_of(keys=[SIGNER.public_key, "none"])), Rejection.SCHEMA),
        (_signed(_value_of(keys=[SIGNER.public_key] * 9)), Rejection.SCHEMA),
        (_signed(_value_of(keys=SIGNER.public_key)), Rejection.SCHEMA),
    ],
)
def test_what_breaks_a_rule_is_rejected_by_that_rule(sealed: Sealed, code: Rejection) -> None:
    """Unsigned, foreign, altered, newer or inconsistent snapshots are refused, each with its reason."""
    with pytest.raises(SnapshotRejected) as caught:
        open_sealed(sealed, KEYS)
    assert caught.value.code is code


def test_an_oversized_message_is_refused_before_its_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message above the bound is not even hashed."""
    monkeypatch.setattr("common.snapshot.MAX_BODY", 10)
    with pytest.raises(SnapshotRejected) as caught:
        open_sealed(_altered(), KEYS)
    assert caught.value.code is Rejection.SIZE


def test_headers_decide_nothing() -> None:
    """Order and digest are those inside the signed body, whatever headers claim."""
    opened, _ = open_sealed(_altered(Epoch="9", Version="9", Digest="x", Schema="9"), KEYS)
    assert opened == snapshot()


def test_an_older_reader_agrees_with_a_newer_writer() -> None:
    """Unknown fields within a schema number are ignored, and count for the digest."""
    registry = registry_value(REFERENCE)
    registry["services"]["immich"]["health_path"] = "/healthz"
    registry["weather"] = "fine"
    opened, _ = open_sealed(_signed(_value_of(registry=registry, digest=digest_of(registry), extra=1)), KEYS)
    assert opened.registry == REFERENCE


def test_invalid_text_inside_a_signed_snapshot_is_rejected() -> None:
    """A name or address that is none is refused at the node too: nothing from a snapshot is trusted as text."""
    registry = registry_value(REFERENCE)
    registry["services"]["immich"]["subdomain"] = "a`) || Host(`b"
    with pytest.raises(SnapshotRejected) as caught:
        open_sealed(_signed(_value_of(registry=registry, digest=digest_of(registry))), KEYS)
    assert caught.value.code is Rejection.SCHEMA
    assert "services.immich.subdomain" in str(caught.value)


def test_orders_compare_by_epoch_then_version() -> None:
    """A new epoch is above every version of the old one."""
    assert Order(2, 1) > Order(1, 999) > Order(1, 998)
    assert str(Order(1763885042123, 57)) == "1763885042123/57"


def test_keys_travel_only_when_there_are_any() -> None:
    """A snapshot names keys from the first rotation on; before, its bytes are what they always were."""
    assert b'"keys"' not in snapshot().to_body()
    named = snapshot().model_copy(update={"keys": (SIGNER.public_key, Signer(bytes(32)).public_key)})
    assert open_sealed(seal(named, SIGNER), KEYS)[0] == named
    assert open_sealed(_signed(_value_of(keys=[])), KEYS)[0] == snapshot()


def test_the_golden_snapshot_is_read_and_written_as_it_stands() -> None:
    """The bytes on the wire are a contract: changing this file is changing it."""
    body = (GOLDEN / "snapshot.json").read_bytes().strip()
    read = Snapshot.from_body(body)
    assert read.to_body() == body
    assert read.registry == REFERENCE


def test_the_golden_ack_is_read_and_written_as_it_stands() -> None:
    """So is the record that nodes send."""
    body = (GOLDEN / "ack.json").read_bytes().strip()
    read = NodeAck.from_body(body)
    assert read is not None
    assert read.to_body() == body
