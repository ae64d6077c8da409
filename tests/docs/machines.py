"""The machines of the walkthrough: each its own settings, one PATH, and stand-ins for what a test cannot have.

`sudo` runs what follows; `systemctl` starts and stops our services as processes; `crontab` keeps a file. All else is
real: nats-server, publisher, subscribers, the commands.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson

from tests.nats import free_port
from tests.registries import SIGNER
from tests.world import SEED

LIMIT_S = 30.0

_SYSTEMCTL = """#!/usr/bin/env bash
set -eu
verb=$1 unit=${!#}
case $unit in
    routecast-*) what=${unit#routecast-} ;;
    *) exit 0 ;;
esac
case $verb in
    enable) nohup routecast "$what" run >>"$MACHINE/$what.log" 2>&1 & echo $! >>"$PIDS" ;;
    status) echo "$unit is running" ;;
esac
"""
_SUDO = '#!/usr/bin/env bash\nexec "$@"\n'
_CRONTAB = """#!/usr/bin/env bash
file=$MACHINE/crontab
if [ "$1" = -l ]; then cat "$file"; else cat >"$file.new" && mv "$file.new" "$file"; fi
"""
_CRON_LINES = "*/5 * * * * cd ~/MyNodeOne && ./scripts/sync-dns.sh\n0 3 * * * /usr/local/bin/backup\n"


class Machines:
    """All machines of the page, in one folder, on one nats-server and one cluster."""

    def __init__(self, folder: Path, nats_url: str, kubeconfig: Path, old_registry: Path) -> None:
        self._folder = folder
        self._nats_url = nats_url
        self._registries = {
            "the control plane": {"kubeconfig": str(kubeconfig)},
            "an old control plane": {"registry_dir": str(old_registry)},
        }
        self._bin = folder / "bin"
        self._pids = folder / "pids"
        self._seed = folder / "signing.seed"

    def lay_out(self) -> None:
        """Write the stand-ins and the seed. Blocking."""
        self._bin.mkdir()
        for name, text in (("systemctl", _SYSTEMCTL), ("sudo", _SUDO), ("crontab", _CRONTAB)):
            (self._bin / name).write_text(text)
            (self._bin / name).chmod(0o755)
        self._seed.write_text(SEED)
        self._seed.chmod(0o600)
        self._pids.touch()

    def type(self, machine: str, line: str) -> subprocess.CompletedProcess[str]:
        """Have a shell on a machine run one line. Blocking."""
        home = self._machine(machine)
        environment = {
            "PATH": os.pathsep.join([str(self._bin), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(home),
            "MACHINE": str(home),
            "PIDS": str(self._pids),
            "ROUTECAST_CONFIG": str(home / "routecast.toml"),
        }
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=LIMIT_S,
            check=False,
        )

    def stop(self) -> None:
        """End what the machines started. Blocking."""
        pids = [int(line) for line in self._pids.read_text().split()]
        for pid in pids:
            _kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while any(_kill(pid, 0) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.05)
        for pid in pids:
            _kill(pid, signal.SIGKILL)

    def log(self, machine: str) -> str:
        """Return what the services of a machine logged. Blocking."""
        return "\n".join(path.read_text() for path in self._machine(machine).glob("*.log"))

    def _machine(self, name: str) -> Path:
        home = self._folder / name.replace(" ", "-")
        if not home.exists():
            home.mkdir()
            (home / "crontab").write_text(_CRON_LINES)
            (home / "routecast.toml").write_text(self._settings(name, home))
        return home

    def _settings(self, name: str, home: Path) -> str:
        sections: dict[str, dict[str, object]] = {"nats": {"url": self._nats_url}}
        if name in self._registries:
            sections["publisher"] = {
                **self._registries[name],
                "signing_seed_file": str(self._seed),
                "http_port": free_port(),
            }
        else:
            (home / "dynamic").mkdir()
            (home / "hosts").write_text("127.0.0.1\tlocalhost\n")
            sections["subscriber"] = {
                "node": name,
                "role": "laptop" if name.endswith("laptop") else "vps",
                "public_keys": [SIGNER.public_key],
                "state_dir": str(home / "state"),
            }
            sections["hosts"] = {"path": str(home / "hosts")}
            sections["traefik"] = {
                "directory": str(home / "dynamic"),
                "staging_dir": str(home / "staging"),
                "api_url": "",
            }
        lines = [
            line
            for section, values in sections.items()
            for line in (f"[{section}]", *(f"{key} = {orjson.dumps(value).decode()}" for key, value in values.items()))
        ]
        return "\n".join(lines) + "\n"


def _kill(pid: int, number: int) -> bool:
    """Send a signal; tell whether there is such a process (one that ended and was not waited for counts as gone)."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
