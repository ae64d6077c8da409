"""Run a program that the settings name. Blocking: call it from a thread."""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

LIMIT_S = 30.0
"""How long a program may take."""

_SHOWN = 2000  # characters of its output


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended, and the end of what it printed."""

    ok: bool
    said: str


def run(command: Sequence[str], limit_s: float = LIMIT_S) -> Finished:
    """Run `command` without a shell until it ends; one that cannot be started, or takes too long, is not ok.

    Its output goes to a file: a daemon that it leaves behind may hold on to that, and we do not wait for it.
    """
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=limit_s, check=False
            )
        except subprocess.TimeoutExpired:
            return Finished(ok=False, said=f"it took longer than {limit_s:g} s")
        except OSError as e:
            return Finished(ok=False, said=f"it cannot be started: {e.strerror}")
        output.seek(0)
        said = output.read().decode(errors="replace").strip()[-_SHOWN:]
    return Finished(ok=done.returncode == 0, said=said or f"exit code {done.returncode}")
