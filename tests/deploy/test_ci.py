import re
import subprocess

from tests.deploy import engine, room
from tests.deploy.systemd import ROOT

SCRIPT = ROOT / ".ci" / "run"

IN_DEBIAN = {
    **dict.fromkeys(("containerd", "runc", "docker", "iptables"), "dockerd"),
    **dict.fromkeys(("unshare", "nsenter", "setpriv", "pivot_root", "mount"), None),
}
"""Programs that come with another one of the list, or are on every Debian (None)."""


def test_the_script_runs_the_readmes_two_commands() -> None:
    """CI does what a person does: `make check` and `make test`, each with an end, together within half an hour."""
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    text = SCRIPT.read_text()
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in text
    limits = re.findall(r"^timeout --kill-after=30s (\d+)m make (\w+)", text, re.MULTILINE)
    assert [target for _, target in limits] == ["check", "test"]
    assert sum(int(minutes) for minutes, _ in limits) < 30
    assert SCRIPT.stat().st_mode & 0o111 == 0o111


def test_nothing_is_skipped_for_want_of_a_debian_package() -> None:
    """What the deploy tests look for is installed by the script, or is on every Debian."""
    installed = set(re.findall(r"\[([\w-]+)\]=", SCRIPT.read_text()))
    needed = {*room.PROGRAMS, *engine.PROGRAMS, "busybox", "dnsmasq", "systemctl"}
    assert {IN_DEBIAN.get(name, name) for name in needed} - {None} <= installed
