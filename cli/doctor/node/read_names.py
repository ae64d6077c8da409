"""Ask the system's resolver, and dnsmasq, for some of our names; read how the system looks names up."""

import asyncio
import re
import socket
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from cli.doctor.attempt import Fault, attempt
from cli.doctor.beside import beside
from cli.doctor.node.facts import DnsmasqSeen, NameSeen, ResolverSeen
from cli.doctor.node.names import resolver_reads_ours
from common.errors import TransientError
from common.files import read_bytes
from common.models import Registry
from common.settings import Settings
from common.settings.subscriber import TargetName
from subscriber.policy import Policy

ASKED = 3
"""So many names are looked up."""
_LOOKUP_S = 5.0
_DNSMASQ_S = 2.0
_HOSTS_LINE = re.compile(r"^hosts:(?P<services>[^#\n]*)", re.MULTILINE)
_NAMESERVER = re.compile(r"^nameserver\s+(\S+)", re.MULTILINE)
_UNKNOWN = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


async def read_names(settings: Settings, registry: Registry | None) -> tuple[NameSeen, ...]:
    """Return what the system's resolver says of the first names, all asked at once."""
    if registry is None or not resolver_reads_ours(settings):
        return ()
    records = tuple(islice(Policy(settings.policy).names(registry).records.items(), ASKED))
    found = await asyncio.gather(*(attempt(name, look_up(name, address), _LOOKUP_S) for name, address in records))
    return tuple(NameSeen(name, address, seen) for (name, address), seen in zip(records, found, strict=True))


async def look_up(name: str, like: str) -> frozenset[str]:
    """Return the addresses of a name that are of the family of `like`, as any program of this machine gets them.

    Raises:
        TransientError: the resolver fails.

    """
    family = socket.AF_INET6 if ":" in like else socket.AF_INET
    try:
        found = await beside(partial(socket.getaddrinfo, name, None, family, socket.SOCK_STREAM))
    except socket.gaierror as e:
        if e.errno in _UNKNOWN:
            return frozenset()
        raise TransientError(f"looking up {name}: {e.strerror}") from e
    return frozenset(str(address[0]) for *_, address in found)


def read_resolver() -> ResolverSeen:
    """Return how this system looks names up. Blocking."""
    return parse_resolver(_text(Path("/etc/nsswitch.conf")), _text(Path("/etc/resolv.conf")))


def parse_resolver(nsswitch: str, resolv: str) -> ResolverSeen:
    """Return what the texts of both files say."""
    line = _HOSTS_LINE.search(nsswitch)
    services: Sequence[str] = line["services"].split() if line is not None else ()
    return ResolverSeen(tuple(services), tuple(_NAMESERVER.findall(resolv)))


def _text(path: Path) -> str:
    try:
        return (read_bytes(path) or b"").decode(errors="replace")
    except OSError:
        return ""


async def read_dnsmasq(settings: Settings, registry: Registry | None) -> DnsmasqSeen | None:
    """Return how dnsmasq stands; None on a node that writes nothing for it."""
    if TargetName.DNSMASQ not in settings.subscriber.target_names:
        return None
    from subscriber.targets.dns_check import DnsCheck  # noqa: PLC0415 - others need no dnspython
    from subscriber.targets.dnsmasq_files import Probe  # noqa: PLC0415
    from subscriber.targets.dnsmasq_process import running_pid  # noqa: PLC0415

    pid = await attempt("dnsmasq", beside(partial(running_pid, settings.dnsmasq.pid_file)))
    if registry is None or pid is None or isinstance(pid, Fault):
        return DnsmasqSeen(pid, None)
    records = islice(Policy(settings.policy).names(registry).records.items(), ASKED)
    probes = [Probe(name, address) for name, address in records]
    check = DnsCheck(settings.dnsmasq.server, settings.dnsmasq.port)
    return DnsmasqSeen(pid, await attempt("dnsmasq", check.settle(probes, _DNSMASQ_S)))
