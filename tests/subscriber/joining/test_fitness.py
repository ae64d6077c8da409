import sys
from pathlib import Path

import pytest

from common.errors import ConfigError
from subscriber.joining.fitness import below_home, own_program
from subscriber.joining.places import CREDENTIALS, SETTINGS, Places
from subscriber.joining.record import JoinRecord, read_record
from subscriber.joining.settings import read_settings


@pytest.mark.parametrize("home", ["/home/a/venv/bin/routecast", "/root/routecast", "/run/user/1000/x"])
def test_what_lies_in_a_home_is_found(home: str) -> None:
    """The unit has ProtectHome=: it would not see it."""
    assert below_home([Path("/opt/routecast/bin/python"), Path(home)]) == Path(home)


def test_what_lies_elsewhere_is_seen() -> None:
    """Also what only begins like a home."""
    assert below_home([Path("/opt/routecast"), Path("/homes/a"), Path("/rooty")]) is None


def test_what_is_no_program_of_ours_is_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service could not start it: the commands that make a place for it are told."""
    monkeypatch.setattr(sys, "argv", ["/usr/bin/pytest"])
    with pytest.raises(ConfigError, match="sudo /opt/routecast/bin/routecast join -"):
        own_program()


def test_a_link_out_of_the_root_is_refused(tmp_path: Path) -> None:
    """What is found there is another machine's."""
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "etc").symlink_to("/etc")
    with pytest.raises(ConfigError, match="leads out of"):
        Places(tmp_path / "image").check(SETTINGS)


def test_a_directory_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """It is not ours to replace."""
    places = Places(tmp_path.resolve())
    places.at(CREDENTIALS).mkdir(parents=True)
    with pytest.raises(ConfigError, match="move it away"):
        JoinRecord.now("n", "i", read_settings(places.at(SETTINGS)), places)


def test_a_damaged_record_is_not_taken_for_none(tmp_path: Path) -> None:
    """Or what was there before would be forgotten."""
    places = Places(tmp_path.resolve())
    (tmp_path / "var" / "lib" / "routecast").mkdir(parents=True)
    (tmp_path / "var" / "lib" / "routecast" / "joined.json").write_text("{")
    with pytest.raises(ConfigError, match="damaged"):
        read_record(places)
