"""Whatever was on a machine before it joined is there again after it has left: paths, bytes, modes, owners."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from common.models import Role
from subscriber.joining.join import join
from subscriber.joining.leave import leave, settings_of
from subscriber.joining.places import Places
from subscriber.joining.record import read_record
from subscriber.joining.units import PROGRAM
from subscriber.state import NodeState
from subscriber.targets import build_targets
from tests.registries import REFERENCE, snapshot
from tests.secure import SecureWorld, opened
from tests.trees import Entry, Tree, look, write

NAME = "vinay-laptop"
UNITS = "etc/systemd/system"
UNIT = "routecast-subscriber.service"

SETTINGS = (
    b"",
    b"# only a word of mine\n",
    b'[nats]\nurl = "nats://127.0.0.1:4222"  # mine\n\n[log]\nlevel = "debug"\n',
    b'nats.url = "nats://127.0.0.1:4222"\nnats.tls = "tailnet"\n',
    b'[subscriber]\nnode = "vinay-laptop"\nrole = "worker"\ntargets = ["hosts", "dnsmasq", "traefik"]\n',
    b'[policy]\nzones = [\n  "a.example",  # one\n]\nmax_names = 5\n[subscriber]\ntargets = ["traefik"]',
    b'[nats]\ncredentials_file = "/etc/routecast/trust/operator.creds"\nca_file = "/etc/routecast/trust/ca.crt"\n',
)
HOSTS = (b"", b"127.0.0.1\tlocalhost\n", b"127.0.0.1 localhost\r\n192.0.2.7 printer", b"\n\n")
FILES = {
    "etc/hosts": st.sampled_from(HOSTS),
    "etc/routecast/routecast.toml": st.sampled_from(SETTINGS),
    **dict.fromkeys(
        (
            *("etc/routecast/ca.crt", "etc/routecast/node.creds", "etc/routecast/mine"),
            *(f"{UNITS}/{UNIT}", f"{UNITS}/multi-user.target.wants/{UNIT}", f"{UNITS}/multi-user.target.wants/ssh"),
            *(f"{UNITS}/{UNIT}.d/{name}.conf" for name in ("credentials", "vps", "dnsmasq", "zz-targets", "mine")),
            *(
                f"var/lib/routecast/{name}"
                for name in ("lock", "accepted.json", "mine", "backups/hosts", "dnsmasq/hosts")
            ),
            *("etc/traefik/dynamic/mine.yml", "etc/traefik/.routecast/mine", "etc/dnsmasq.d/mine.conf"),
        ),
        st.binary(max_size=20),
    ),
}
DIRECTORIES = (
    *("etc", "etc/routecast", UNITS, f"{UNITS}/{UNIT}.d", "var", "var/lib", "var/lib/routecast"),
    *("var/lib/routecast/backups", "etc/traefik", "etc/traefik/dynamic", "etc/dnsmasq.d"),
)
LINKS = {
    f"{UNITS}/multi-user.target.wants/{UNIT}": f"/lib/systemd/system/{UNIT}",
    "etc/routecast/node.creds": "mine",
    f"{UNITS}/{UNIT}": "/dev/null",
}


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Make a tree of files that a machine may have where joining writes, and beside."""
    made: dict[str, Entry] = {}
    for name in draw(st.sets(st.sampled_from(DIRECTORIES))):
        made[name] = Entry(draw(st.sampled_from((0o755, 0o700, 0o2775))))
    for name in draw(st.sets(st.sampled_from(sorted(FILES)))):
        made[name] = Entry(draw(st.sampled_from((0o644, 0o600, 0o4755))), draw(FILES[name]))
    for name in draw(st.sets(st.sampled_from(sorted(LINKS)))):
        made[name] = Entry(0o777, link=LINKS[name])
    return made


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SecureWorld]:
    """Run a nats-server with trust on beside the reference registry in a folder."""
    async with await opened(tmp_path) as made:
        yield made


@example(tree={"etc/traefik/dynamic/mine.yml": Entry(0o644, b"x")}, role=Role.VPS, runs=True)
@example(tree={"etc/hosts": Entry(0o644, b"no end")}, role=Role.LAPTOP, runs=True)
@example(tree={"etc": Entry(0o755)}, role=Role.WORKER, runs=True)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees(), role=st.sampled_from(Role), runs=st.booleans())
async def test_any_tree_is_as_it_was(world: SecureWorld, tree: Tree, role: Role, runs: bool) -> None:
    """Also when its service has written names and routes in between, and kept what a service keeps."""
    root = world.folder / "machine"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    write(root, tree)
    before = look(root)
    places = Places(root.resolve())
    async with world.publisher():
        token = await world.invite(NAME, rejoin=True)
        await join(token.model_copy(update={"role": role, "zones": ("mycloud.local",)}), places, PROGRAM, _quiet, 10)
    assert look(root) != before
    if runs:
        await _run_service(places)
    await leave(places, _quiet)
    assert look(root) == before


async def _run_service(places: Places) -> None:
    """Leave what a service leaves: its state, and what its targets write, where they can."""
    record = await asyncio.to_thread(read_record, places)
    assert record is not None
    chosen = await asyncio.to_thread(settings_of, record, places)
    state = NodeState(chosen.subscriber.state_dir)
    await asyncio.to_thread(state.write_accepted, snapshot(REFERENCE).to_body())
    async with state.locked() as free:
        assert free
        for target in build_targets(chosen):
            if await asyncio.to_thread(_has_place, places, target.name):
                await target.apply(REFERENCE)


def _has_place(places: Places, target: str) -> bool:
    """Tell whether the directory is there that a target writes into."""
    needed = {"hosts": "/etc", "traefik": "/etc/traefik/dynamic", "dnsmasq": "/etc/dnsmasq.d"}[target]
    return places.at(Path(needed)).is_dir()


def _quiet(_: object) -> None:
    """Say nothing."""
