"""A subscriber with credentials of its own, on a real server in operator mode."""

import asyncio
from pathlib import Path
from typing import Any

from common.settings import Settings
from common.trust.nkeys import KeyPair, Owner
from subscriber.local import ask
from subscriber.process import sync_once
from tests.operator_mode import OperatorServer
from tests.world import NodeUnderTest, World, until

NODE = "vinay-laptop"


class _TrustedWorld(World):
    """One in which everybody needs credentials."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.operator_mode = OperatorServer(folder)
        self.server = self.operator_mode
        self.credentials: Path | None = None

    def settings(self, **publisher: Any) -> Settings:
        plain = super().settings(**publisher)
        return plain.model_copy(update={"nats": self.operator_mode.settings(self.credentials)})

    async def prepare(self) -> None:
        """Have credentials for the publisher, and for who looks."""
        self.credentials = await self.operator_mode.publisher()

    def joined(self, name: str, credentials: Path) -> NodeUnderTest:
        """Return a node that connects with `credentials`."""
        node = self.node(name)
        node.settings = node.settings.model_copy(update={"nats": self.operator_mode.settings(credentials)})
        return node


async def _trouble(node: NodeUnderTest) -> str | None:
    said = await ask(node.settings.subscriber.state_dir / "subscriber.sock", "status", 5)
    return None if said is None else said["trouble"]


async def test_a_node_works_with_its_own_rights_until_they_are_taken(tmp_path: Path) -> None:
    """Synced without a refusal; revoked it says why and keeps its files; with new credentials it is synced again."""
    async with _TrustedWorld(tmp_path) as world:
        await world.prepare()
        key = KeyPair.new(Owner.USER)
        node = world.joined(NODE, await world.operator_mode.node(NODE, key))
        async with world.publisher(), node.running():
            await world.synced(NODE)
            assert await _trouble(node) is None
            names = await asyncio.to_thread(node.names)
            assert names
            await world.operator_mode.revoke(key.public)

            async def revoked() -> bool:
                return "revoked" in (await _trouble(node) or "")

            await until(revoked, "it says that it was revoked", 10)
            assert "routecast join" in (await _trouble(node) or "")
            assert await asyncio.to_thread(node.names) == names
            await world.operator_mode.node(NODE)
            await until(lambda: _is_well(node), "connected again")
            await world.synced(NODE)


async def _is_well(node: NodeUnderTest) -> bool:
    return await _trouble(node) is None


async def test_what_nats_refuses_a_node_is_in_its_status(tmp_path: Path) -> None:
    """Credentials of another node let it in, and to nothing of its own: it names the subject and whose they are."""
    async with _TrustedWorld(tmp_path) as world:
        await world.prepare()
        node = world.joined(NODE, await world.operator_mode.node("work-laptop"))
        async with world.publisher(), node.running():

            async def refused() -> bool:
                return "permissions violation" in (await _trouble(node) or "")

            await until(refused, "it says what is refused")
            assert "the credentials of work-laptop in" in (await _trouble(node) or "")


async def test_a_single_sync_has_the_same_rights(tmp_path: Path) -> None:
    """Without the service, by hand: it reads the newest and records what it did; a dry run reads it too."""
    async with _TrustedWorld(tmp_path) as world:
        await world.prepare()
        node = world.joined(NODE, await world.operator_mode.node(NODE))
        async with world.publisher():
            await world.published()
            assert (await sync_once(node.settings, dry_run=True)).warning is None
            assert (await sync_once(node.settings, dry_run=False)).warning is None
            await world.synced(NODE)
