"""The running dnsmasq: found by its pid file, told to read its hosts files again. Blocking: call it from a thread."""

import os
import signal
from pathlib import Path

from common.errors import TargetFailed
from common.files import read_bytes
from subscriber.targets.command import run

_COMMAND = "dnsmasq"


def running_pid(pid_file: Path) -> int | None:
    """Return the process id of dnsmasq, None when it does not run.

    A pid file can outlive its process, and the number can be another program's by then: SIGHUP would end that one.

    Raises:
        OSError: the pid file cannot be read.

    """
    text = (read_bytes(pid_file) or b"").strip()
    pid = int(text) if text.isdigit() else 0
    if pid <= 1 or not _alive(pid):
        return None
    return pid if _name(pid) in (_COMMAND, None) else None


def reload(pid: int) -> None:
    """Have dnsmasq read its hosts files again.

    Raises:
        TargetFailed: we must not send it a signal.

    """
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        return  # ended just now: it will read the files when it starts
    except PermissionError as e:
        raise TargetFailed(
            "permission",
            f"dnsmasq (process {pid}) cannot be told to read its hosts file again: run the subscriber as root or give "
            "it CAP_KILL, then run: routecast subscriber sync",
        ) from e


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _name(pid: int) -> str | None:
    """Return the name of a process's program, None when it cannot be told (hidden by ProtectProc=, or no ``ps``)."""
    if Path("/proc/self/comm").exists():
        try:
            return Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            return None
    answer = run(("ps", "-o", "comm=", "-p", str(pid)), limit_s=5)
    return Path(answer.said).name if answer.ok else None
