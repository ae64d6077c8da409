"""Judge a node's settings, who could change or read them, and its state directory. Pure."""

import stat
from collections.abc import Iterator

from cli.doctor.attempt import Fault
from cli.doctor.check import Check, Part, Subject, command
from cli.doctor.node.facts import NodeSeen, PathSeen
from cli.text import count
from common.settings import Settings
from common.settings.load import DEFAULT_PATH

SETTINGS = Subject(Part.NODE, "settings")
FILE = Subject(Part.NODE, "settings file")
STATE = Subject(Part.NODE, "state directory")

AS_ROOT = "sudo routecast doctor node"
_NODE = "subscriber.node, the name that this machine is registered under"
_KEYS = "subscriber.public_keys, what `routecast publisher public-key` prints on the control plane"


def judge_settings(seen: NodeSeen) -> Iterator[Check]:
    """Yield the checks of the settings, their file, and where the node keeps what it knows."""
    yield _complete(seen.settings)
    yield _private(seen.settings, seen.settings_file)
    yield _state_dir(seen.state_dir, root=seen.root)


def _complete(settings: Settings) -> Check:
    node, keys = settings.subscriber.node, settings.subscriber.public_keys
    missing = [what for what, value in ((_NODE, node), (_KEYS, keys)) if not value]
    if missing:
        edit = command("sudoedit", settings.file or DEFAULT_PATH)
        return SETTINGS.fail(f"not set: {'; '.join(missing)}", edit)
    targets = ", ".join(dict.fromkeys(settings.subscriber.target_names)) or "nothing"
    return SETTINGS.ok(f"{node}, {settings.subscriber.role}, writes {targets}, trusts {count(len(keys), 'key')}")


def _private(settings: Settings, file: PathSeen | None) -> Check:
    """Return the check that nobody else can say whom this node believes, nor read a password for NATS."""
    if file is None:
        return FILE.skip("none was read: the environment and the defaults count")
    secret = settings.nats.url.username is not None or settings.nats.url.password is not None
    if file.mode & stat.S_IWOTH:
        return FILE.fail(
            f"{file.path} can be written by everybody: so could whom this node believes", _chmod("o-w", file)
        )
    if secret and file.mode & stat.S_IROTH:
        return FILE.fail(f"{file.path} can be read by everybody, and nats.url has a login in it", _chmod("o-r", file))
    if file.mode & stat.S_IWGRP:
        return FILE.warn(f"{file.path} can be written by its group, {_bits(file)}", _chmod("g-w", file))
    return FILE.ok(f"{file.path}, {_bits(file)}")


def _state_dir(seen: PathSeen | Fault, *, root: bool) -> Check:
    if isinstance(seen, Fault):
        return STATE.fail(str(seen), "findmnt")
    if not seen.exists:
        return STATE.fail(
            f"{seen.path} is not there: no subscriber ever ran here", "sudo systemctl start routecast-subscriber"
        )
    if not seen.directory:
        return STATE.fail(f"{seen.path} is no directory", command("ls", "-ld", seen.path))
    if seen.mode & stat.S_IWOTH:
        return STATE.fail(f"{seen.path} can be written by everybody", _chmod("o-w", seen))
    if not seen.writable:
        what = f"{seen.path} cannot be written by this user"
        return (
            STATE.fail(f"{what}, though it is root", command("findmnt", "-T", seen.path))
            if root
            else STATE.skip(what, AS_ROOT)
        )
    return STATE.ok(f"{seen.path}, {_bits(seen)}")


def _chmod(change: str, seen: PathSeen) -> str:
    return command("sudo", "chmod", change, seen.path)


def _bits(seen: PathSeen) -> str:
    return f"mode {seen.mode:04o}"
