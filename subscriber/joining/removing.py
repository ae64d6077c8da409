"""Put back what was here before a join: files, the state directory, the directories that were made. Blocking."""

import contextlib
import shutil
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from common.files import read_bytes
from common.settings.edit import edit_settings
from subscriber.joining.before import Kind, Was, everything_below
from subscriber.joining.places import RECORD, SETTINGS, STATE, Places
from subscriber.joining.record import OURS, JoinRecord
from subscriber.joining.settings import digest_of, essence, undoing

_IN_STATE = (
    *("accepted.json", "keys.json", "applied.json", "unsent-ack.json", "joining.json"),
    *("lock", "adopt.lock", "subscriber.sock", "hosts.lines", "dnsmasq.pending", "hosts.journal*", "adopt.journal*"),
    *("backups", "dnsmasq", ".*.routecast", ".*.joining"),
)
"""What a subscriber keeps in its state directory, by name."""


def put_all_back(record: JoinRecord, places: Places, state_dir: Path | None = None) -> None:
    """Make everything that joining and the service wrote as it was; what the owner has added since stays.

    `state_dir` is the service's, when its settings name another than the usual one. The record goes last: when
    something fails, it can be gone on from there.

    Raises:
        OSError: something could not be put back.
        ConfigError: the settings file cannot be edited.

    """
    _put_settings_back(record, places)
    for path in OURS:
        if path != SETTINGS:
            record.was(path).put_back(places.at(path))
    if state_dir not in (None, places.at(STATE)):
        _remove_ours(state_dir, {})
    _put_state_back(record, places)
    for written in reversed(record.empty):
        _remove_empty(places.at(Path(written)))
    places.at(RECORD).unlink(missing_ok=True)
    made = [path for path, was in record.before.items() if was.kind is Kind.ABSENT]
    for directory in sorted(made, reverse=True):
        with contextlib.suppress(OSError):  # the owner has put something into it
            places.at(Path(directory)).rmdir()


def keeps_settings(record: JoinRecord, places: Places) -> bool:
    """Tell whether the settings file has been edited since the join, so that only our part of it goes."""
    return digest_of(read_bytes(places.at(SETTINGS))) != record.settings


def _put_settings_back(record: JoinRecord, places: Places) -> None:
    file, was = places.at(SETTINGS), record.was(SETTINGS)
    real = file.resolve()
    was_real = record.was(Path("/") / real.relative_to(places.root.resolve()))
    content = read_bytes(file)
    if content is None and record.settings is not None:
        return  # the owner has taken it away
    if content is not None and keeps_settings(record, places):
        before = was_real.bytes
        edit_settings(file, undoing(before))
        left = file.read_text()
        if essence(left) != essence((before or b"").decode()):
            return
    was_real.put_back(real)
    was.put_back(file)


def _put_state_back(record: JoinRecord, places: Places) -> None:
    state = places.at(STATE)
    if record.made_state:
        for path in _children(state):
            if path.name != RECORD.name:
                shutil.rmtree(path) if _is_directory(path) else path.unlink()
        return
    _remove_ours(state, record.before)
    for name, was in sorted(record.before.items()):
        if Path(name).is_relative_to(STATE):
            was.put_back(places.at(Path(name)))


def _remove_ours(state: Path, before: Mapping[str, Was]) -> None:
    """Remove what a subscriber has put into a state directory that was there `before` it."""
    real = state.resolve()
    for path in sorted(everything_below(real), reverse=True):
        inside = path.relative_to(real)
        if str(STATE / inside) in before or not any(fnmatchcase(inside.parts[0], each) for each in _IN_STATE):
            continue
        if _is_directory(path):
            with contextlib.suppress(OSError):  # something of the owner's is in it
                path.rmdir()
        else:
            path.unlink()


def _remove_empty(path: Path) -> None:
    """Remove a file without content, or a directory without any."""
    found = Was.at(path)
    if found.bytes == b"":
        path.unlink()
    elif found.kind is Kind.DIRECTORY:
        with contextlib.suppress(OSError):
            path.rmdir()


def _children(directory: Path) -> list[Path]:
    return list(directory.iterdir()) if directory.is_dir() else []


def _is_directory(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
