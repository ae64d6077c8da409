import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from common.names import derive_names
from subscriber.targets.hosts_block import split
from subscriber.targets.hosts_lines import entry_lines
from tests.registries import REFERENCE
from tests.subscriber.mounts import BIND, in_namespace, names_in, needs_mounts

OWNER = b"127.0.0.1 localhost\n::1 localhost\n# my own \xe4\x00 line\n" + b"0.0.0.0 ads.example.com\n" * 400 + b"last"
KILLS = 30


@contextmanager
def _applying(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)


def _order(process: "subprocess.Popen[str]", order: str) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    print(order, file=process.stdin, flush=True)
    return int(process.stdout.readline())


def _kill_and_heal(command: list[str], hosts: Path, writing: Callable[[], bool]) -> int:
    """Kill applies, at random moments and while they are `writing`; after each check the healed file.

    Return how many kills had left a journal.
    """
    lines = entry_lines(derive_names(REFERENCE).records)
    healed = split(OWNER, ()).render(lines)
    chance = random.Random(7)
    journals = 0
    with _applying(command) as process:
        for i in range(KILLS):
            applier = _order(process, "loop")
            limit = time.monotonic() + (chance.uniform(0, 0.05) if i % 3 == 0 else 5)
            while time.monotonic() < limit and not writing():
                pass
            time.sleep(chance.uniform(0, 0.003))  # not to wait for anything: it is the moment that is random
            os.kill(applier, signal.SIGKILL)
            journals += _order(process, "heal")
            assert hosts.read_bytes() == healed
    return journals


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """Write the owner's file; return how to apply to it."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "hosts").write_bytes(OWNER)
    module = "tests.subscriber.targets.applying"
    return [sys.executable, "-m", module, str(tmp_path / "etc" / "hosts"), str(tmp_path / "state")]


def test_a_killed_write_leaves_a_whole_file(command: list[str], tmp_path: Path) -> None:
    """With renames: the owner's bytes stand, the next start makes a whole block, nothing is left beside the file."""
    etc = tmp_path / "etc"
    assert _kill_and_heal(command, etc / "hosts", writing=lambda: len(names_in(etc)) > 1) == 0
    assert names_in(etc) == ["hosts"]


@needs_mounts
def test_a_killed_write_in_place_is_made_whole(command: list[str], tmp_path: Path) -> None:
    """On a bind mount: the journal brings the file back, and the owner's bytes stand."""
    hosts, journal = tmp_path / "etc" / "hosts", tmp_path / "state" / "hosts.journal"
    assert _kill_and_heal(in_namespace(BIND, hosts, *command), hosts, writing=journal.exists) > 0
    assert names_in(tmp_path / "state") == ["hosts.lines"]
