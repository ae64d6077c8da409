"""Run the real kubectl, as a person does in a shell: the one on PATH, with a home of its own."""

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

LIMIT_S = 30.0

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
"""For tests, or as `pytestmark` for whole files."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl with a kubeconfig; what it remembers of servers goes to `home`."""

    kubeconfig: Path
    home: Path

    async def __call__(self, *arguments: str, stdin: str = "", editor: str = "false") -> str:
        """Return what a command prints.

        Raises:
            AssertionError: it fails, or does not end within `LIMIT_S`; with what it says.

        """
        code, printed, said = await self._run(arguments, stdin, editor)
        assert code == 0, f"kubectl {' '.join(arguments)}: {said or printed}"
        return printed

    async def fails(self, *arguments: str, stdin: str = "") -> str:
        """Return what a command says that must fail, and what it printed before that."""
        code, printed, said = await self._run(arguments, stdin, "false")
        assert code != 0, f"kubectl {' '.join(arguments)} should have failed: {printed}"
        return printed + said

    async def _run(self, arguments: tuple[str, ...], stdin: str, editor: str) -> tuple[int | None, str, str]:
        process = await asyncio.create_subprocess_exec(
            "kubectl",
            *arguments,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "KUBECONFIG": str(self.kubeconfig),
                "EDITOR": editor,
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(LIMIT_S):
                printed, said = await process.communicate(stdin.encode())
        except TimeoutError:
            process.kill()
            await process.wait()
            raise AssertionError(f"kubectl {' '.join(arguments)} did not end within {LIMIT_S} s") from None
        return process.returncode, printed.decode(), said.decode()
