"""Texts and JSON values as they are found in a key: read them, or say what is wrong with them."""

from collections.abc import Callable
from typing import Any

import orjson

from publisher.pipeline.parse.place import Place

_BYTE_ORDER_MARK = "\ufeff"
_LONGEST = 300
"""No name, address or number is longer, in characters; what is, is not even looked at."""
_SHOWN = 60
"""How much of an overlong text a message shows, in characters."""


def read_text(place: Place) -> str | None:
    """Return the text of a key without blanks or byte order mark around; None, and a problem, when there is none."""
    document = place.document
    if document.data is None:
        place.unreadable(
            f"the ConfigMap {document.name} is missing" if document.why is None else f"cannot be read: {document.why}"
        )
        return None
    if place.key not in document.data:
        place.unreadable(f"the key {place.key} is missing")
        return None
    text = document.data[place.key].strip().removeprefix(_BYTE_ORDER_MARK).strip()
    if not text:
        place.unreadable(f"the key {place.key} is empty")
        return None
    return text


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
    return value if isinstance(value, dict) else (value,)


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
