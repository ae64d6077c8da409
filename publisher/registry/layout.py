"""Write a JSON value as people read and compare it: one entry a line, in the order in which it stands. Pure."""

import json
from typing import Any

import orjson

_WIDTH = 140
"""What fits into this many characters stays on one line, below the top."""


def layout(value: Any) -> str:
    """Return JSON text: objects and lists are opened at the top, and where their entries are themselves full.

    What does not print is written as an escape: people cannot see it, and YAML cannot hold all of it.
    """
    text = _lay(value, "", 0)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(char if char == "\n" or char.isprintable() else json.dumps(char)[1:-1] for char in text)


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are the same. To Python 1, 1.0 and true are equal; to readers of JSON they are not.

    The order of an object's fields does not count.
    """
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)


def _lay(value: Any, indent: str, depth: int) -> str:
    compact = _compact(value)
    if not isinstance(value, dict | list) or not value or (depth > 0 and len(compact) + len(indent) <= _WIDTH):
        return compact
    deeper = indent + "  "
    if isinstance(value, dict):
        items = [f"{_compact(key)}: {_lay(item, deeper, depth + 1)}" for key, item in value.items()]
        start, end = "{", "}"
    else:
        items = [_lay(item, deeper, depth + 1) for item in value]
        start, end = "[", "]"
    inside = ",\n".join(deeper + item for item in items)
    return f"{start}\n{inside}\n{indent}{end}"


def _compact(value: Any) -> str:
    """Return JSON on one line, with a blank behind each comma and colon, as `json.dumps` writes it."""
    match value:
        case dict():
            return "{" + ", ".join(f"{_compact(key)}: {_compact(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_compact, value)) + "]"
        case _:
            return orjson.dumps(value).decode()
