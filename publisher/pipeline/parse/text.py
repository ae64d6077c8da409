"""Texts and JSON values as they are found in a key: read them, or say what is wrong with them."""

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import orjson

from publisher.pipeline.parse.place import Place
from publisher.source.document import Document

_BYTE_ORDER_MARK = "\ufeff"
_LONGEST = 300
"""No name, address or number is longer, in characters; what is, is not even looked at."""
_DEEPEST = 100
"""Levels of objects and lists; nothing that is read has more than five."""
_SHOWN = 60
"""How much of an overlong text a message shows, in characters."""


def read_text(place: Place) -> str | None:
    """Return the text of a key without blanks or byte order mark around; None, and a problem, when there is none."""
    document = place.document
    if document.data is None:
        if document.why is None:
            place.unreadable(f"the ConfigMap {document.name} is missing", place.init)
        else:
            place.unreadable(f"cannot be read: {document.why}")
        return None
    if place.key not in document.data:
        place.unreadable(f"the key {place.key} is missing", place.init)
        return None
    text = bare(document.data[place.key])
    if not text:
        place.unreadable(f"the key {place.key} is empty", place.init)
        return None
    return text


def is_missing(document: Document, key: str) -> bool:
    """Tell whether a key is missing, or nothing is in it."""
    return document.data is None or not bare(document.data.get(key, ""))


def bare(text: str) -> str:
    """Return the text of a key without blanks or byte order mark around."""
    return text.strip().removeprefix(_BYTE_ORDER_MARK).strip()


def read_object(place: Place) -> dict[str, Any] | None:
    """Return the JSON object of a key; None, and a problem, when it is none."""
    value = read_json(place)
    if value is None or isinstance(value, dict):
        return value
    place.unreadable(f"must be a JSON object, it is {kind_of(value[0])}")
    return None


def read_json(place: Place) -> dict[str, Any] | tuple[Any] | None:
    """Return the JSON object of a key, or another value in a tuple; None, and a problem, when it is not JSON."""
    text = read_text(place)
    if text is None:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as e:
        place.unreadable(f"is not JSON: {e}")
        return None
    if _is_deeper_than(_DEEPEST, value):
        place.unreadable(f"is nested too deep: more than {_DEEPEST} levels")
        return None
    for key in _written_twice(text):
        place.warning(None, f"holds {key[:_SHOWN]!r} twice; the last one counts")
    return value if isinstance(value, dict) else (value,)


def _is_deeper_than(levels: int, value: Any) -> bool:
    level = [value]
    for _ in range(levels):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


@lru_cache(maxsize=32)
def _written_twice(text: str) -> tuple[str, ...]:
    """Return the keys that an object of a JSON text holds more than once: a reader takes the last in silence."""
    found: dict[str, None] = {}

    def notice(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                found[key] = None
            seen.add(key)

    json.loads(text, object_pairs_hook=notice)
    return tuple(found)


def checked(check: Callable[[str], str], text: str) -> str:
    """Return what `check` makes of `text`.

    Raises:
        ValueError: what `check` says, or that the text is too long to be checked.

    """
    if len(text) > _LONGEST:
        raise ValueError(f"{text[:_SHOWN]!r}… is too long: {len(text)} characters")
    return check(text)


def cleaned(text: str) -> str:
    """Return free text on one line: what does not print becomes a blank."""
    return "".join(char if char.isprintable() else " " for char in text).strip()


def kind_of(value: Any) -> str:
    """Return what a JSON value is, in words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"
