"""`routecast doctor node` and names: the system's own resolver, and a real dnsmasq."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import orjson
import pytest

from cli.doctor.attempt import Fault, attempt
from cli.doctor.node.facts import DnsmasqSeen, ResolverSeen
from cli.doctor.node.read_names import look_up, parse_resolver, read_dnsmasq, read_names, read_resolver
from common.names import derive_names
from subscriber.targets.dnsmasq_files import render
from tests.cli.doctor_facts import settings
from tests.cli.doctor_laptop import Checks, Laptop
from tests.nats import NatsServer
from tests.registries import REFERENCE, snapshot
from tests.subscriber.mounts import in_namespace, needs_mounts
from tests.subscriber.targets.dnsmasq_server import DnsmasqServer, needs_dnsmasq
from tests.world import until

NAMES = derive_names(REFERENCE).records
FILES_ONLY = "hosts: files\n"
OVER = """mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/nsswitch.conf && shift 2 && exec "$@"
"""


async def _in_its_own_etc(folder: Path, server: NatsServer, hosts: str, nsswitch: str) -> Checks:
    """Run the doctor on a laptop with another /etc/hosts and another /etc/nsswitch.conf; nobody else sees them."""
    laptop = Laptop(folder, server.url)
    laptop.keep(snapshot())
    real, laptop.hosts = laptop.hosts, Path("/etc/hosts")
    laptop.write()
    real.write_text(hosts)
    (folder / "nsswitch.conf").write_text(nsswitch)
    words = (sys.executable, "-m", "cli", "--config", laptop.config, "doctor", "node", "-o", "json")
    process = await asyncio.create_subprocess_exec(
        *in_namespace(OVER, real, folder / "nsswitch.conf", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert not errors
    return {check["check"]: check for check in orjson.loads(output)["checks"]}


def _hosts(names: dict[str, str]) -> str:
    block = [f"{address}\t{name}" for name, address in sorted(names.items())]
    return "\n".join(["127.0.0.1 localhost", "# BEGIN routecast - managed, do not edit", *block, "# END routecast", ""])


@needs_mounts
async def test_names_are_asked_of_the_systems_own_resolver(server: NatsServer, tmp_path: Path) -> None:
    """A hosts file as it should be: the first names resolve, as any program of this machine sees them."""
    checks = await _in_its_own_etc(tmp_path, server, _hosts({**NAMES}), FILES_ONLY)
    for name in ("target hosts", "own lines", "names", ".local"):
        assert checks[name]["state"] == "ok", checks[name]
    assert "chat.mycloud.local, dashboard.mycloud.local" in checks["names"]["what"]


@needs_mounts
async def test_a_name_that_is_missing_and_one_that_is_another(server: NatsServer, tmp_path: Path) -> None:
    """An earlier line of the owner wins, or is given beside ours (``multi on`` in /etc/host.conf): both are told."""
    left = {name: address for name, address in NAMES.items() if not name.startswith("chat.")}
    hosts = f"10.0.0.1 dashboard.mycloud.local\n{_hosts(left)}"
    checks = await _in_its_own_etc(tmp_path, server, hosts, FILES_ONLY)
    assert checks["own lines"]["state"] == "warn"
    assert checks["names"]["state"] == "fail"
    assert "chat.mycloud.local is not known instead of 100.67.243.11" in checks["names"]["what"]
    assert re.search(r"dashboard\.mycloud\.local is (also )?10\.0\.0\.1", checks["names"]["what"])
    assert checks["names"]["next"] == "getent ahosts chat.mycloud.local"


@needs_mounts
@pytest.mark.parametrize(
    ("line", "state"),
    [("hosts: mdns4_minimal [NOTFOUND=return] files", "warn"), ("hosts: mymachines # files", "fail"), ("", "skip")],
)
async def test_a_zone_in_local_has_caveats(server: NatsServer, tmp_path: Path, line: str, state: str) -> None:
    """Multicast DNS before our file, no file at all, or nothing said."""
    checks = await _in_its_own_etc(tmp_path, server, _hosts({**NAMES}), f"passwd: files\n{line}\n")
    assert checks[".local"]["state"] == state


async def test_a_name_is_looked_up_in_the_family_that_is_expected() -> None:
    """Addresses of the other family are not told as wrong; a name that is none is the resolver's fault."""
    assert "127.0.0.1" in await look_up("localhost", "127.0.0.1")
    assert isinstance(await attempt("it", look_up("a" * 70, "127.0.0.1")), frozenset | Fault)
    assert all(":" in address for address in await look_up("::1", "::1"))


async def test_nothing_is_looked_up_that_nobody_reads() -> None:
    """Without a registry, or with a hosts file that is not the system's."""
    assert await read_names(settings(), None) == ()
    assert await read_names(settings(hosts={"path": "/tmp/hosts"}), REFERENCE) == ()


def test_the_systems_files_are_read_as_they_are() -> None:
    """Comments and other lines do not count; what is missing is empty."""
    nsswitch = "passwd: files\nhosts:\tfiles mdns4_minimal [NOTFOUND=return] dns # mine\n"
    resolv = "# nameserver 1.1.1.1\nsearch lan\nnameserver 127.0.0.53\nnameserver ::1\n"
    assert parse_resolver(nsswitch, resolv) == ResolverSeen(
        ("files", "mdns4_minimal", "[NOTFOUND=return]", "dns"), ("127.0.0.53", "::1")
    )
    assert parse_resolver("", "") == ResolverSeen((), ())
    assert isinstance(read_resolver(), ResolverSeen)


@needs_dnsmasq
async def test_dnsmasq_is_asked_itself(tmp_path: Path) -> None:
    """A real one: it answers from our files, then from files without a name, then it is gone."""
    dnsmasq = await asyncio.to_thread(DnsmasqServer, tmp_path)
    chosen = settings(subscriber={"targets": ["dnsmasq"]}, dnsmasq=dnsmasq.settings.model_dump())
    files = render("mycloud.local", NAMES, dnsmasq.settings.hosts_file)
    dnsmasq.settings.hosts_file.parent.mkdir(parents=True)
    dnsmasq.settings.hosts_file.write_bytes(files.hosts or b"")
    dnsmasq.settings.drop_in.write_bytes(files.drop_in or b"")
    await asyncio.to_thread(dnsmasq.start)
    try:
        seen = await read_dnsmasq(chosen, REFERENCE)
        assert seen is not None
        assert isinstance(seen.pid, int)
        assert seen.wrong is None
        assert await read_dnsmasq(chosen, None) == DnsmasqSeen(seen.pid, None)
        dnsmasq.settings.hosts_file.write_bytes(b"")
        os.kill(seen.pid, signal.SIGHUP)

        async def wrong() -> bool:
            return "is not known" in str(await read_dnsmasq(chosen, REFERENCE))

        await until(wrong, "it answers from the empty file")
    finally:
        await asyncio.to_thread(dnsmasq.stop)
    assert await read_dnsmasq(chosen, REFERENCE) == DnsmasqSeen(None, None)
    assert await read_dnsmasq(settings(), REFERENCE) is None
