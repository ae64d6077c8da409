"""Canonical JSON, digest and bounded decompression: the bytes that cross the bus.

Knows nothing of signatures (`common.signing`) or of NATS. Pure.
"""

import gzip
import hashlib
import zlib
from typing import Any

import orjson

from common.errors import Rejection, SnapshotRejected

COMPRESS_ABOVE = 32 * 1024
"""Bodies above this size, in bytes, travel as gzip."""

MAX_BODY = 64 * 1024 * 1024
"""Bound of a decompressed body, in bytes."""


def canonical(value: Any) -> bytes:
    """Return `value` as JSON with sorted keys and no blanks: equal values give equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def digest_of(value: Any) -> str:
    """Return ``sha256:<hex>`` of the canonical form of a decoded JSON value.

    Taken over the *value*, unknown fields included, so that an older reader agrees with a newer writer.
    """
    return f"sha256:{hashlib.sha256(canonical(value)).hexdigest()}"


def compress(body: bytes) -> tuple[bytes, str | None]:
    """Return the body as sent and its Content-Encoding: gzip above `COMPRESS_ABOVE`, else as it is."""
    if len(body) <= COMPRESS_ABOVE:
        return body, None
    return gzip.compress(body, compresslevel=6, mtime=0), "gzip"


def decompress(data: bytes, encoding: str | None, *, limit: int = MAX_BODY) -> bytes:
    """Return the body that `compress` was given, reading no more than `limit` bytes of it.

    Raises:
        SnapshotRejected: unknown encoding, broken or truncated data, or more than `limit` bytes. Incremental on
            purpose: what a frame says of its own size is never believed.

    """
    if encoding is None:
        body = data
    elif encoding == "gzip":
        inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            body = inflate.decompress(data, limit + 1)
        except zlib.error as e:
            raise SnapshotRejected(Rejection.ENCODING, f"the body is not gzip: {e}") from e
        if len(body) <= limit and not inflate.eof:
            raise SnapshotRejected(Rejection.ENCODING, "the gzip body ends too early")
    else:
        raise SnapshotRejected(Rejection.ENCODING, f"unknown Content-Encoding {encoding!r}")
    if len(body) > limit:
        raise SnapshotRejected(Rejection.SIZE, f"the body is larger than {limit} bytes")
    return body


def parse_json(body: bytes) -> Any:
    """Return the JSON value of a body.

    Raises:
        SnapshotRejected: it is no JSON.

    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as e:
        raise SnapshotRejected(Rejection.SCHEMA, f"the body is not JSON: {e}") from e
