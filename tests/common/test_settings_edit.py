import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from common.errors import ConfigError
from common.settings import edit
from common.settings.edit import Value, edit_settings, edited

FILE = """\
# Ours.
[nats]
url = "nats://100.122.68.75:4222"   # the control plane

[policy]   # what we take
zones = [
    "mycloud.local", # home
    # friends
    "example.com",
]
max_names = 100 # enough

[hosts]
path = "/etc/hosts"
"""
ODD = ("", "\n", "# nothing\n", "# no end", "policy = {zones = 'any'}\n", "policy.zones = 'any'\nlog.level = 'info'\n",
       "[nats]\r\nurl = 'x'\r\n", "[policy]\n[policy.more]\na = 1\n", "[log]\nlevel = 'info' # end")  # fmt: skip

names = st.sampled_from(["zones", "max_names", "url", "level", "new_one"])
texts = st.text(st.characters(codec="utf-8"), max_size=20)
values = st.none() | texts | st.integers(-(2**40), 2**40) | st.booleans() | st.lists(texts, max_size=4)
files = st.sampled_from([FILE, *ODD]) | st.dictionaries(
    st.sampled_from(["nats", "policy", "log"]), st.dictionaries(names, values.filter(lambda value: value is not None))
).map(tomlkit.dumps)


def _known(text: str) -> dict[str, Any]:
    """Return what a file says; of a section in which nothing stands it says nothing."""
    return {section: table for section, table in tomllib.loads(text).items() if table != {}}


@given(files, st.sampled_from(["policy", "nats", "trust"]), names, values)
def test_what_is_set_is_set_and_nothing_else(text: str, section: str, name: str, value: Value) -> None:
    """The file says what it said before, and the new value; a second edit changes nothing."""
    made = edited(text, {section: {name: value}})
    wanted = tomllib.loads(text)
    wanted.setdefault(section, {})
    wanted[section].pop(name, None)
    if value is not None:
        wanted[section][name] = value
    assert _known(made) == {each: table for each, table in wanted.items() if table != {}}
    assert edited(made, {section: {name: value}}) == made


@given(st.sampled_from([FILE, *ODD]), st.lists(st.sampled_from(["mycloud.local", "example.com", "a.b"]), unique=True))
def test_every_comment_of_what_stays_is_kept(text: str, zones: list[str]) -> None:
    """Comments go only with what they stand beside."""
    made = edited(text, {"policy": {"zones": zones}})
    for comment in ("# Ours.", "# the control plane", "# what we take", "# enough", "# nothing", "# no end", "# end"):
        assert (comment in made) == (comment in text)


def test_a_list_is_changed_in_its_place() -> None:
    """An entry that stays keeps its line and comment; a new one comes behind it."""
    made = edited(FILE, {"policy": {"zones": ["mycloud.local", "a.b"]}})
    assert '    "mycloud.local", # home\n' in made
    assert made.index('"a.b"') > made.index("# home")
    assert '"example.com"' not in made
    assert made.startswith(FILE[: FILE.index("zones")])
    assert made.endswith(FILE[FILE.index("max_names") :])


def test_a_new_section_stands_by_itself() -> None:
    """It comes last, after an empty line, whether or not the file ends with one."""
    assert edited("a = 1", {"policy": {"zones": "any"}}) == 'a = 1\n\n[policy]\nzones = "any"\n'
    assert edited("", {"policy": {"zones": "any"}}) == '[policy]\nzones = "any"\n'


def test_several_settings_at_once() -> None:
    """All of them are in the file, or it is as it was."""
    made = edited(FILE, {"nats": {"tls": "required", "url": None}, "trust": {"directory": "/x"}})
    assert tomllib.loads(made)["nats"] == {"tls": "required"}
    assert tomllib.loads(made)["trust"] == {"directory": "/x"}


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_is_made_and_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    """A new file, in a folder that need not be there, has the mode asked for; one that is there keeps its own."""
    path = tmp_path / "etc" / "routecast.toml"
    assert edit_settings(path, {"policy": {"zones": ("a.b",)}}, mode=mode)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    path.chmod(0o640)
    assert edit_settings(path, {"policy": {"zones": "any"}})
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.read_text() == '[policy]\nzones = "any"\n'


def test_what_is_so_already_is_not_written(tmp_path: Path) -> None:
    """The same value: the same inode and time."""
    path = tmp_path / "routecast.toml"
    path.write_text(FILE)
    before = path.stat()
    assert not edit_settings(path, {"policy": {"zones": ("mycloud.local", "example.com")}, "log": {"level": None}})
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[nats", "is not TOML"),
        (b"a = 1\na = 2\n", "is not TOML"),
        (b"\xff", "is not UTF-8"),
        (b"policy = 3\n", r"edited safely; set by hand: \[policy\], which is no section there"),
    ],
)
def test_a_file_that_cannot_be_edited_stays(tmp_path: Path, content: bytes, said: str) -> None:
    """Not understood, not touched: the error says why."""
    path = tmp_path / "routecast.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        edit_settings(path, {"policy": {"zones": "any"}})
    assert path.read_bytes() == content


def test_an_edit_of_somebody_else_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes between our look and our write wins; we say so."""
    path = tmp_path / "routecast.toml"
    path.write_text(FILE)
    known = edit.edited

    def meanwhile(text: str, changes: edit.Changes) -> str:
        path.write_text("# theirs\n")
        return known(text, changes)

    monkeypatch.setattr(edit, "edited", meanwhile)
    with pytest.raises(ConfigError, match="changed by somebody else"):
        edit_settings(path, {"policy": {"zones": "any"}})
    assert path.read_text() == "# theirs\n"


def test_a_folder_in_its_place_is_an_error(tmp_path: Path) -> None:
    """What the system says is passed on, with the path."""
    with pytest.raises(ConfigError, match=f"{tmp_path} cannot be changed: Is a directory"):
        edit_settings(tmp_path, {"policy": {"zones": "any"}})


def test_a_dotted_setting_before_a_section_is_taken_out() -> None:
    """`nats.tls = ...` at the top of a file that has sections below."""
    text = 'nats.url = "nats://a:1"\nnats.tls = "tailnet"\n\n[log]\nlevel = "info"\n'
    assert edited(text, {"nats": {"tls": None}}) == 'nats.url = "nats://a:1"\n\n[log]\nlevel = "info"\n'
