"""The machines of the walkthrough: each a folder with an /etc and a /var of its own, and one PATH with stand-ins.

All else is real: nats-server in operator mode with TLS, publisher, subscribers, the commands. Where a setting names a
place of the machine, the environment has it in the machine's folder: nothing outside is read or written.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from common.trust.token import JoinToken
from tests.docs import stand_ins
from tests.docs.shell import settings_text, trust_in
from tests.nats import free_port, nats_server_binary

LIMIT_S = 30.0

TOKEN = "rcj1.…"
"""What the page has in place of a join token."""

_MADE = re.compile(r"routecast join (\S+)")
_CRON_LINES = "*/5 * * * * cd ~/MyNodeOne && ./scripts/sync-dns.sh\n0 3 * * * /usr/local/bin/backup\n"


class Machines:
    """All machines of the page, in one folder, with one cluster; who joins gets the token that was made for him."""

    def __init__(self, folder: Path, kubeconfig: Path, old_registry: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._registries = {
            "the control plane": {"kubeconfig": str(kubeconfig)},
            "an old control plane": {"registry_dir": str(old_registry)},
        }
        self._bin = folder / "bin"
        self._pids = folder / "pids"
        self._tokens: dict[str, str] = {}

    def lay_out(self) -> None:
        """Write the stand-ins. Blocking."""
        stand_ins.lay_out(self._bin)
        self._pids.touch()

    def type(self, machine: str, line: str) -> subprocess.CompletedProcess[str]:
        """Have a shell on a machine run one line. Blocking."""
        home = self._machine(machine)
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line.replace(TOKEN, self._tokens.get(machine, TOKEN))],
            cwd=home,
            env=self._environment(machine, home),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=LIMIT_S,
            check=False,
        )
        self._tokens |= {JoinToken.decode(text).node: text for text in _MADE.findall(done.stdout)}
        return done

    def stop(self) -> None:
        """End what the machines started. Blocking."""
        stand_ins.stop(self._pids)

    def log(self, machine: str) -> str:
        """Return what the services of a machine logged. Blocking."""
        return "\n".join(path.read_text() for path in self._machine(machine).glob("*.log"))

    def etc(self, machine: str) -> Path:
        """Return where a machine's /etc is."""
        return self._machine(machine) / "etc"

    def _environment(self, machine: str, home: Path) -> dict[str, str]:
        etc = home / "etc" / "routecast"
        return {
            "PATH": os.pathsep.join([str(self._bin), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(home),
            "MACHINE": str(home),
            "PIDS": str(self._pids),
            "NATS_SERVER": nats_server_binary(),
            "NATS_PORT": str(self._port),
            "ROUTECAST_CONFIG": str(etc / "routecast.toml"),
            **trust_in(etc),
            **({} if machine in self._registries else _node_in(home)),
        }

    def _machine(self, name: str) -> Path:
        home = self._folder / name.replace(" ", "-")
        if not home.exists():
            (home / "etc" / "routecast").mkdir(parents=True)
            (home / "etc" / "hosts").write_text("127.0.0.1\tlocalhost\n")
            (home / "crontab").write_text(_CRON_LINES)
            is_node = name not in self._registries
            settings = "# mine\n" if is_node else self._settings(name, home)
            (home / "etc" / "routecast" / "routecast.toml").write_text(settings)
            if is_node:
                (home / "etc" / "traefik" / "dynamic").mkdir(parents=True)
        return home

    def _settings(self, name: str, home: Path) -> str:
        """Return what the README has the owner of a control plane write."""
        trust = home / "etc" / "routecast" / "trust"
        return settings_text(
            {
                "nats": {
                    "url": f"nats://127.0.0.1:{self._port}",
                    "ca_file": str(trust / "ca.crt"),
                    "credentials_file": str(trust / "operator.creds"),
                },
                "publisher": {**self._registries[name], "http_port": free_port()},
                "trust": {"join_url": f"nats://127.0.0.1:{self._port}"},
            }
        )


def _node_in(home: Path) -> dict[str, str]:
    """Return, as the environment has them, the places of a node: those of the machine, in its folder."""
    etc = home / "etc"
    return {
        "ROUTECAST_NATS_CREDENTIALS_FILE": str(etc / "routecast" / "node.creds"),
        "ROUTECAST_NATS_CA_FILE": str(etc / "routecast" / "ca.crt"),
        "ROUTECAST_SUBSCRIBER_STATE_DIR": str(home / "var" / "lib" / "routecast"),
        "ROUTECAST_HOSTS_PATH": str(etc / "hosts"),
        "ROUTECAST_TRAEFIK_DIRECTORY": str(etc / "traefik" / "dynamic"),
        "ROUTECAST_TRAEFIK_STAGING_DIR": str(etc / "traefik" / ".routecast"),
        "ROUTECAST_TRAEFIK_API_URL": "",
    }
