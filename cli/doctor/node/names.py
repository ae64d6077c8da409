"""Judge whether names resolve on this machine, and what may stand between the resolver and our files. Pure."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cli.doctor.attempt import Fault
from cli.doctor.check import Check, Part, Subject, listed
from cli.doctor.node.facts import DnsmasqSeen, NameSeen, NodeSeen, ResolverSeen
from cli.doctor.node.targets import no_snapshot
from common.names import LOCAL_SUFFIX, zone_of
from common.settings import Settings
from common.settings.subscriber import TargetName
from common.snapshot import Snapshot

NAMES = Subject(Part.NODE, "names")
LOCAL = Subject(Part.NODE, ".local")
DNSMASQ = Subject(Part.NODE, "dnsmasq")

SYSTEM_HOSTS = Path("/etc/hosts")
_RESOLVED = {"127.0.0.53", "127.0.0.54"}
"""Where systemd-resolved listens."""
_EDIT = "sudoedit /etc/nsswitch.conf"
_SHOWN = 3


def judge_names(seen: NodeSeen) -> Iterator[Check]:
    """Yield the checks of names; none on a node that gives none."""
    targets = {*seen.settings.subscriber.target_names}
    if not targets & {TargetName.HOSTS, TargetName.DNSMASQ}:
        return
    if seen.dnsmasq is not None:
        yield _judge_dnsmasq(seen.dnsmasq, seen.settings)
    missing = no_snapshot(seen)
    if missing is not None or not isinstance(seen.accepted, Snapshot):
        yield NAMES.skip(*(missing or ()))
        return
    if not resolver_reads_ours(seen.settings):
        yield NAMES.skip(f"the system's resolver reads {SYSTEM_HOSTS}, not {seen.settings.hosts.path}")
        return
    yield _judge_answers(seen.names)
    zone = zone_of(seen.accepted.registry.cluster)
    if zone is not None and zone.endswith(f".{LOCAL_SUFFIX}"):
        answered = bool(seen.names) and all(_fault(name) is None for name in seen.names)
        yield judge_local(zone, seen.resolver, by_hosts=TargetName.HOSTS in targets, answered=answered)


def resolver_reads_ours(settings: Settings) -> bool:
    """Tell whether what this node writes is meant for the system's own resolver."""
    targets = settings.subscriber.target_names
    return TargetName.DNSMASQ in targets or settings.hosts.path == SYSTEM_HOSTS


def _judge_dnsmasq(seen: DnsmasqSeen, settings: Settings) -> Check:
    where = f"{settings.dnsmasq.server} port {settings.dnsmasq.port}"
    if isinstance(seen.pid, Fault):
        return DNSMASQ.skip(str(seen.pid))
    if seen.pid is None:
        return DNSMASQ.fail("dnsmasq does not run", "sudo systemctl status dnsmasq")
    if isinstance(seen.wrong, Fault):
        return DNSMASQ.skip(str(seen.wrong))
    if seen.wrong is not None:
        what = f"it does not answer from our files: {seen.wrong}"
        return DNSMASQ.fail(what, "grep -r conf-dir= /etc/dnsmasq.conf")
    return DNSMASQ.ok(f"it runs, and answers from our files at {where}")


def _judge_answers(names: Sequence[NameSeen]) -> Check:
    if not names:
        return NAMES.skip("the registry gives no names")
    faults = {name.name: fault for name in names if (fault := _fault(name)) is not None}
    more = [f"{name.name} is also {', '.join(others)}" for name in names if (others := _others(name))]
    if faults:
        return NAMES.fail(listed([*faults.values(), *more], _SHOWN), f"getent ahosts {next(iter(faults))}")
    if more:
        return NAMES.warn(listed(more, _SHOWN), f"getent ahosts {names[0].name}")
    return NAMES.ok(f"the system resolves {listed([name.name for name in names], _SHOWN)}")


def _fault(seen: NameSeen) -> str | None:
    if isinstance(seen.found, Fault):
        return str(seen.found)
    if seen.expected in seen.found:
        return None
    return f"{seen.name} is {', '.join(sorted(seen.found)) or 'not known'} instead of {seen.expected}"


def _others(seen: NameSeen) -> list[str]:
    if isinstance(seen.found, Fault) or seen.expected not in seen.found:
        return []
    return sorted(seen.found - {seen.expected})


def judge_local(zone: str, resolver: ResolverSeen, *, by_hosts: bool, answered: bool) -> Check:
    """Return the check of a zone in ``.local``, which multicast DNS uses too (RFC 6762, 3).

    Of nss-mdns (its README, "two-label limit") only names of two labels are stopped, that is the zone itself; versions
    before that rule stop all. systemd-resolved asks DNS servers for no name in .local, unless its domain is configured
    (systemd-resolved.service(8)); it reads /etc/hosts. `by_hosts`: our names stand there. `answered`: they resolve.
    """
    order = [word for word in resolver.services if not word.startswith("[")]
    if not order:
        return LOCAL.skip("no line hosts: in /etc/nsswitch.conf says how names are looked up")
    mdns = next((at for at, word in enumerate(order) if word.startswith("mdns")), len(order))
    words = ("files", "resolve") if by_hosts else ("dns", "resolve")
    ours = next((at for at, word in enumerate(order) if word in words), len(order))
    if ours == len(order):
        return LOCAL.fail(f"hosts: in /etc/nsswitch.conf has neither {words[0]} nor resolve", _EDIT)
    if not by_hosts and not answered and ("resolve" in order or _RESOLVED & {*resolver.nameservers}):
        what = f"systemd-resolved asks no DNS server for names in .local: give it DNS= and Domains=~{zone}"
        return LOCAL.warn(what, "sudoedit /etc/systemd/resolved.conf")
    if mdns < ours:
        what = (
            f"multicast DNS is asked before {order[ours]}: {zone} itself may not be found, with an old nss-mdns no name"
        )
        return LOCAL.warn(what, _EDIT)
    return LOCAL.ok(f"{zone} lies where multicast DNS is at home, but {order[ours]} is asked first")
