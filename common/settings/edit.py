"""Edit a settings file as a careful person does: only what is meant changes, comments and order stay.

Blocking: call it from a thread. What the new values mean is not judged here: that is the settings classes'.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array
from tomlkit.toml_document import TOMLDocument

from common.errors import ConfigError
from common.files import read_bytes, write_atomic

Value = str | int | float | bool | Sequence[str] | None
"""What a setting is set to; None takes it out of the file."""
Changes = Mapping[str, Mapping[str, Value]]
"""Section -> name -> value."""


def edit_settings(path: Path, changes: Changes, *, mode: int = 0o644) -> bool:
    """Set some settings in the file at `path`, and make it with `mode` when it is not there; tell whether it changed.

    A file that is there keeps mode and owner. It is replaced whole or not at all.

    Raises:
        ConfigError: it is no TOML, cannot be read or written, or was changed by somebody else meanwhile.

    """
    try:
        before = read_bytes(path)
        text = (before or b"").decode()
        after = edited(text, changes)
        if after == text:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, after.encode(), mode=mode, last_look=lambda: _still(path, before))
    except UnicodeDecodeError as e:
        raise ConfigError(f"{path} is not UTF-8, so no settings file: {e.reason}") from e
    except _NotToml as e:
        raise ConfigError(f"{path} is not TOML: {e}") from e
    except _Unwritable as e:
        raise ConfigError(f"{path} is written in a way that cannot be edited safely; set by hand: {e}") from e
    except PermissionError as e:
        raise ConfigError(f"{path} cannot be changed: {e.strerror}; try again with sudo") from e
    except OSError as e:
        raise ConfigError(f"{path} cannot be changed: {e.strerror}") from e
    return True


def edited(text: str, changes: Changes) -> str:
    """Return a settings file with some settings changed; the same text when they are so already. Pure."""
    wanted = _read(text)
    for section, values in changes.items():
        for name, value in values.items():
            _put(wanted, section, name, value)
    if _without_empty(wanted) == _without_empty(_read(text)):
        return text
    try:
        document = tomlkit.parse(text)
        for section, values in changes.items():
            for name, value in values.items():
                _set(document, section, name, value)
        made = tomlkit.dumps(document)
    except TOMLKitError as e:
        raise _Unwritable(_by_hand(changes)) from e
    found = _read_again(made)
    if found is None or _without_empty(found) != _without_empty(wanted):
        raise _Unwritable(_by_hand(changes))
    return made


class _NotToml(Exception):
    """Raise when a text is no TOML."""


class _Unwritable(Exception):
    """Raise when an edit would not come out as it is meant."""


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise _NotToml(str(e)) from e


def _read_again(made: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(made)
    except tomllib.TOMLDecodeError:
        return None


def _put(values: dict[str, Any], section: str, name: str, value: Value) -> None:
    """Set a value in what was read: what the file must say in the end."""
    table = values.setdefault(section, {})
    if not isinstance(table, dict):
        raise _Unwritable(f"[{section}], which is no section there")
    if value is None:
        table.pop(name, None)
    else:
        table[name] = _plain(value)


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    """Leave out sections in which nothing stands: whether they are in a file says nothing."""
    return {section: table for section, table in values.items() if table != {}}


def _set(document: TOMLDocument, section: str, name: str, value: Value) -> None:
    """Set a value in the document; a list that is there is changed in its place, so that its comments stay."""
    if section not in document:
        if value is None:
            return
        if written := document.as_string():
            document.add(tomlkit.ws("\n" if written.endswith("\n") else "\n\n"))
        document.add(section, tomlkit.table())
    table: Any = document[section]
    there, plain = table.get(name), _plain(value)
    if value is None:
        if name in table:
            del table[name]
    elif not (isinstance(there, Array) and isinstance(plain, list) and _changed_in_place(there, plain)):
        table[name] = plain


def _changed_in_place(array: Array, wanted: list[str]) -> bool:
    """Take out of an array what is not wanted and add what is missing; False when the order comes out as another."""
    kept = [value for value in array.unwrap() if value in wanted]
    if kept != wanted[: len(kept)]:
        return False
    for at in reversed(range(len(array))):
        if array[at] not in wanted:
            del array[at]
    array.extend(wanted[len(kept) :])
    return True


def _plain(value: Value) -> Any:
    """Return a value as TOML has it: any sequence but a text is a list."""
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value


def _by_hand(changes: Changes) -> str:
    return ", ".join(f"{section}.{name} = {value!r}" for section, of in changes.items() for name, value in of.items())


def _still(path: Path, before: bytes | None) -> None:
    """Raise when somebody else has written the file since it was read."""
    if read_bytes(path) != before:
        raise ConfigError(f"{path} was changed by somebody else just now; try again")
