"""Taking over the public domains: all below the field `domains`, each once, under its canonical name. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from publisher.pipeline.parse.domains import NESTED, is_flat
from publisher.pipeline.parse.mend import TEXT, Command
from publisher.registry.draft import Entries
from publisher.registry.lookup import readable_domain
from publisher.registry.takeover.findings import FindingKind, Log
from publisher.registry.takeover.written import contradictions, joined, shown


class _Written(NamedTuple):
    """A domain where it is written: below `domains`, or at the root."""

    nested: bool
    key: str
    entry: Entries


def take_domains(root: Entries, log: Log) -> None:
    """Move domains to where they are written now; what is no domain, or written differently twice, stays.

    A field `domains` that is no object stays too, and with it everything: what it held is not known.
    """
    nested = root.get(NESTED, {})
    if not isinstance(nested, dict):
        return
    if NESTED not in root:
        log.mend(FindingKind.SHAPE, "domains", f"the object {NESTED} is missing", "is made")
        root[NESTED] = nested
    groups: dict[str, list[_Written]] = {}
    for written in [*_in(nested, nested=True), *_in({key: root[key] for key in root if is_flat(key)}, nested=False)]:
        name = readable_domain(written.key)
        if name is not None:
            groups.setdefault(name, []).append(written)
    for name, group in groups.items():
        _take(root, name, group, log)


def _in(entries: Mapping[str, Any], *, nested: bool) -> list[_Written]:
    """Return the domains in the order in which the parser reads them: of several with one name the first counts."""
    return [_Written(nested, key, entry) for key, entry in sorted(entries.items()) if isinstance(entry, dict)]


def _take(root: Entries, name: str, group: list[_Written], log: Log) -> None:
    nested: Entries = root[NESTED]
    entries = [written.entry for written in group]
    unlike = contradictions(entries)
    if unlike:
        wrong = f"is written {len(group)} times, with different {', '.join(unlike)}: the first one counts"
        log.leave(FindingKind.DUPLICATE, f"domain {name}", wrong, *_register(name))
        return
    if name in nested and not isinstance(nested[name], dict):
        return  # its place is taken by something that is no domain; that is told as invalid
    _tell(name, group, log)
    for written in group:
        if not written.nested:
            del root[written.key]
    keys = [written.key for written in group if written.nested] or [name]
    rebuilt: Entries = {}
    for key, value in nested.items():
        if key == keys[0]:
            rebuilt[name] = joined(entries)
        elif key not in keys:
            rebuilt[key] = value
    root[NESTED] = rebuilt if name in rebuilt else {**rebuilt, name: joined(entries)}


def _register(name: str) -> tuple[Command, ...]:
    """Return the command that writes a domain anew, once; there is none for a name that it would refuse."""
    return (Command("domain add", (name,)).having("--description", TEXT),) if "." in name else ()


def _tell(name: str, group: list[_Written], log: Log) -> None:
    what = f"domain {name}"
    for written in group:
        if not written.nested:
            log.mend(FindingKind.SHAPE, what, "stands at the root of domains.json", f"moves below {NESTED}")
        if written.key != name:
            log.mend(FindingKind.SPELLING, what, f"is written {shown(written.key)}", f"becomes {shown(name)}")
    if len(group) > 1:
        log.mend(FindingKind.DUPLICATE, what, f"is written {len(group)} times, alike", "becomes one")
