"""The two files that dnsmasq reads from us, and the questions that prove that it did. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from subscriber.targets.hosts_lines import entry_lines, read_entries
from subscriber.targets.target import Plan

HEADER = b"# Written by routecast, do not edit.\n"


@dataclass(frozen=True, slots=True)
class Files:
    """The content of the drop-in and of the hosts file; None: no file."""

    drop_in: bytes | None
    hosts: bytes | None

    @property
    def entries(self) -> dict[str, str]:
        """Name -> address in the hosts file."""
        return read_entries((self.hosts or b"").splitlines())


@dataclass(frozen=True, slots=True)
class Probe:
    """A question: dnsmasq must give `name` this address, or no longer."""

    name: str
    address: str
    present: bool = True


def render(zone: str | None, records: Mapping[str, str], hosts_file: Path) -> Files:
    """Return the files for a zone and its records; with neither none, without a zone to answer for those names alone.

    ``local=`` has dnsmasq answer NXDOMAIN for other names of the zone instead of asking upstream; ``addn-hosts=`` is
    read again on SIGHUP, removed names included, which a ``host-record=`` is not (tried with 2.90).

    Raises:
        TargetFailed: a record is no line of a hosts file.

    """
    if zone is None and not records:
        return Files(None, None)
    local = b"local=/%s/\n" % zone.encode() if zone is not None else b""
    drop_in = b"%s%saddn-hosts=%s\n" % (HEADER, local, bytes(hosts_file))
    return Files(drop_in, b"".join([HEADER, *(line + b"\n" for line in entry_lines(records))]))


def plan_between(current: Files, desired: Files) -> Plan:
    """Return the changes of names; a drop-in or header that differs alone is a rewrite."""
    same = current.entries == desired.entries
    return Plan.between(current.entries, desired.entries, rewrite=current != desired and same)


def probes_for(current: Files, desired: Files) -> tuple[Probe, ...]:
    """Return a question for a name that came or changed (else for any name), and one for a name that left.

    After a change of the drop-in nothing is asked of names that left: their zone may be another server's now.
    """
    plan = Plan.between(current.entries, desired.entries)
    probes = [Probe(name, desired.entries[name]) for name in (*plan.updated, *plan.created, *desired.entries)[:1]]
    if current.drop_in == desired.drop_in:
        probes += [Probe(name, current.entries[name], present=False) for name in plan.updated[:1]]
        probes += [Probe(name, current.entries[name], present=False) for name in plan.deleted[:1]]
    return tuple(probes)
