"""Ask a DNS server until it answers as it should."""

import asyncio
import random
from collections.abc import Sequence
from ipaddress import ip_address

import dns.asyncresolver
import dns.exception
import dns.resolver

from subscriber.targets.dnsmasq_files import Probe

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.3
_TRY_S, _QUERY_S = 0.3, 1.0
"""How long one packet is waited for, and all packets of one question, in s."""


class DnsCheck:
    """Questions to the DNS server at an address and port."""

    def __init__(self, server: str, port: int) -> None:
        self._where = f"{server} port {port}"
        self._resolver = dns.asyncresolver.Resolver(configure=False)
        self._resolver.nameservers = [server]
        self._resolver.port = port
        self._resolver.timeout = _TRY_S
        self._resolver.lifetime = _QUERY_S

    async def settle(self, probes: Sequence[Probe], limit_s: float) -> str | None:
        """Ask until all answers are right; return what is still wrong after `limit_s`, None when nothing is.

        The clock is looked at between questions, each of which has a limit of its own: a timeout around them all is not
        enough, Python 3.11's ``wait_for`` in dnspython now and then swallows its cancellation.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + limit_s
        pause_s = _FIRST_PAUSE_S
        while True:
            fault = await self._first_fault(probes)
            if fault is None or clock() + pause_s > deadline:
                return fault
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311 - jitter is no secret
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)

    async def _first_fault(self, probes: Sequence[Probe]) -> str | None:
        for probe in probes:
            found = await self._ask(probe)
            if found is None:
                return f"nobody answers at {self._where}"
            if probe.present and probe.address not in found:
                return f"{probe.name} is {', '.join(sorted(found)) or 'not known'}, not {probe.address}"
            if not probe.present and probe.address in found:
                return f"{probe.name} is still {probe.address}"
        return None

    async def _ask(self, probe: Probe) -> set[str] | None:
        """Return the addresses of a name, of the family of the probe's; none for NXDOMAIN, NODATA and refusals."""
        kind = "AAAA" if ":" in probe.address else "A"
        try:
            answer = await self._resolver.resolve(probe.name, kind, search=False, raise_on_no_answer=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoNameservers):
            return set()
        except (dns.exception.Timeout, OSError):
            return None
        return {str(ip_address(record.address)) for record in answer}
