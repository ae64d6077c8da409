import asyncio
import signal
import sys
from pathlib import Path

import pytest


async def _demo(tmp_path: Path, *options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "cli", "demo", *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
    )


@pytest.mark.timeout(120)
async def test_the_demo_plays_to_its_end_and_leaves_nothing(tmp_path: Path) -> None:
    """Every step of the story holds, the exit code is 0, the folder is gone."""
    demo = await _demo(tmp_path)
    output, _ = await demo.communicate()
    assert demo.returncode == 0, output.decode()
    assert output.count(b"joined with a token") == 4
    assert b"eof_received" not in output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(120)
async def test_without_credentials_the_story_is_the_same(tmp_path: Path) -> None:
    """`--insecure` plays it on a NATS server that takes everybody; nobody joins then."""
    demo = await _demo(tmp_path, "--insecure")
    output, _ = await demo.communicate()
    assert demo.returncode == 0, output.decode()
    assert b"joined with a token" not in output


@pytest.mark.timeout(120)
async def test_keep_leaves_all_running_until_ctrl_c(tmp_path: Path) -> None:
    """With --keep the printed commands can be used; Ctrl-C ends every process and removes the folder."""
    demo = await _demo(tmp_path, "--keep")
    assert demo.stdout is not None
    line = b""
    async with asyncio.timeout(60):
        while b"Ctrl-C ends it all" not in line:
            line = await demo.stdout.readline()
            assert line, "it ended early"
    assert list(tmp_path.iterdir()) != []
    demo.send_signal(signal.SIGINT)
    await demo.communicate()
    assert demo.returncode == 0
    assert list(tmp_path.iterdir()) == []
