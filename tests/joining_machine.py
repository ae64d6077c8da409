"""A machine that is a folder: joined, run and left in tests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from common.settings import Settings
from common.trust.credentials import Credentials, read_credentials
from common.trust.token import JoinToken
from subscriber.agent import Agent
from subscriber.joining.join import Step, join
from subscriber.joining.leave import leave
from subscriber.joining.places import AUTHORITY, CREDENTIALS, SETTINGS, STATE, Places
from subscriber.joining.settings import read_settings
from subscriber.joining.units import PROGRAM
from subscriber.state import NodeState
from subscriber.systemd import Notifier
from subscriber.targets import build_targets
from tests.world import _task

HOSTS = "127.0.0.1\tlocalhost\n192.0.2.7\tprinter"


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that is a folder, and what a join on it has said."""

    places: Places
    steps: list[Step] = field(default_factory=list)

    @classmethod
    def laid_out(cls, folder: Path) -> "Machine":
        """Return one with a hosts file."""
        (folder / "etc").mkdir(parents=True)
        (folder / "etc" / "hosts").write_text(HOSTS)
        return cls(Places(folder.resolve()))

    def file(self, path: Path) -> Path:
        """Return where a path of the machine is found."""
        return self.places.at(path)

    async def join(self, token: JoinToken) -> None:
        """Join, or raise."""
        await join(token, self.places, PROGRAM, self.steps.append, 10)

    async def leave(self) -> list[Step]:
        """Leave, and return what was said."""
        said: list[Step] = []
        await leave(self.places, said.append)
        return said

    async def credentials(self) -> Credentials:
        """Return its credentials."""
        return await asyncio.to_thread(read_credentials, self.file(CREDENTIALS))

    def settings(self) -> Settings:
        """Return its settings, each path where it is found."""
        settings = read_settings(self.file(SETTINGS))
        nats = settings.nats.model_copy(
            update={"ca_file": self.file(AUTHORITY), "credentials_file": self.file(CREDENTIALS), "reconnect_max_s": 0.5}
        )
        subscriber = settings.subscriber.model_copy(update={"state_dir": self.file(STATE)})
        hosts = settings.hosts.model_copy(update={"path": self.file(settings.hosts.path)})
        return settings.model_copy(update={"nats": nats, "subscriber": subscriber, "hosts": hosts})

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run its service while the body runs."""
        settings = await asyncio.to_thread(self.settings)
        state = NodeState(settings.subscriber.state_dir)
        async with state.locked() as free:
            assert free
            async with _task(Agent(settings, build_targets(settings), state, Notifier({})).run()):
                yield
