"""Read the bodies of `kubectl create` and `kubectl auth can-i`, which are Kubernetes' protobuf, never JSON.

Knows the messages that these send (generated.proto in k8s.io/api) for a ConfigMap, a Secret, a Namespace and a
question; of them it needs texts and maps alone. Answers are JSON, which kubectl takes as well.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from tests.fakes.kubernetes_status import Document, StatusError

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"

_MAGIC = b"k8s\0"

Read = Callable[[bytes], object]
Message = Mapping[int, tuple[str, Read]]
"""Number of a field -> its name in JSON, and how it is read."""


def read_protobuf(body: bytes) -> Document:
    """Turn a body into the object that JSON would have held; raises StatusError 400 and 415."""
    if not body.startswith(_MAGIC):
        raise StatusError(400, "provided data does not appear to be a protobuf message")
    try:
        envelope = _read(_ENVELOPE, body.removeprefix(_MAGIC))
        kind = envelope["type"]["kind"]
        if kind not in _KINDS:
            raise StatusError(415, f"the fake API server does not know the protobuf of a {kind}")
        return dict(envelope["type"]) | _read(_KINDS[kind], envelope.get("raw", b""))
    except (IndexError, KeyError, UnicodeDecodeError) as e:
        raise StatusError(400, f"the protobuf message is broken: {e}") from e


def _read(message: Message, data: bytes) -> Document:
    """Read the known fields of a message; empty ones are left out, as in JSON, and the entries of a map joined."""
    found: Document = {}
    for number, content in _fields(data):
        name, read = message.get(number, ("", None))
        if read and (value := read(content)):
            found[name] = found.get(name, {}) | value if isinstance(value, dict) else value
    return found


def _read_text_entry(data: bytes) -> dict[str, str]:
    entry = dict(_fields(data))
    return {entry.get(1, b"").decode(): entry.get(2, b"").decode()}


def _read_bytes_entry(data: bytes) -> dict[str, str]:
    entry = dict(_fields(data))
    return {entry.get(1, b"").decode(): base64.b64encode(entry.get(2, b"")).decode()}


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Split a message into its texts, maps and messages, with their numbers; numbers and flags are passed over."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        match key & 7:
            case 0:
                _, at = _varint(data, at)
            case 2:
                size, at = _varint(data, at)
                yield key >> 3, data[at : at + size]
                at += size
            case other:
                raise KeyError(f"wire type {other}")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a number of seven bits a byte; return it and where the next thing begins."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at


_METADATA: Message = {
    1: ("name", bytes.decode),
    2: ("generateName", bytes.decode),
    3: ("namespace", bytes.decode),
    5: ("uid", bytes.decode),
    6: ("resourceVersion", bytes.decode),
    11: ("labels", _read_text_entry),
    12: ("annotations", _read_text_entry),
}
_ATTRIBUTES: Message = {
    number: (name, bytes.decode)
    for number, name in enumerate(("namespace", "verb", "group", "version", "resource", "subresource", "name"), 1)
}
_REVIEW: Message = {1: ("resourceAttributes", partial(_read, _ATTRIBUTES))}
_KINDS: Mapping[str, Message] = {
    "ConfigMap": {
        1: ("metadata", partial(_read, _METADATA)),
        2: ("data", _read_text_entry),
        3: ("binaryData", _read_bytes_entry),
    },
    "Secret": {
        1: ("metadata", partial(_read, _METADATA)),
        2: ("data", _read_bytes_entry),
        3: ("type", bytes.decode),
    },
    "Namespace": {1: ("metadata", partial(_read, _METADATA))},
    "SelfSubjectAccessReview": {1: ("metadata", partial(_read, _METADATA)), 2: ("spec", partial(_read, _REVIEW))},
}
_TYPE: Message = {1: ("apiVersion", bytes.decode), 2: ("kind", bytes.decode)}
_ENVELOPE: Message = {1: ("type", partial(_read, _TYPE)), 2: ("raw", bytes)}
