"""The walkthrough is typed as it stands, line by line, on machines of its own."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.docs.machines import LIMIT_S, Machines
from tests.docs.pages import ROOT, blocks
from tests.fakes.kubernetes import FakeKubernetes
from tests.world import until

PAGE = ROOT / "docs" / "walkthrough.md"
LEGACY = ROOT / "tests" / "publisher" / "source" / "samples" / "legacy.yaml"

MAY_FAIL = {
    "sudo routecast doctor",
    "sudo routecast lint",  # of the old cluster: what only a person can mend is left
}
"""Commands whose exit code tells of the world that is built here, not of themselves."""
CHAPTERS = (
    "One-time setup",
    "Installing a new app",
    "Adding a new VPS node",
    "Adding a new management laptop",
    "Add a new domain",
    "Troubleshooting",
    "Migration",
)


def _typed() -> Iterator[tuple[str, str]]:
    """Yield the machine and the line of every command of the page, in order."""
    for block in blocks(PAGE, "sh"):
        first, *lines = block.text.splitlines()
        assert first.startswith("# on "), f"a block does not say where it is typed: {first}"
        for line in lines:
            yield first.removeprefix("# on "), line


@pytest.fixture
async def machines(tmp_path: Path) -> AsyncIterator[Machines]:
    """Run a cluster with two apps in it; the machines are there, and nothing runs on them."""
    old = tmp_path / "old-registry"
    old.mkdir()
    shutil.copy(LEGACY, old / "registry.yaml")
    (old / "registry.yaml").chmod(0o644)
    async with FakeKubernetes() as api:
        api.put_service(
            "immich", "immich", ip="100.67.243.10", ports=[80], annotations={"mycloud.local/subdomain": "photos"}
        )
        api.put_service("open-webui", "llm-chat", ip="100.67.243.11", ports=[80])
        kubeconfig = await asyncio.to_thread(api.kubeconfig, tmp_path / "kubeconfig")
        made = Machines(tmp_path, kubeconfig, old)
        await asyncio.to_thread(made.lay_out)
        try:
            yield made
        finally:
            await asyncio.to_thread(made.stop)


def test_the_page_has_the_chapters_of_the_replaced_guide() -> None:
    """Who knew the old guide finds each of its chapters here."""
    text = PAGE.read_text()
    assert [chapter for chapter in CHAPTERS if f"\n## {chapter}\n" not in text] == []


@pytest.mark.timeout(300)
async def test_every_command_works_as_printed(machines: Machines) -> None:
    """No line of the page fails, and at its end every node is synced."""
    for machine, line in _typed():
        done = await asyncio.to_thread(machines.type, machine, line)
        said = f"on {machine}: {line}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == 0 or line in MAY_FAIL, said
        assert "Traceback" not in said
        if "enable --now" in line or "routecast join" in line:
            await _until_running(machines, machine)
        if "subscriber allow" in line:
            await _until_served(machines, machine, "photos.example.com")
    table = await asyncio.to_thread(machines.type, "the control plane", "routecast nodes --strict")
    assert table.returncode == 0, table.stdout + table.stderr
    assert "6 nodes: 6 synced" in table.stdout
    left = await asyncio.to_thread(machines.type, "an old control plane", "crontab -l")
    assert left.stdout == "0 3 * * * /usr/local/bin/backup\n"


async def _until_served(machines: Machines, machine: str, host: str) -> None:
    """Wait until a VPS has a route: one in a domain that its policy was told of must come without another command."""
    file = await asyncio.to_thread(machines.etc, machine) / "traefik" / "dynamic" / "routecast.yml"

    async def look() -> bool:
        return host in await asyncio.to_thread(file.read_text)

    await until(look, f"{host} is served by {machine}", LIMIT_S)


async def _until_running(machines: Machines, machine: str) -> None:
    """Wait as long as a person needs to type the next line: until what was started has done its first work."""
    looks = (
        "routecast stream info" if machine == "the control plane" else "routecast subscriber status | grep -q applied"
    )

    async def look() -> bool:
        return (await asyncio.to_thread(machines.type, machine, looks)).returncode == 0

    try:
        await until(look, f"what was started on {machine}", LIMIT_S)
    except AssertionError as e:
        raise AssertionError(await asyncio.to_thread(machines.log, machine)) from e
