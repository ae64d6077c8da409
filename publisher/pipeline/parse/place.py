"""Where in the documents something is read, and the list that its problems go to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from common.problems import Problem, Severity
from publisher.pipeline.parse.mend import Command
from publisher.source.document import Document

_LONGEST = 253
"""Longer names of entries are cut in problems, in characters; a valid one is never longer."""


@dataclass(frozen=True, slots=True)
class Place:
    """One key of one document.

    What is said of it is mended by the command that comes with it, and without one by opening the document.
    """

    document: Document
    key: str
    first_contact: bool
    """Nothing was published before, so there is no previous form to keep."""
    problems: list[Problem] = field(repr=False)
    init: Command | None = None
    """The command that makes the key when it is missing."""

    def error(self, entry: str | None, message: str, mend: Command | None = None) -> None:
        """Say that `entry`, or the whole key, is not used as written."""
        self._add(Severity.ERROR, entry, message, mend)

    def warning(self, entry: str | None, message: str, mend: Command | None = None) -> None:
        """Say that `entry` is used, but not all of it."""
        self._add(Severity.WARNING, entry, message, mend)

    def unreadable(self, message: str, mend: Command | None = None) -> None:
        """Say that the key, or a part of it, cannot be read, and what counts instead."""
        counts = "it counts as empty" if self.first_contact else "the previous form is kept"
        self.error(None, f"{message}; {counts}", mend)

    def mend(self, number: int, by: Command) -> None:
        """Name the command that mends a problem that was said before, by its place in `problems`."""
        self.problems[number] = self.problems[number].model_copy(update={"mend": self._line(by)})

    def _add(self, severity: Severity, entry: str | None, message: str, mend: Command | None) -> None:
        where = f"{self.document.name}/{self.key}"
        shown = entry if entry is None or len(entry) <= _LONGEST else f"{entry[:_LONGEST]}…"
        self.problems.append(
            Problem(severity=severity, document=where, entry=shown, message=message, mend=self._line(mend))
        )

    def _line(self, mend: Command | None) -> str:
        line = None if mend is None else mend.line(self.document.routecast)
        return self.document.edit if line is None else line


class Places:
    """All documents of one reading, and the problems found in them. `init` makes what is missing."""

    def __init__(self, documents: Mapping[str, Document], *, first_contact: bool, init: Command | None = None) -> None:
        self.problems: list[Problem] = []
        self._documents = documents
        self._first_contact = first_contact
        self._init = init

    def document(self, name: str) -> Document:
        """Return a document by name; one that was not handed over is missing."""
        return self._documents.get(name) or Document.missing(name, edit="")

    def at(self, name: str, key: str) -> Place:
        """Return the place of a document's key."""
        return Place(self.document(name), key, self._first_contact, self.problems, self._init)

    def add_notes(self: Self) -> None:
        """Turn what the source noted on its documents into warnings."""
        for name in sorted(self._documents):
            document = self._documents[name]
            self.problems += [
                Problem(severity=Severity.WARNING, document=name, entry=None, message=note, mend=document.edit)
                for note in document.notes
            ]
