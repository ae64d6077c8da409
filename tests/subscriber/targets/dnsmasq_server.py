"""A real dnsmasq on a loopback port, with a drop-in directory, a pid file and scripts to test and restart it."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from common.settings.subscriber import DnsmasqSettings
from tests.subscriber.targets.loopback import free_port

PROGRAM = shutil.which("dnsmasq") or shutil.which("dnsmasq", path="/usr/sbin:/usr/local/sbin")
needs_dnsmasq = pytest.mark.skipif(PROGRAM is None, reason="needs the program dnsmasq")

_RESTART = """\
if pid=$(cat {pid} 2>/dev/null) && kill "$pid"; then
  for i in $(seq 300); do [ -e {pid} ] && kill -0 "$pid" 2>/dev/null || break; sleep 0.01; done
fi
echo restarted >> {log}
exec {program} -C {conf}
"""


class DnsmasqServer:
    """Started with `start`; whatever runs in the end is stopped with `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.drop_ins = folder / "dnsmasq.d"
        self.drop_ins.mkdir()
        self.pid_file = folder / "dnsmasq.pid"
        self.conf = folder / "dnsmasq.conf"
        self.restarts = folder / "restarts"
        self.port = free_port()
        self.conf.write_text(
            f"port={self.port}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\nuser=root\n"
            f"pid-file={self.pid_file}\nconf-dir={self.drop_ins},*.conf\n"
        )
        self.script = folder / "restart"
        self.script.write_text(_RESTART.format(pid=self.pid_file, conf=self.conf, program=PROGRAM, log=self.restarts))
        self.settings = DnsmasqSettings(
            drop_in=self.drop_ins / "routecast.conf",
            hosts_file=folder / "ours" / "names" / "hosts",
            pid_file=self.pid_file,
            restart_command=("sh", str(self.script)),
            test_command=(str(PROGRAM), "--test", "-C", str(self.conf)),
            server="127.0.0.1",
            port=self.port,
        )

    def start(self) -> None:
        """Start it; it answers when this returns."""
        subprocess.run([str(PROGRAM), "-C", str(self.conf)], check=True, capture_output=True)

    def stop(self) -> None:
        """Stop it, and wait until it has removed its pid file."""
        if not self.pid_file.exists():
            return
        os.kill(int(self.pid_file.read_text()), signal.SIGTERM)
        deadline = time.monotonic() + 5
        while self.pid_file.exists():
            assert time.monotonic() < deadline, "dnsmasq does not stop"
            time.sleep(0.005)

    def restarted(self) -> int:
        """Return how often the restart command was run."""
        return len(self.restarts.read_text().splitlines()) if self.restarts.exists() else 0

    def answer(self, name: str, kind: str = "A") -> list[str]:
        """Return what it answers, by the standard tool."""
        where = ["@127.0.0.1", "-p", str(self.port), "+short", "+tries=1", "+time=2"]
        done = subprocess.run(["dig", *where, name, kind], capture_output=True, text=True, check=True)
        return sorted(done.stdout.split())
