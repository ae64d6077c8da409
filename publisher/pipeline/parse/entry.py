"""One entry while it is read: its fields, and the faults found in them."""

import re
from collections.abc import Callable
from typing import Any

import orjson

from publisher.pipeline.parse.place import Place
from publisher.pipeline.parse.text import checked, cleaned, kind_of

_DIGITS = re.compile(r"0*[0-9]{1,5}", re.ASCII)
_MAX_PORT = 65535


class Entry:
    """An entry's fields. A field that cannot be read makes the entry invalid, and is a problem."""

    def __init__(self, place: Place, name: str, value: Any, *, kept: bool) -> None:
        self.name = name
        self.valid = True
        self._place = place
        self._outcome = "the previous form is kept" if kept else "it is left out"
        self._fields: dict[str, Any] = {}
        if isinstance(value, dict):
            self._fields = value
        else:
            self.error(f"must be an object, it is {kind_of(value)}")

    def error(self, message: str) -> None:
        """Say that the entry is not used as written."""
        self.valid = False
        self._place.error(self.name, f"{message}; {self._outcome}")

    def warning(self, message: str) -> None:
        """Say that the entry is used, but not all of it."""
        self._place.warning(self.name, message)

    def given(self, field: str) -> Any:
        """Return the value of a field; None when it is missing, null or blank."""
        return None if self.is_blank(field) else self._fields.get(field)

    def is_blank(self, field: str) -> bool:
        """Tell whether a field is written as an empty text."""
        value = self._fields.get(field)
        return isinstance(value, str) and not value.strip()

    def label(self, field: str) -> str:
        """Return a free text; what is none is a warning, and empty."""
        value = self.given(field)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.warning(f"{field} must be a text, it is {kind_of(value)}; it counts as empty")
            return ""
        return cleaned(value)

    def text(self, field: str, check: Callable[[str], str]) -> str | None:
        """Return what `check` makes of a field's text; None when it is not given, or faulty."""
        value = self.given(field)
        if value is None:
            return None
        if not isinstance(value, str):
            self.error(f"{field} must be a text, it is {kind_of(value)}")
            return None
        try:
            return checked(check, value)
        except ValueError as e:
            self.error(f"{field} {e}")
            return None

    def flag(self, field: str) -> bool:
        """Return true or false, also from a text (a warning); not given, or faulty: false."""
        value = self.given(field)
        if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
            self.warning(f"{field} is the text {value!r}; write it without quotes")
            return value.strip().lower() == "true"
        if value is None or isinstance(value, bool):
            return bool(value)
        self.error(f"{field} must be true or false, it is {_shown(value)}")
        return False

    def port(self, field: str) -> int | None:
        """Return a port number, also from a text (a warning); None when it is not given, or faulty."""
        value = self.given(field)
        if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
            self.warning(f"{field} is the text {value.strip()!r}; write it without quotes")
            value = int(value)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= _MAX_PORT:
            self.error(f"{field} must be a number from 1 to {_MAX_PORT}, it is {_shown(value)}")
            return None
        return value

    def items(self, field: str) -> list[str]:
        """Return the texts of a list, or of one text ``"a,b"``: no blanks, no empty ones, each once, in order.

        What is no text stands as it is written in JSON, for its reader to refuse.
        """
        value = self.given(field)
        if value is None:
            return []
        if not isinstance(value, list | str):
            self.error(f"{field} must be a list, it is {kind_of(value)}")
            return []
        texts = [value] if isinstance(value, str) else [t if isinstance(t, str) else _shown(t) for t in value]
        pieces = [piece.strip() for text in texts for piece in text.split(",")]
        return list(dict.fromkeys(piece for piece in pieces if piece))


def _shown(value: Any) -> str:
    """Return a value as JSON, cut when it is long."""
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else f"{text[:60]}…"  # noqa: PLR2004 - a width of nothing but this line
