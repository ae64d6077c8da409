"""How results are printed, and where."""

import io
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import yaml
from rich.console import Group
from rich.text import Text

from cli import console
from cli.output import Output, to_json, to_yaml
from common.ack import Revision
from common.sync_state import SyncState


@dataclass(frozen=True)
class Value:
    """Something of all that results are made of."""

    at: datetime
    state: SyncState
    revision: Revision
    names: tuple[str, ...]


VALUE = Value(datetime(2025, 11, 6, 18, 30, tzinfo=UTC), SyncState.SYNCED, Revision(epoch=1, version=2, digest="x"), ())
PLAIN = {
    "at": "2025-11-06T18:30:00Z",
    "state": "synced",
    "revision": {"epoch": 1, "version": 2, "digest": "x"},
    "names": [],
}


class Terminal(io.StringIO):
    """A terminal, as far as it is asked."""

    def isatty(self) -> bool:
        """Say that it is one."""
        return True


def test_machine_forms_carry_the_same_value(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON and YAML of a result are read back to the same value; nothing else is on standard output."""
    for form in ("json", "yaml"):
        Output(form).show(VALUE, lambda: Text("not this"))
        assert yaml.safe_load(capsys.readouterr().out) == PLAIN


def test_a_series_is_one_document_after_the_other(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON: a line each. YAML: a document each. Tables: as they come."""
    for form in ("json", "yaml", "table"):
        for number in (1, 2):
            Output(form).append({"n": number}, lambda: Text("row"))
    assert capsys.readouterr().out == '{"n":1}\n{"n":2}\n---\nn: 1\n---\nn: 2\nrow\nrow\n'


def test_forms_of_text() -> None:
    """JSON of a result is indented, text stays readable in YAML, long lines are not folded."""
    assert to_json({"a": [1]}, indent=True) == '{\n  "a": [\n    1\n  ]\n}\n'
    assert to_yaml({"a": "é " * 200}).count("\n") == 1


def test_a_pipe_gets_neither_colour_nor_folds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However wide a row is and whatever the environment says of colours: plain, whole, no blanks at line ends."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "20")
    table = console.table("A", "B")
    table.add_row(console.cell("x" * 500, "red"), console.cell("[b]y[/b] :smile:"))
    table.add_row(console.cell(None), console.cell(""))
    console.put(Group(Text("title", style="bold"), table))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "title"
    assert lines[2].split() == ["x" * 500, "[b]y[/b]", ":smile:"]
    assert lines[3].split() == ["-", "-"]
    assert all(line == line.rstrip() for line in lines)


def test_a_terminal_gets_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal states are coloured, unless NO_COLOR is set."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stdout", Terminal())
    console.put(console.cell("synced", "green"))
    assert "\x1b[32m" in sys.stdout.getvalue()  # type: ignore[attr-defined]
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys, "stdout", Terminal())
    console.put(console.cell("synced", "green"))
    assert "\x1b[32m" not in sys.stdout.getvalue()  # type: ignore[attr-defined]


def test_notes_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """What stands beside a result never gets into it."""
    console.note("careful: \x1b[31m")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "careful: \\x1b[31m\n")
