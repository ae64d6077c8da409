"""Run the fake API server as a program of its own, where no test can hold it: on a machine of tests/deploy.

python -m tests.fakes.kubernetes_alone PORT KUBECONFIG
"""

import asyncio
import signal
import sys
from pathlib import Path

from tests.fakes.kubernetes import FakeKubernetes


async def serve(port: int, kubeconfig: Path) -> None:
    """Serve until SIGTERM; when the kubeconfig stands, the server listens."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with FakeKubernetes(port=port) as api:
        api.kubeconfig(kubeconfig)
        await ended.wait()


def main(words: list[str]) -> None:
    """Serve as the command line says."""
    port, kubeconfig = words
    asyncio.run(serve(int(port), Path(kubeconfig)))


if __name__ == "__main__":
    main(sys.argv[1:])
