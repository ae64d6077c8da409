"""Somebody at the terminal of a machine, who types lines as they are printed and says yes when asked.

What a reader must put in place of what is printed is in `OWN` and is the least that can be; what only looks is typed
again until it shows what it should, as a person does who is faster than the machine.
"""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.deploy.room import Room
from tests.deploy.systemd import PYTHON, VENV
from tests.docs.examples import commands_of, edits
from tests.docs.pages import simple_commands
from tests.docs.places import begins
from tests.docs.shell import CTRL_C, Done

HOME = "/home/reader"
REPOSITORY = f"{HOME}/routecast"
"""The copy of this repository in which lines are typed."""

LIMIT_S = 60.0
LOOK_LIMIT_S = 30.0
LOOKS = {"curl", "dig", "getent", "kubectl -n routecast get", "routecast"}
"""What changes nothing and may be typed again, by the words that it begins with."""

OWN = {
    "/usr/bin/python3": "python3",  # the Python of the tests may lie elsewhere
    "hosts.20251106T183000.123Z": "hosts.*",  # the copy that was made here
}
"""What a reader puts in place of what is printed, besides the join token."""

ONCE = {"init", "join", "leave", "trust rotate"}
"""Commands of ours that do more than look, besides those that edit a registry."""

_TOKEN = "rcj1.…"
_PRINTED_TOKEN = re.compile(r"\brcj1\.[\w-]+")
_ASSIGNS = re.compile(r"[A-Z_]+=\$")
_PATH = f"{PYTHON}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{VENV}/tools"


@dataclass
class Notes:
    """What a person has in mind: the page's own way to another end, and what was read on one machine for another."""

    own: Mapping[str, str] = field(default_factory=dict)
    """As in `OWN`, for this person."""
    token: str = _TOKEN
    """The join token that was printed last."""

    def typed(self, line: str) -> str:
        """Return a line as it is typed."""
        for printed, typed in {**OWN, **self.own, _TOKEN: self.token}.items():
            line = line.replace(printed, typed)
        return line


@dataclass
class Typist:
    """A person at a machine, with the variables of its shell."""

    room: Room
    notes: Notes
    variables: Mapping[str, str] = field(default_factory=dict)
    _set: list[str] = field(default_factory=list)
    """Lines that set a variable, which those after them use."""

    def type(self, line: str, shows: str = "") -> Done:
        """Type a line, and return how it ended: 124 when it did not."""
        if line.endswith(" -f"):
            return self._type_until(line)
        again = all(begins(words, LOOKS) for words in simple_commands(line)) and not _does(line)
        deadline = time.monotonic() + LOOK_LIMIT_S
        while True:
            done = self._type_once(line)
            as_wished = done.code == 0 and shows in done.printed
            if as_wished or not again or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        if _ASSIGNS.match(line):
            self._set.append(line)
        if token := _PRINTED_TOKEN.search(done.printed):
            self.notes.token = token[0]
        return done

    def _type_once(self, line: str) -> Done:
        with _somebody() as terminal:
            process = self._start(line, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                printed, said = process.communicate(timeout=LIMIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                printed, said = process.communicate()
                return Done(line, 124, printed, said)
        return Done(line, process.returncode, printed, said)

    def _type_until(self, line: str) -> Done:
        """Type a line that goes on for ever; press Ctrl-C once it shows something."""
        process = self._start(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert process.stdout is not None
        with contextlib.closing(process.stdout) as shown:
            first = shown.readline()
            os.killpg(process.pid, signal.SIGINT)
            process.wait(LIMIT_S)
        ended = process.returncode in (CTRL_C, -signal.SIGINT)
        return Done(line, 0 if ended and first else process.returncode or 1, first, "")

    def _start(self, line: str, **streams: int) -> subprocess.Popen[str]:
        typed = "\n".join((*self._set, self.notes.typed(line)))
        enter = ("nsenter", f"--target={self.room.pid}", "--all", "--root", "--wd=/", "--", "env", "-C", REPOSITORY)
        environment = {"PATH": _PATH, "HOME": HOME, "LANG": "C.UTF-8", "EDITOR": "true", "SYSTEMD_PAGER": "cat"}
        return subprocess.Popen(
            (*enter, "bash", "-o", "pipefail", "-c", typed),
            env=environment | dict(self.variables),
            start_new_session=True,
            text=True,
            **streams,
        )


def _does(line: str) -> bool:
    return edits(line) or bool(ONCE & set(commands_of(line)))


@contextlib.contextmanager
def _somebody() -> Iterator[int]:
    """Yield a terminal at which somebody says yes."""
    master, slave = os.openpty()
    try:
        os.write(master, b"y\n")
        yield slave
    finally:
        os.close(slave)
        os.close(master)
