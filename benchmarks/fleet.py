"""A real nats-server, publisher and N nodes, each a process of its own as on real machines; the reference registry."""

import asyncio
import base64
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import yaml

from cli.demo.programs import Program, find, free_port
from cli.demo.registry import Registry
from common.bus import Bus, connected
from common.clock import now
from common.errors import BusUnavailable
from common.files import write_atomic
from common.settings.nats import NatsSettings
from common.signing import read_seed
from common.streams import read_newest
from common.trust.credentials import Credentials, write_credentials
from common.trust.nkeys import KeyPair, Owner
from publisher.trust import claims
from publisher.trust import server as server_part
from publisher.trust.directory import TrustDirectory
from publisher.trust.keyring import Keyring

MAX_DELAY_S = 0.2
"""A change after a pause of this length goes out at once, as with the default of 1 s; the benchmark waits less."""

_START_LIMIT_S = 30.0


class Fleet:
    """What is measured: a folder to edit, and a connection on which acks are followed."""

    def __init__(self, folder: Path, count: int, *, secure: bool = False) -> None:
        self.folder = folder
        self.names = [f"node-{i:03}" for i in range(count)]
        self.registry = Registry(folder / "registry")
        self._seed = folder / "signing.seed"
        self._seed.write_bytes(base64.b64encode(os.urandom(32)))
        self._seed.chmod(0o600)
        self._write_nodes()
        port = free_port()
        server = [find("nats-server"), "-js", "-a", "127.0.0.1", "-p", str(port), "-sd", str(folder / "nats")]
        self._nats: dict[str, Any] = {"url": f"nats://127.0.0.1:{port}"}
        self._trust = TrustDirectory(folder / "trust", folder / "access") if secure else None
        if self._trust is not None:
            self._trust.make(["127.0.0.1"], now(), accounts=folder / "accounts")
            self._nats["ca_file"] = self._trust.authority
            server += ["-c", str(self._trust.server / server_part.FILE)]
        self._programs = [Program("nats", server, folder / "nats.log"), self._publisher(), *map(self._node, self.names)]

    @property
    def nats(self) -> NatsSettings:
        """How to connect in order to look."""
        return NatsSettings.model_validate({**self._nats, **self._as(claims.OPERATOR)})

    def change(self, i: int) -> None:
        """Change one service's address: a new version in which one name differs."""
        ip = f"100.67.244.{i % 250 + 1}"
        self.registry.edit_services(lambda services: services["grafana"].update(ip=ip))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Bus]:
        """Run server, publisher and nodes while the body runs; yield a connection to look with."""
        try:
            for program in self._programs:
                await program.start()
            await self._published()
            async with connected(self.nats, "bench") as bus:
                yield bus
        finally:
            await asyncio.gather(*(program.stop() for program in reversed(self._programs)))

    async def _published(self) -> None:
        """Wait for the first snapshot, from the moment on that the server answers."""
        async with asyncio.timeout(_START_LIMIT_S):
            while True:
                with contextlib.suppress(BusUnavailable):
                    async with connected(self.nats, "bench") as bus:
                        if await read_newest(bus) is not None:
                            return
                await asyncio.sleep(0.05)

    def _write_nodes(self) -> None:
        path = self.registry.folder / "sync-controller-registry.yaml"
        manifest = yaml.safe_load(path.read_bytes())
        laptops = [{"ip": f"100.86.{i // 250}.{i % 250 + 1}", "name": name} for i, name in enumerate(self.names)]
        manifest["data"]["registry.json"] = orjson.dumps({"management_laptops": laptops}).decode()
        write_atomic(path, yaml.safe_dump(manifest).encode())

    def _publisher(self) -> Program:
        settings = {
            "registry_dir": self.registry.folder,
            "signing_seed_file": self._seed,
            "http_port": free_port(),
            "quiet_delay_s": MAX_DELAY_S / 4,
            "max_delay_s": MAX_DELAY_S,
        }
        trust = {"directory": self.folder / "trust"}
        return self._routecast("publisher", nats=self._as(claims.PUBLISHER), publisher=settings, trust=trust)

    def _node(self, name: str) -> Program:
        home = self.folder / name
        home.mkdir()
        settings = {"node": name, "public_keys": [read_seed(self._seed).public_key], "state_dir": home / "state"}
        nats = {} if self._trust is None else {"credentials_file": self._admit(self._trust, name, home / "node.creds")}
        return self._routecast("subscriber", home, nats=nats, subscriber=settings, hosts={"path": home / "hosts"})

    def _as(self, user: str) -> dict[str, Any]:
        """Return the settings of a user of the control plane."""
        return {} if self._trust is None else {"credentials_file": self._trust.credentials(user)}

    def _admit(self, trust: TrustDirectory, name: str, file: Path) -> Path:
        """Make a node's credentials, as joining does."""
        keys, pair = Keyring.read(trust.path), KeyPair.new(Owner.USER)
        write_credentials(file, Credentials.of(claims.node_user(keys, name, pair.public, now()), pair.seed))
        return file

    def _routecast(self, what: str, home: Path | None = None, **sections: dict[str, Any]) -> Program:
        """Return ``routecast publisher run`` or ``routecast subscriber run`` with a settings file of its own."""
        home = home or self.folder
        file = home / "routecast.toml"
        sections = {**sections, "nats": {**self._nats, **sections["nats"]}, "log": {"level": "error"}}
        lines = [
            line
            for section, values in sections.items()
            for line in (f"[{section}]", *(f"{key} = {_toml(value)}" for key, value in values.items()))
        ]
        file.write_text("\n".join(lines) + "\n")
        command = [find("routecast"), "--config", str(file), what, "run"]
        return Program(what, command, home / f"{what}.log")


def _toml(value: object) -> str:
    """Return a number, a text or a list of texts as TOML writes it: as JSON does."""
    return orjson.dumps(value, default=str).decode()
