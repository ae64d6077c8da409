"""`routecast config show`, and where settings come from."""

import tomllib
from pathlib import Path

import orjson

from cli import exits
from common.trust.nkeys import KeyPair, Owner
from tests.cli.conftest import run_routecast

SEED = KeyPair.new(Owner.USER).seed


def _file(tmp_path: Path, text: str) -> str:
    file = tmp_path / "routecast.toml"
    file.write_text(text)
    return str(file)


def test_it_says_which_file_was_read(tmp_path: Path) -> None:
    """The file by option or by environment; without one that is said."""
    file = _file(tmp_path, '[log]\nformat = "json"\n')
    for result in (
        run_routecast("--config", file, "config", "show"),
        run_routecast("config", "show", env={"ROUTECAST_CONFIG": file}),
    ):
        assert result.exit_code == exits.OK
        assert result.stdout.startswith(f"# read from {file}\n")
    found = orjson.loads(run_routecast("--config", file, "config", "show", "-o", "json").stdout)
    assert found["file"] == file
    assert found["settings"]["log"]["format"] == "json"
    assert run_routecast("config", "show").stdout.startswith("# no settings file was read\n")


def test_the_output_is_a_settings_file_again(tmp_path: Path) -> None:
    """What was set stands as it is, defaults in comments: read back it gives the same settings."""
    text = """
        [nats]
        url = "nats://cp1:4222"
        [subscriber]
        node = "n1"
        nak_delays_s = [1.0]
        [hosts]
        path = "/tmp/é \\""
    """
    shown = run_routecast("--config", _file(tmp_path, text), "config", "show").stdout
    given = {name: section for name, section in tomllib.loads(shown).items() if section}
    assert {name: given[name] for name in tomllib.loads(text)} == tomllib.loads(text)
    again = run_routecast("--config", _file(tmp_path, shown), "config", "show").stdout
    assert again == shown


def test_every_setting_is_shown_with_its_default() -> None:
    """Uncommented, the values that have a default are valid settings."""
    lines = run_routecast("config", "show").stdout.splitlines()[1:]
    uncommented = [line.removeprefix("# ") for line in lines if not line.endswith("=")]
    assert set(tomllib.loads("\n".join(uncommented))) >= {"nats", "log", "publisher", "subscriber", "traefik"}


def test_credentials_are_masked() -> None:
    """A password or token in the server's URL appears in no form."""
    env = {"ROUTECAST_NATS_URL": "nats://me:s3cret@cp1:4222"}
    for form in ("table", "json", "yaml"):
        shown = run_routecast("config", "show", "-o", form, env=env).stdout
        assert "s3cret" not in shown
        assert "nats://********@cp1:4222" in shown


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    """A value of the environment replaces the file's."""
    file = _file(tmp_path, '[nats]\nurl = "nats://file:4222"\n')
    shown = run_routecast("--config", file, "config", "show", env={"ROUTECAST_NATS_URL": "nats://env:4222"}).stdout
    assert 'url = "nats://env:4222"' in shown


def test_it_says_where_credentials_come_from(tmp_path: Path) -> None:
    """The file that a setting names, or the one that systemd has loaded; what is in it shows in no form."""
    file = tmp_path / "nats.creds"
    file.write_text(f"-----BEGIN USER NKEY SEED-----\n{SEED}\n")
    for env, source in (
        ({"ROUTECAST_NATS_CREDENTIALS_FILE": str(file)}, "nats.credentials_file"),
        ({"CREDENTIALS_DIRECTORY": str(tmp_path)}, "systemd (LoadCredential)"),
    ):
        shown = run_routecast("config", "show", env=env).stdout
        assert f'credentials_file = "{file}"' in shown
        assert ("# from systemd" in shown) is source.startswith("systemd")
        found = run_routecast("config", "show", "-o", "json", env=env).stdout
        assert orjson.loads(found)["credentials"] == {"file": str(file), "from": source}
        assert SEED not in shown + found
    assert orjson.loads(run_routecast("config", "show", "-o", "json").stdout)["credentials"]["file"] is None


def test_a_secret_in_the_wrong_place_is_masked() -> None:
    """A seed or a join token given as a path or a name is shown as nothing but that."""
    for secret in (SEED, "rcj1.eNqrVkrLz1eyUkpKLFKqBQAf0gQm"):
        env = {"ROUTECAST_NATS_CREDENTIALS_FILE": secret, "ROUTECAST_PUBLISHER_NAMESPACE": f"x {secret} y"}
        for form in ("table", "json"):
            shown = run_routecast("config", "show", "-o", form, env=env).stdout
            assert secret not in shown
            assert "x ******** y" in shown
