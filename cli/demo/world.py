"""The demo's machines: a control plane with NATS, two laptops, two VPSs, one of them with a real Traefik."""

import asyncio
import base64
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from cli.demo import backend
from cli.demo.programs import Program, find, free_port, traefik_command
from cli.demo.registry import Registry
from common.clock import now
from common.models import Role
from common.settings.nats import NatsSettings
from common.signing import read_seed
from publisher.trust.directory import TrustDirectory
from publisher.trust.server import FILE as ACCESS

LAPTOPS = ("vinay-laptop", "work-laptop")
VPSS = ("contabo-vps", "digitalocean-vps")
NODES = (*LAPTOPS, *VPSS)
WITH_TRAEFIK = "contabo-vps"

JOINED = Path("etc", "routecast", "node.creds")
"""Where joining puts a node's credentials, below its folder."""

_USERS_OWN_LINES = "127.0.0.1\tlocalhost\n# my own line\n192.0.2.7\tprinter\n"


@dataclass(frozen=True, slots=True)
class Ports:
    """Where things listen, all on loopback."""

    nats: int = field(default_factory=free_port)
    publisher: int = field(default_factory=free_port)
    app: int = field(default_factory=free_port)
    plain: int = field(default_factory=free_port)
    tls: int = field(default_factory=free_port)
    traefik_api: int = field(default_factory=free_port)


class World:
    """All processes of the demo, in one folder; nothing outside it is touched."""

    def __init__(self, folder: Path, *, secure: bool = True) -> None:
        self.folder = folder
        self.ports = Ports()
        self.trust = TrustDirectory(folder / "control-plane" / "trust", folder / "nats-access") if secure else None
        self.registry: Registry
        self.config = folder / "control-plane" / "routecast.toml"
        self.command = ""
        self.programs: dict[str, Program] = {}
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self.registry = await asyncio.to_thread(Registry, self.folder / "registry")
        await asyncio.to_thread(self._lay_out)
        await self._running.enter_async_context(backend.serving("127.0.0.1", self.ports.app))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.gather(*(program.stop() for program in reversed(self.programs.values())))
        await self._running.aclose()

    async def start(self, name: str) -> None:
        """Start one of the processes."""
        await self.programs[name].start()

    @property
    def nats(self) -> NatsSettings:
        """How the demo itself looks at the bus: as an operator."""
        return NatsSettings.model_validate(
            self._nats(None if self.trust is None else self.trust.credentials("operator"))
        )

    def dead(self) -> list[Program]:
        """Return the processes that ended by themselves."""
        return [program for program in self.programs.values() if program.log.exists() and not program.running]

    def hosts_file(self, laptop: str) -> Path:
        """Return a laptop's hosts file."""
        return self.folder / laptop / "hosts"

    def routes_file(self, vps: str) -> Path:
        """Return a VPS's routes file."""
        return self.folder / vps / "dynamic" / "routecast.yml"

    def _lay_out(self) -> None:
        self.command = find("routecast")
        control = self.config.parent
        control.mkdir()
        seed = control / "signing.seed"
        seed.write_bytes(base64.b64encode(os.urandom(32)) + b"\n")
        seed.chmod(0o600)
        if self.trust is not None:
            self.trust.make(("127.0.0.1",), now(), accounts=self.folder / "nats" / "accounts")
        self.config.write_text(
            f"{self._nats_section(None if self.trust is None else self.trust.credentials('operator'))}"
            f"{self._trust_section()}"
            f'[publisher]\nregistry_dir = "{self.registry.folder}"\nsigning_seed_file = "{seed}"\n'
            f"http_port = {self.ports.publisher}\n"
        )
        public_key = read_seed(seed).public_key
        access = () if self.trust is None else ("-c", str(self.trust.server / ACCESS))
        self._add("nats", find("nats-server"), "-js", "-a", "127.0.0.1", "-p", str(self.ports.nats),
                  "-sd", str(self.folder / "nats"), *access)  # fmt: skip
        self._add("publisher", *self._routecast(self.config), "publisher", "run")
        self._add_traefik()
        for node in NODES:
            config = self._lay_out_node(node, public_key)
            self._add(node, *self._routecast(config), "subscriber", "run")

    def _lay_out_node(self, node: str, public_key: str) -> Path:
        home = self.folder / node
        (home / "dynamic").mkdir(parents=True, exist_ok=True)
        role = Role.LAPTOP if node in LAPTOPS else Role.VPS
        if role is Role.LAPTOP:
            self.hosts_file(node).write_text(_USERS_OWN_LINES)
        api = self.ports.traefik_api if node == WITH_TRAEFIK else 1  # nothing listens on port 1
        config = home / "routecast.toml"
        config.write_text(
            f"{self._nats_section(None if self.trust is None else home / JOINED)}"
            f'[subscriber]\nnode = "{node}"\nrole = "{role.value}"\npublic_keys = ["{public_key}"]\n'
            f'state_dir = "{home / "state"}"\n\n'
            f'[hosts]\npath = "{self.hosts_file(node)}"\n\n'
            f'[traefik]\ndirectory = "{home / "dynamic"}"\nstaging_dir = "{home / "staging"}"\n'
            f'api_url = "http://127.0.0.1:{api}"\ncert_resolver = ""\n\n'
            '[policy]\nnetworks = ["100.64.0.0/10", "127.0.0.0/8"]\n'
        )
        return config

    def _nats(self, credentials: Path | None) -> dict[str, str]:
        settings = {"url": f"nats://127.0.0.1:{self.ports.nats}"}
        if self.trust is not None and credentials is not None:
            settings |= {"ca_file": str(self.trust.authority), "credentials_file": str(credentials)}
        return settings

    def _nats_section(self, credentials: Path | None) -> str:
        return _section("nats", self._nats(credentials))

    def _trust_section(self) -> str:
        if self.trust is None:
            return ""
        url = f"nats://127.0.0.1:{self.ports.nats}"
        return _section(
            "trust",
            {"directory": str(self.trust.path), "server_directory": str(self.trust.server), "join_url": url},
        )

    def _add_traefik(self) -> None:
        directory = self.folder / WITH_TRAEFIK / "dynamic"
        directory.mkdir(parents=True)
        ports = self.ports
        self._add("traefik", *traefik_command(directory, plain=ports.plain, tls=ports.tls, api=ports.traefik_api))

    def _add(self, name: str, *command: str) -> None:
        self.programs[name] = Program(name, list(command), self.folder / f"{name}.log")

    def _routecast(self, config: Path) -> list[str]:
        return [self.command, "--config", str(config)]


def _section(name: str, values: Mapping[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f'{key} = "{value}"' for key, value in values.items())]) + "\n\n"
