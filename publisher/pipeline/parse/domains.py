"""``domain-registry``, key ``domains.json``: the public domains, nested, flat or both at once."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from common.models import Domain
from common.values import dns_name
from publisher.pipeline.parse.entry import WHOLE, Entry
from publisher.pipeline.parse.mend import Command, as_text
from publisher.pipeline.parse.place import Place
from publisher.pipeline.parse.text import checked, kind_of

NESTED = "domains"
VPS_NODES = "vps_nodes"


class DomainsRead(NamedTuple):
    """The domains by name, and whether all that is written could be read."""

    domains: dict[str, Domain]
    readable: bool


def read_domains(place: Place, root: Mapping[str, Any], previous: Mapping[str, Domain]) -> DomainsRead:
    """Return the domains of the field ``domains`` and those at the root (old clusters wrote them there).

    A field ``domains`` that is no object keeps all previous domains, as an unreadable document does.
    """
    nested = root.get(NESTED, {})
    readable = isinstance(nested, dict)
    if not readable:
        place.unreadable(f"the field {NESTED} must be an object, it is {kind_of(nested)}")
        nested = {}
    flat = {key: root[key] for key in root if is_flat(key)}
    domains: dict[str, Domain] = {}
    kept: dict[str, Domain] = {} if readable else dict(previous)
    for raw, value in [*sorted(nested.items()), *sorted(flat.items())]:
        try:
            name = checked(dns_name, raw)
        except ValueError as e:
            place.error(raw, f"{e}; it is left out")
            continue
        entry = Entry(place, raw, value, kept=name in previous)
        entry.look_for_slips(*Domain.model_fields)
        domain = Domain(description=entry.label("description"))
        if not entry.valid:
            kept |= {name: previous[name]} if name in previous else {}
        elif name in domains:
            entry.warning(WHOLE, "is written more than once; the first one counts")
        else:
            domains[name] = domain
        mend = register_domain(name) if readable else None
        if mend is not None and "description" in entry.faulty:
            mend = mend.having("--description", as_text(value["description"]))
        entry.mend(mend)
    return DomainsRead(dict(sorted((kept | domains).items())), readable)


def register_domain(name: str) -> Command | None:
    """Return the command that registers a domain, or writes its entry anew; None for one that it would refuse."""
    return Command("domain add", (name,)) if "." in name else None


def is_flat(key: str) -> bool:
    """Tell whether a field at the root is a domain; all others at the root are unknown fields, and ignored."""
    return key not in {NESTED, VPS_NODES} and "." in key
