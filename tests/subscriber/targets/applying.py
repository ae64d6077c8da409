"""Apply the `hosts` target in a process that can be killed: ``applying HOSTS STATE_DIR``, orders on standard input.

``loop``: start a process that applies big, small and no registries for ever, and print its id. ``heal``: wait for its
end, then recover and apply the reference; print whether the crash had left a journal.
"""

import asyncio
import os
import sys
from pathlib import Path

from common import log
from common.models import Cluster, Registry, Service
from common.settings.log import LogSettings
from common.settings.subscriber import HostsSettings
from subscriber.targets.hosts import HostsTarget
from tests.registries import REFERENCE

BIG = Registry(
    cluster=Cluster(domain="mycloud"),
    services={f"app-{i}": Service(subdomain=f"app-{i}", ip=f"100.67.{i // 250}.{i % 250 + 1}") for i in range(2000)},
)


async def _apply_for_ever(target: HostsTarget) -> None:
    while True:
        for registry in (BIG, REFERENCE, Registry()):
            await target.apply(registry)


async def _heal(target: HostsTarget) -> None:
    await target.recover()
    await target.apply(REFERENCE)


def main() -> None:
    """Take orders until there are no more."""
    log.set_up(LogSettings())
    hosts, state_dir = Path(sys.argv[1]), Path(sys.argv[2])
    target = HostsTarget(HostsSettings(path=hosts), state_dir)
    child = 0
    for order in sys.stdin:
        if order == "loop\n":
            child = os.fork()
            if child == 0:
                asyncio.run(_apply_for_ever(target))
            print(child, flush=True)  # noqa: T201
        else:
            os.waitpid(child, 0)
            journal = (state_dir / "hosts.journal").exists()
            asyncio.run(_heal(target))
            print(int(journal), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
