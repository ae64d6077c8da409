"""The commands that mend VPSs: they know one by its tailnet address."""

from collections.abc import Sequence
from typing import Any

from publisher.pipeline.parse.entry import Entry
from publisher.pipeline.parse.mend import ADDRESS, Command, as_text

_OPTIONS = {"location": "--location", "region": "--location", "provider": "--provider"}


def register_vps(at: str) -> Command:
    """Return the command that registers a VPS by its address, or sets fields of it."""
    return Command("vps add", (at,))


def mend_vps(at: str, entries: Sequence[Entry]) -> Command:
    """Return the command that writes faulty fields anew, and what stands in the old key where VPSs are written today.

    Of several entries the first counts; the command adds to it what only the others have.
    """
    faulty: dict[str, Any] = {}
    had: set[str] = set()
    for entry in entries:
        faulty |= {field: entry.given(field) for field in sorted(entry.faulty) if field not in had}
        had |= entry.fields.keys()
    command = register_vps(at)
    if "public_ip" in faulty:
        command = command.having("--public-ip", ADDRESS)
    for field in (field for field in _OPTIONS if field in faulty):
        command = command.having(_OPTIONS[field], as_text(faulty[field]))
    return command
