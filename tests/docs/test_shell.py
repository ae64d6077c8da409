"""The shell that types the examples tells how they end."""

from pathlib import Path

import pytest

from tests.docs import shell as module
from tests.docs.shell import CTRL_C, Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Lay out a shell without settings."""
    made = Shell(tmp_path / "home")
    made.lay_out({})
    return made


async def test_a_line_is_run_as_typed(shell: Shell) -> None:
    """A pipe fails with any part of it; sudo takes variables; nobody is there to answer."""
    assert str(await shell.type("echo one | cat && echo two >&2")) == (
        "$ echo one | cat && echo two >&2\none\ntwo\n-> 0"
    )
    assert (await shell.type("false | cat")).code == 1
    assert (await shell.type("sudo A=1 env | grep ^A=1$")).code == 0
    assert (await shell.type("test -t 0 || read -r")).code == 1
    assert (await shell.type("kill -9 $$")).code == 137


async def test_somebody_answers(shell: Shell) -> None:
    """With an answer there is a terminal to read it from."""
    assert (await shell.type("test -t 0 && read -r said && echo $said", answer="y\n")).printed == "y\n"


@pytest.mark.parametrize("line", ["echo hi; sleep 60", "echo hi | tee /dev/stderr | sleep 60"])
async def test_ctrl_c_ends_all_of_a_line(shell: Shell, line: str) -> None:
    """What it showed until then is kept."""
    async with shell.running(line) as terminal:
        await terminal.shows("hi")
        done = await terminal.stop()
    assert (done.code, "hi" in done.printed) == (CTRL_C, True)


async def test_what_does_not_come_is_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that ends too early, shows nothing, or goes on for ever fails with what it was."""
    with pytest.raises(AssertionError, match="ended by itself: echo hi"):
        async with shell.running("echo hi") as terminal:
            await terminal.shows("ho")
    monkeypatch.setattr(module, "LIMIT_S", 0.5)
    with pytest.raises(AssertionError, match="sleep 60 does not show 'ho'"):
        async with shell.running("sleep 60") as terminal:
            await terminal.shows("ho")
    with pytest.raises(AssertionError, match=r"does not end within 0\.5 s: sleep 60"):
        await shell.type("sleep 60")
