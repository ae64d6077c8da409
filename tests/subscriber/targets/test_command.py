import os
import signal
import time
from pathlib import Path

from subscriber.targets.command import Finished, run


def test_how_a_program_ended_and_what_it_said() -> None:
    """Both outputs count; without any, the exit code does."""
    assert run(("sh", "-c", "echo out; echo err >&2")) == Finished(ok=True, said="out\nerr")
    assert run(("sh", "-c", "exit 3")) == Finished(ok=False, said="exit code 3")


def test_a_program_that_cannot_be_started_is_not_ok() -> None:
    """A missing program is an outcome, not an exception."""
    assert run(("/no/such/program",)) == Finished(ok=False, said="it cannot be started: No such file or directory")


def test_a_program_that_takes_too_long_is_ended() -> None:
    """Every wait has a limit."""
    assert run(("sleep", "60"), limit_s=0.1) == Finished(ok=False, said="it took longer than 0.1 s")


def test_a_daemon_that_it_leaves_behind_is_not_waited_for(tmp_path: Path) -> None:
    """A restart command ends, its daemon holds the output open: we go on."""
    pid_file = tmp_path / "pid"
    started = time.monotonic()
    try:
        assert run(("sh", "-c", f"sleep 60 & echo $! > {pid_file}")).ok
        assert time.monotonic() - started < 30
    finally:
        os.kill(int(pid_file.read_text()), signal.SIGTERM)
