"""Errors are one line on standard error and a documented exit code, never a traceback."""

import signal
from importlib import import_module
from pathlib import Path

import pytest

from cli import exits
from cli.control import ask
from cli.exits import exit_code_of
from cli.extras import publisher_extra
from cli.run import run
from common.bus import Bus
from common.errors import (
    AccessDenied,
    BusUnavailable,
    ConfigError,
    NothingToShow,
    Rejection,
    RoutecastError,
    SnapshotRejected,
    SourceUnavailable,
)
from tests.cli.bus_data import ack_of, answer, publish_registry, report
from tests.cli.conftest import Routecast, run_routecast
from tests.cli.processes import running
from tests.nats import NatsServer, free_port


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NothingToShow("x"), exits.NOT_SO),
        (SnapshotRejected(Rejection.ORDER, "x"), exits.NOT_SO),
        (RoutecastError("x"), exits.NOT_SO),
        (ConfigError("x"), exits.USAGE),
        (BusUnavailable("x"), exits.UNREACHABLE),
        (SourceUnavailable("x"), exits.UNREACHABLE),
        (AccessDenied("x"), exits.UNREACHABLE),
    ],
)
def test_each_error_has_its_exit_code(error: RoutecastError, code: int) -> None:
    """What a script reacts to: not so, wrong settings, not reachable."""
    assert exit_code_of(error) == code


@pytest.mark.parametrize(
    "words",
    [
        *(["nodes"], ["acks"], ["acks", "--follow"], ["nodes", "--watch"], ["push"], ["reconcile"], ["problems"]),
        *(["stream", "info"], ["stream", "log"], ["stream", "show"], ["stream", "diff"]),
    ],
)
def test_no_nats_is_exit_code_3(words: list[str]) -> None:
    """Without a server every command that needs it says so in one line and ends."""
    url = f"nats://127.0.0.1:{free_port()}"
    result = run_routecast(*words, env={"ROUTECAST_NATS_URL": url})
    assert result.exit_code == exits.UNREACHABLE
    assert result.stderr.startswith(f"error: NATS at {url} does not answer")
    assert len(result.stderr.splitlines()) == 1
    assert not result.stdout


@pytest.mark.parametrize("words", [["push"], ["reconcile"], ["problems"]])
async def test_no_publisher_is_exit_code_3(words: list[str], bus: Bus, routecast: Routecast) -> None:
    """With a server but without a publisher it is said which of the two is missing."""
    await publish_registry(bus)
    result = await routecast(*words)
    assert result.exit_code == exits.UNREACHABLE
    assert result.stderr.startswith("error: no publisher is running")
    assert "routecast publisher run" in result.stderr


@pytest.mark.parametrize("words", [["push", "--timeout", "100ms"], ["reconcile", "--timeout", "100ms"]])
async def test_a_publisher_that_is_silent_is_not_waited_for_for_ever(
    words: list[str], bus: Bus, routecast: Routecast
) -> None:
    """A request that is taken but not answered ends at its time limit, and says what may still happen."""
    await publish_registry(bus)
    subscription = await bus.nc.subscribe("registry.control", queue="publisher")
    await bus.nc.flush()
    result = await routecast(*words)
    await subscription.unsubscribe()
    assert result.exit_code == exits.UNREACHABLE
    assert "did not answer within 0.1 s" in result.stderr


async def test_a_frozen_server_is_not_waited_for_for_ever(bus: Bus, server: NatsServer, routecast: Routecast) -> None:
    """A server that takes the connection and then says nothing ends in exit code 3."""
    await report(bus)
    server.pause()
    try:
        result = await routecast("nodes")
    finally:
        server.resume()
    assert result.exit_code == exits.UNREACHABLE, result.output


def test_wrong_settings_are_exit_code_2(tmp_path: Path) -> None:
    """All faults of a settings file are said at once, with the file."""
    file = tmp_path / "routecast.toml"
    file.write_text('[nats]\nurl = "http://x"\n[log]\nlevel = "loud"\n')
    result = run_routecast("--config", str(file), "nodes")
    assert result.exit_code == exits.USAGE
    assert str(file) in result.stderr
    assert "nats.url" in result.stderr
    assert "log.level" in result.stderr


def test_a_settings_file_that_is_missing_is_exit_code_2(tmp_path: Path) -> None:
    """A named file that does not exist is an error, by option and by environment."""
    missing = str(tmp_path / "missing.toml")
    assert run_routecast("--config", missing, "nodes").exit_code == exits.USAGE
    assert run_routecast("nodes", env={"ROUTECAST_CONFIG": missing}).exit_code == exits.USAGE


@pytest.mark.parametrize(
    "words",
    [
        *(["acks", "No Such"], ["acks", "a.b"], ["acks", ">"], ["acks", "-n", "65"], ["nodes", "-o", "xml"]),
        *(["stream", "show", "x"], ["stream", "show", "0"], ["stream", "diff", "1/2/3"], ["push", "--timeout", "30"]),
        *(["render", "vps", "contabo"], ["show", "--registry-dir", "/nonexistent"]),
    ],
)
def test_wrong_words_are_exit_code_2(words: list[str]) -> None:
    """What cannot be meant is refused before anything is asked for."""
    result = run_routecast(*words)
    assert result.exit_code == exits.USAGE
    assert "Invalid value" in result.stderr
    assert not result.stdout


def test_a_missing_extra_is_named() -> None:
    """A node has no publisher's libraries: what to install is said."""
    said = r"no_such_library is not installed here; run: pip install '\.\[publisher\]' in the checkout"
    with pytest.raises(ConfigError, match=said), publisher_extra():
        import_module("no_such_library")


async def test_who_asks_needs_no_name(monkeypatch: pytest.MonkeyPatch, bus: Bus) -> None:
    """In a container without a user's name, and on a connection that is closed, the error is the real one."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    await bus.close()
    with pytest.raises(BusUnavailable, match="connection closed"):
        await ask(bus, "push", timeout_s=1)


def test_two_sources_are_refused(tmp_path: Path) -> None:
    """A folder and the cluster at once is a contradiction, wherever the folder was named."""
    for words in (["show", "--cluster", "--registry-dir", str(tmp_path)], ["--registry-dir", str(tmp_path)]):
        result = run_routecast(*words, *([] if "show" in words else ["problems", "--cluster"]))
        assert result.exit_code == exits.USAGE
        assert "two sources" in result.stderr


def test_of_a_group_of_errors_ours_is_shown() -> None:
    """What several tasks raise at once comes out as the one error that says something."""

    async def fail() -> None:
        raise ExceptionGroup("outer", [ExceptionGroup("inner", [ValueError("x"), BusUnavailable("gone")])])

    with pytest.raises(BusUnavailable, match="gone"):
        run(fail())


def test_a_fault_of_ours_is_not_hidden() -> None:
    """A group without an error of ours is a bug, and stays one."""

    async def fail() -> None:
        raise ExceptionGroup("outer", [ValueError("x")])

    with pytest.raises(ExceptionGroup):
        run(fail())


@pytest.mark.parametrize("words", [["acks", "--follow"], ["nodes", "--watch"]])
async def test_ctrl_c_is_exit_code_130(words: list[str], bus: Bus, server: NatsServer) -> None:
    """Ctrl-C ends what would go on for ever: exit code 130, no traceback."""
    await answer(bus, ack_of("work-laptop", await publish_registry(bus)))
    async with running(*words, env={"ROUTECAST_NATS_URL": server.url}) as command:
        assert await command.line()
        code, _, errors = await command.stop(signal.SIGINT)
    assert code == exits.INTERRUPTED
    assert not errors
