"""`routecast subscriber allow`: which zones a node takes."""

from pathlib import Path

import orjson
import pytest

from cli import exits
from cli.subscriber.allow import reload_service
from common.settings import load
from tests.cli.conftest import run_routecast

NEXT = "sudo systemctl reload routecast-subscriber"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write a settings file that takes two zones."""
    path = tmp_path / "routecast.toml"
    path.write_text('# mine\n[policy]\nzones = ["mycloud.local", "a.com"] # two\nmax_names = 9\n')
    return path


@pytest.mark.parametrize(
    ("words", "zones"),
    [
        (["b.com"], ("mycloud.local", "a.com", "b.com")),
        (["b.com", "A.com.", "b.com"], ("mycloud.local", "a.com", "b.com")),
        (["bücher.example"], ("mycloud.local", "a.com", "xn--bcher-kva.example")),
        (["--remove", "a.com", "never.com"], ("mycloud.local",)),
        (["--remove", "a.com", "mycloud.local"], ()),
        (["--only", "b.com", "a.com"], ("b.com", "a.com")),
        (["any"], "any"),
        (["--only", "any"], "any"),
    ],
)
def test_the_file_says_what_was_asked_for(config: Path, words: list[str], zones: object) -> None:
    """The zones are in the file, comments and other settings stay, and the next command is named."""
    result = run_routecast("--config", str(config), "subscriber", "allow", *words)
    assert result.exit_code == exits.OK, result.stderr
    assert result.stdout.startswith(f"{config}: policy.zones was mycloud.local, a.com, is now ")
    assert NEXT in result.stderr
    policy = load(config).policy
    assert (policy.zones, policy.max_names) == (zones, 9)
    assert config.read_text().startswith("# mine\n[policy]\nzones = ")
    assert " # two\n" in config.read_text()


@pytest.mark.parametrize("words", [["a.com"], ["--remove", "b.com"], ["--only", "mycloud.local", "a.com"]])
def test_what_is_so_already_stays(config: Path, words: list[str]) -> None:
    """Nothing to do: said, nothing is written, nothing is to be done next."""
    before = config.stat()
    result = run_routecast("--config", str(config), "subscriber", "allow", *words)
    assert (result.exit_code, result.stdout) == (exits.OK, "unchanged: mycloud.local, a.com\n")
    assert not result.stderr
    assert (config.stat().st_ino, config.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_from_any_to_some(tmp_path: Path) -> None:
    """A node that takes any zone takes each; it is limited by --only, never by the word allow."""
    config = tmp_path / "routecast.toml"
    config.write_text("")
    allow = ("--config", str(config), "subscriber", "allow")
    assert run_routecast(*allow, "a.com").stdout == "unchanged: any\n"
    refused = run_routecast(*allow, "--remove", "a.com")
    assert refused.exit_code == exits.USAGE
    assert "--only ZONE..." in refused.stderr
    assert run_routecast(*allow, "--only", "a.com").exit_code == exits.OK
    assert config.read_text() == '[policy]\nzones = ["a.com"]\n'


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x-.com"], "is not a DNS name"),
        (["any", "a.com"], "any stands by itself"),
        (["--remove", "any"], "any stands by itself"),
        (["--only", "--remove", "a.com"], "contradict each other"),
        ([], "Missing argument"),
    ],
)
def test_what_makes_no_sense_changes_nothing(config: Path, words: list[str], said: str) -> None:
    """A usage error says what is wrong; the file is as it was."""
    before = config.read_text()
    result = run_routecast("--config", str(config), "subscriber", "allow", *words)
    assert result.exit_code == exits.USAGE
    assert said in result.stderr
    assert config.read_text() == before


def test_it_is_there_for_programs(config: Path) -> None:
    """Before, after, and whether the service has it."""
    result = run_routecast("--config", str(config), "subscriber", "allow", "--only", "b.com", "-o", "json")
    assert orjson.loads(result.stdout) == {
        "file": str(config),
        "changed": True,
        "before": ["mycloud.local", "a.com"],
        "zones": ["b.com"],
        "reloaded": False,
    }


def test_an_environment_that_goes_before_the_file_is_named(config: Path) -> None:
    """An edit that has no effect is not left unsaid."""
    env = {"ROUTECAST_POLICY_ZONES": '["c.com"]'}
    result = run_routecast("--config", str(config), "subscriber", "allow", "a.com", env=env)
    assert "warning: ROUTECAST_POLICY_ZONES" in result.stderr


@pytest.mark.parametrize(("active", "done"), [(True, True), (False, False)])
def test_a_service_under_systemd_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, active: bool, done: bool
) -> None:
    """One that runs is reloaded; one that does not run reads its settings when it starts."""
    calls = tmp_path / "calls"
    program = tmp_path / "systemctl"
    program.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n[ "$1" != is-active ] || {str(active).lower()}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert reload_service() is done
    assert ("reload routecast-subscriber" in calls.read_text()) is active
