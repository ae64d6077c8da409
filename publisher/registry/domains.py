"""Edits of public domains. Pure: each changes a draft, or says all that is wrong."""

from collections.abc import Callable

from common import values
from publisher.pipeline.parse.domains import NESTED, is_flat
from publisher.pipeline.parse.text import cleaned
from publisher.registry.draft import DOMAINS, ROUTING, Draft, Entries
from publisher.registry.faults import Faults, refuse_shape, refuse_unknown
from publisher.registry.lookup import readable_domain, registered_domains, written_domains
from publisher.registry.routes import withdraw_from_routes


def add_domain(draft: Draft, text: str, description: str | None) -> None:
    """Register a domain, or set its description; one in an old place moves to the current one.

    Raises:
        EditRefused: it is no DNS name.

    """
    faults = Faults()
    name = faults.checked("the domain", _domain, text)
    faults.refuse_if_any()
    assert name is not None
    if name != text:
        draft.note(f"{text!r} is stored as {name!r}")
    root = draft.object(DOMAINS)
    nested = _nested(root)
    entry = _registered(root, name)
    if entry is None:
        entry = {"description": "", "registered": draft.now, "status": "active"}
    elif name not in nested:
        draft.note(f"{name} moves to where domains are written today")
    if description is not None:
        entry = {**entry, "description": cleaned(description)}
    nested[name] = entry
    _take_out(root, lambda place, key: readable_domain(key) == name and (place is root or key != name))


def remove_domain(draft: Draft, text: str) -> None:
    """Take a domain off the registry, and off every route that names it first.

    Raises:
        EditRefused: it is not registered.

    """
    root = draft.object(DOMAINS)
    name = readable_domain(text)

    def _is_it(written: str) -> bool:
        return written == text or (name is not None and readable_domain(written) == name)

    if not _take_out(root, lambda _, key: _is_it(key)):
        raise refuse_unknown("domain", text, registered_domains(root))
    draft.withdraw()
    withdraw_from_routes(draft.optional(ROUTING), "domains", _is_it)


def _domain(text: str) -> str:
    name = values.dns_name(text)
    if "." not in name:
        raise ValueError(f"{text!r} is not a public domain: it has no dot")
    return name


def _registered(root: Entries, name: str) -> Entries | None:
    """Return the fields of a domain as they are written first, None when it is nowhere; what is no object has none."""
    found = [value for key, value in written_domains(root) if readable_domain(key) == name]
    if not found:
        return None
    return found[0] if isinstance(found[0], dict) else {}


def _take_out(root: Entries, gone: Callable[[Entries, str], bool]) -> bool:
    """Take domains out of the places that they are written in; return whether there was one."""
    found = [
        (place, key)
        for place in (root, root.get(NESTED))
        if isinstance(place, dict)
        for key in place
        if (place is not root or is_flat(key)) and gone(place, key)
    ]
    for place, key in found:
        del place[key]
    return bool(found)


def _nested(root: Entries) -> Entries:
    """Return the field `domains`, made where it is missing.

    Raises:
        EditRefused: it is something else than an object.

    """
    nested = root.setdefault(NESTED, {})
    if not isinstance(nested, dict):
        raise refuse_shape(DOMAINS, NESTED, "object")
    return nested
