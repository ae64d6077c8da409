"""One entry while it is read: its fields, and the faults found in them."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, TypeGuard

import orjson

from publisher.pipeline.parse.mend import Command
from publisher.pipeline.parse.place import Place
from publisher.pipeline.parse.text import checked, cleaned, kind_of

_DIGITS = re.compile(r"0*[0-9]{1,5}", re.ASCII)
_MAX_PORT = 65535
_LIKE = 0.82
"""How much a field must look like a known one to be taken for a slip of the pen, from 0 to 1."""

WHOLE = ""
"""The field that is meant when the entry as a whole is faulty."""


class Entry:
    """An entry's fields. A field that cannot be read makes the entry invalid, and is a problem."""

    def __init__(self, place: Place, name: str, value: Any, *, kept: bool) -> None:
        self.name = name
        self.valid = True
        self.faulty: set[str] = set()
        """The fields that something was said of, as far as no command of its own mends that; `WHOLE` for the entry."""
        self._place = place
        self._outcome = "the previous form is kept" if kept else "it is left out"
        self.fields: Mapping[str, Any] = {}
        self._unmended: list[int] = []
        if isinstance(value, dict):
            self.fields = value
        else:
            self.error(WHOLE, f"must be an object, it is {kind_of(value)}")

    @property
    def in_cluster(self) -> bool:
        """Whether it is from a cluster, which knows more of a service than what is written here."""
        return self._place.document.in_cluster

    def error(self, field: str, message: str, mend: Command | None = None) -> None:
        """Say that the entry is not used as written, because of a field or as a whole."""
        self.valid = False
        self._note(field, mend)
        self._place.error(self.name, f"{message}; {self._outcome}", mend)

    def warning(self, field: str, message: str, mend: Command | None = None) -> None:
        """Say that the entry is used, but not all of it."""
        self._note(field, mend)
        self._place.warning(self.name, message, mend)

    def mend(self, by: Command | None) -> None:
        """Name the command that mends all that was said so far and has none of its own; None: no command does."""
        if by is not None:
            for number in self._unmended:
                self._place.mend(number, by)
        self._unmended.clear()

    def _note(self, field: str, mend: Command | None) -> None:
        if mend is None:
            self.faulty.add(field)
            self._unmended.append(len(self._place.problems))

    def look_for_slips(self, *known: str) -> None:
        """Say which fields are not read, but look like a known one that is missing: nobody else would notice."""
        missing = [field for field in known if field not in self.fields]
        for field in self.fields:
            like = [] if field in known else get_close_matches(field.lower(), missing, n=1, cutoff=_LIKE)
            if like:
                self._place.warning(self.name, f"the field {field!r} is not read: did you mean {like[0]!r}?")

    def given(self, field: str) -> Any:
        """Return the value of a field; None when it is missing, null or blank."""
        return None if self.is_blank(field) else self.fields.get(field)

    def is_blank(self, field: str) -> bool:
        """Tell whether a field is written as an empty text."""
        value = self.fields.get(field)
        return isinstance(value, str) and not value.strip()

    def label(self, field: str) -> str:
        """Return a free text; what is none is a warning, and empty."""
        value = self.given(field)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.warning(field, f"{field} must be a text, it is {kind_of(value)}; it counts as empty")
            return ""
        return cleaned(value)

    def text(self, field: str, check: Callable[[str], str]) -> str | None:
        """Return what `check` makes of a field's text; None when it is not given, or faulty."""
        value = self.given(field)
        if value is None:
            return None
        if not isinstance(value, str):
            self.error(field, f"{field} must be a text, it is {kind_of(value)}")
            return None
        try:
            return checked(check, value)
        except ValueError as e:
            self.error(field, f"{field} {e}")
            return None

    def flag(self, field: str) -> bool:
        """Return true or false, also from a text (a warning); not given, or faulty: false."""
        value = self.given(field)
        if isinstance(value, str) and value.strip().lower() in {"true", "false"}:
            self.warning(field, f"{field} is the text {value!r}; write it without quotes")
            return value.strip().lower() == "true"
        if value is None or isinstance(value, bool):
            return bool(value)
        self.error(field, f"{field} must be true or false, it is {_shown(value)}")
        return False

    def port(self, field: str) -> int | None:
        """Return a port number, also from a text (a warning); None when it is not given, or faulty."""
        value = self.given(field)
        if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
            self.warning(field, f"{field} is the text {value.strip()!r}; write it without quotes")
            value = int(value)
        if value is None or _is_port(value):
            return value
        self.error(field, f"{field} must be a number from 1 to {_MAX_PORT}, it is {_shown(value)}")
        return None

    def items(self, field: str) -> list[str]:
        """Return the texts of a list, or of one text ``"a,b"``: no blanks, no empty ones, each once, in order.

        What is no text stands as it is written in JSON, for its reader to refuse.
        """
        value = self.given(field)
        if value is None:
            return []
        if not isinstance(value, list | str):
            self.error(field, f"{field} must be a list, it is {kind_of(value)}")
            return []
        return pieces(value)


def pieces(value: list[Any] | str) -> list[str]:
    """Return the texts of a list, or of one text with commas, as `Entry.items` does."""
    texts = [value] if isinstance(value, str) else [t if isinstance(t, str) else _shown(t) for t in value]
    found = [piece.strip() for text in texts for piece in text.split(",")]
    return list(dict.fromkeys(piece for piece in found if piece))


def readable_port(value: Any) -> int | None:
    """Return a port number, also one that is written as a text; None, without a word, for everything else."""
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        value = int(value)
    return value if _is_port(value) else None


def _is_port(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MAX_PORT


def _shown(value: Any) -> str:
    """Return a value as JSON, cut when it is long."""
    text = orjson.dumps(value).decode()
    return text if len(text) <= 60 else f"{text[:60]}…"  # noqa: PLR2004 - a width of nothing but this line
