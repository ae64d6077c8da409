"""Collect what is wrong with an edit: all of it is said at once."""

import shlex
from collections.abc import Callable, Iterable
from difflib import get_close_matches

from common.errors import EditRefused
from publisher.pipeline.parse.text import checked

_NAMED = 12
"""So many registered names are listed; of more only the closest."""


class Faults:
    """The faults of one edit."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def add(self, fault: str) -> None:
        """Note one."""
        self._found.append(fault)

    def checked(self, what: str, check: Callable[[str], str], text: str) -> str | None:
        """Return what `check` makes of `text`; None, and a fault, when it raises ValueError."""
        try:
            return checked(check, text)
        except ValueError as e:
            self.add(f"{what}: {e}")
            return None

    def unknown(self, what: str, name: str, known: Iterable[str], *add: str) -> None:
        """Note that `name` is not registered, with what is, and the words of the command that registers it."""
        self.add(f"there is no {what} {name!r}{_suggestion(name, sorted(known))}; add it with: {shlex.join(add)}")

    def refuse_if_any(self) -> None:
        """Raise what was found.

        Raises:
            EditRefused: there are faults.

        """
        if self._found:
            raise EditRefused(*dict.fromkeys(self._found))


def refuse_unknown(what: str, name: str, known: Iterable[str]) -> EditRefused:
    """Return the refusal of an edit of an entry that does not exist."""
    return EditRefused(f"there is no {what} {name!r}{_suggestion(name, sorted(known))}")


def refuse_shape(key: object, field: str, wanted: str) -> EditRefused:
    """Return the refusal to edit a field that does not have the shape that is written."""
    return EditRefused(f"{key}: the field {field} is no {wanted}, so it cannot be edited safely; mend it by hand")


def _suggestion(name: str, known: list[str]) -> str:
    if not known:
        return " (none is registered)"
    close = get_close_matches(name, known, n=3)
    if close:
        return f" (did you mean {' or '.join(map(repr, close))}?)"
    return f" (registered: {', '.join(known)})" if len(known) <= _NAMED else ""
