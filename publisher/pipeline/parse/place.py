"""Where in the documents something is read, and the list that its problems go to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from common.problems import Problem, Severity
from publisher.source.document import Document

_LONGEST = 253
"""Longer names of entries are cut in problems, in characters; a valid one is never longer."""


@dataclass(frozen=True, slots=True)
class Place:
    """One key of one document."""

    document: Document
    key: str
    first_contact: bool
    """Nothing was published before, so there is no previous form to keep."""
    problems: list[Problem] = field(repr=False)

    def error(self, entry: str | None, message: str) -> None:
        """Say that `entry`, or the whole key, is not used as written."""
        self._add(Severity.ERROR, entry, message)

    def warning(self, entry: str | None, message: str) -> None:
        """Say that `entry` is used, but not all of it."""
        self._add(Severity.WARNING, entry, message)

    def unreadable(self, message: str) -> None:
        """Say that the key, or a part of it, cannot be read, and what counts instead."""
        self.error(None, f"{message}; {'it counts as empty' if self.first_contact else 'the previous form is kept'}")

    def _add(self, severity: Severity, entry: str | None, message: str) -> None:
        where = f"{self.document.name}/{self.key}"
        shown = entry if entry is None or len(entry) <= _LONGEST else f"{entry[:_LONGEST]}…"
        self.problems.append(
            Problem(severity=severity, document=where, entry=shown, message=message, mend=self.document.edit)
        )


class Places:
    """All documents of one reading, and the problems found in them."""

    def __init__(self, documents: Mapping[str, Document], *, first_contact: bool) -> None:
        self.problems: list[Problem] = []
        self._documents = documents
        self._first_contact = first_contact

    def document(self, name: str) -> Document:
        """Return a document by name; one that was not handed over is missing."""
        return self._documents.get(name) or Document.missing(name, edit="")

    def at(self, name: str, key: str) -> Place:
        """Return the place of a document's key."""
        return Place(self.document(name), key, self._first_contact, self.problems)

    def add_notes(self: Self) -> None:
        """Turn what the source noted on its documents into warnings."""
        for name in sorted(self._documents):
            document = self._documents[name]
            self.problems += [
                Problem(severity=Severity.WARNING, document=name, entry=None, message=note, mend=document.edit)
                for note in document.notes
            ]
