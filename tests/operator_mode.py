"""A real nats-server in operator mode with TLS, as `routecast init` configures it, and credentials for it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from common.bus import connected
from common.settings.nats import NatsSettings
from common.trust.credentials import Credentials, write_credentials
from common.trust.nkeys import KeyPair, Owner
from publisher.trust import claims
from publisher.trust.keyring import Keyring
from publisher.trust.server import CERTIFICATE, KEY, access_conf
from tests.certificates import Authority, greets
from tests.nats import NatsServer


class OperatorServer(NatsServer):
    """Its files lie in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.keys = Keyring.new()
        self.authority = Authority(folder / "conf")
        self._folder = folder
        self._revoked: dict[str, int] = {}
        files = self.authority.server()
        files.certificate.rename(folder / "conf" / CERTIFICATE)
        files.key.rename(folder / "conf" / KEY)
        conf = folder / "conf" / "access.conf"
        accounts = folder / "accounts"
        conf.write_text(access_conf(self.keys, datetime.now(UTC), directory=folder / "conf", accounts=accounts))
        super().__init__(folder / "store", "-c", str(conf))

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"tls://127.0.0.1:{self.port}"

    async def answers(self) -> bool:
        """Tell whether it greets a client within a second, whoever it is."""
        return await greets(self.port)

    def settings(self, credentials: Path | None, **fields: Any) -> NatsSettings:
        """Return how somebody reaches it, with short limits."""
        limits = {"request_timeout_s": 2, "reconnect_max_s": 0.5}
        who = {"ca_file": self.authority.file, "credentials_file": credentials}
        return NatsSettings.model_validate({"url": self.url, **who, **limits, **fields})

    async def publisher(self) -> Path:
        """Return the credentials of a publisher."""
        key = KeyPair.new(Owner.USER)
        return await self._write(key, claims.publisher_user(self.keys, key.public, _now()), "publisher")

    async def operator(self) -> Path:
        """Return the credentials of who looks and asks."""
        key = KeyPair.new(Owner.USER)
        return await self._write(key, claims.operator_user(self.keys, key.public, _now()), "operator")

    async def node(self, name: str, key: KeyPair | None = None) -> Path:
        """Return the credentials of a node."""
        key = key or KeyPair.new(Owner.USER)
        return await self._write(key, claims.node_user(self.keys, name, key.public, _now()), name)

    async def joining(self, token_id: str, expires: datetime) -> Path:
        """Return the credentials in a join token."""
        key = KeyPair.new(Owner.USER)
        token = claims.joining_user(self.keys, token_id, key.public, _now(), expires)
        return await self._write(key, token, token_id)

    async def revoke(self, key: str) -> None:
        """Have the tokens of a key refused, whatever they say; connections made with them are cut."""
        self._revoked[key] = int(_now().timestamp()) + 1
        user = KeyPair.new(Owner.USER)
        file = await self._write(user, claims.system_user(self.keys, user.public, _now()), "system")
        token = claims.nodes_token(self.keys, _now(), self._revoked)
        async with connected(self.settings(file), "test") as bus:
            subject = f"$SYS.REQ.ACCOUNT.{self.keys.nodes.public}.CLAIMS.UPDATE"
            answer = await bus.nc.request(subject, token.encode(), timeout=bus.timeout_s)
        assert orjson.loads(answer.data)["data"]["code"] == 200

    async def _write(self, key: KeyPair, token: str, name: str) -> Path:
        file = self._folder / f"{name}.creds"
        await asyncio.to_thread(write_credentials, file, Credentials.of(token, key.seed))
        return file


def _now() -> datetime:
    return datetime.now(UTC)
