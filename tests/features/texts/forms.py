"""The forms in which texts come back: what each kind of field makes of a text, told a second time.

DNS names (subdomains, domains, the cluster's domain): no blanks around, no trailing dot, lower case, IDN as punycode
(UTS 46). A subdomain `@` or blank is the zone itself. Addresses: no blanks around, written as `ipaddress` writes them.
Free texts (labels, descriptions, locations, providers, the cluster's name): on one line, no blanks around; a label that
is blank is the node's name. A node's name becomes a DNS label. Where an edit wants the very word, a text by hand may
have blanks around; `HTTPS` is `https`, `"a, b"` a list of two, `"80"` the number, `"True"` true, and blank is as good
as missing. A text that has no such form is refused, or is a problem.
"""

import re
import unicodedata
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import idna

NO_FORM = object()
"""What a text comes back as when it is none for its field."""

Form = Callable[[str], Any]

STRATEGIES = ("round-robin", "primary-backup")

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MIDDLEWARE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?@[a-z0-9]{1,32}")


def dns(text: str) -> Any:
    """Return a text as a DNS name."""
    name = text.strip().removesuffix(".").lower()
    try:
        name = name if name.isascii() else idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        return NO_FORM
    fits = len(text) <= 300 and len(name) <= 253
    return name if fits and all(map(_LABEL.fullmatch, name.split("."))) else NO_FORM


def public_domain(text: str) -> Any:
    """Return a text as a domain that an edit takes: with a dot."""
    name = dns(text)
    return name if name is not NO_FORM and "." in name else NO_FORM


def subdomain(text: str) -> Any:
    """Return a text as a subdomain; the zone itself is the empty one."""
    return "" if text.strip() in {"", "@"} else dns(text)


def address(text: str) -> Any:
    """Return a text as an address of a machine."""
    try:
        ip = ip_address(text.strip())
    except ValueError:
        return NO_FORM
    no_machine = ip.is_unspecified or ip.is_multicast or "%" in str(ip) or len(text) > 300
    return NO_FORM if no_machine else str(ip)


def free(text: str) -> str:
    """Return a text that only people read."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def entry(text: str) -> Any:
    """Return a text as the name of an entry."""
    return text if text == free(text) and 1 <= len(text) <= 253 else NO_FORM


def middleware(text: str) -> Any:
    """Return a text as a middleware."""
    return text if _MIDDLEWARE.fullmatch(text) else NO_FORM


def port(text: str) -> Any:
    """Return a text as a port."""
    digits = text.strip()
    number = int(digits) if re.fullmatch(r"0*[0-9]{1,5}", digits, re.ASCII) else 0
    return number if 1 <= number <= 65535 else NO_FORM


def flag(text: str) -> Any:
    """Return a text as true or false."""
    return {"true": True, "false": False}.get(text.strip().lower(), NO_FORM)


def strategy(text: str) -> Any:
    """Return a text by hand as a strategy."""
    return word(*STRATEGIES)(free(text)) if free(text) else STRATEGIES[0]


def slug(text: str, ip: str) -> str:
    """Return a node's name on the bus."""
    letters = unicodedata.normalize("NFKD", free(text)).encode("ascii", "ignore").decode().lower()
    label = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:45].rstrip("-")
    return label or f"node-{ip.replace('.', '-')}"


def same(form: Form) -> Form:
    """Return the form of a text that must be in that form already."""
    return lambda text: text if form(text) == text else NO_FORM


def word(*words: str) -> Form:
    """Return the form of a text that must be one of some words."""
    return lambda text: text.strip().lower() if text.strip().lower() in words else NO_FORM


def only(form: Form, known: str) -> Form:
    """Return the form of a text that must name the one entry that there is."""
    return lambda text: known if form(text) == known else NO_FORM


def blank_or(blank: Any, form: Form) -> Form:
    """Return the form of a text that may be blank."""
    return lambda text: form(text) if text.strip() else blank


def listed(form: Form) -> Form:
    """Return the form of a text that is a list, with commas; each item once."""

    def of(text: str) -> Any:
        forms = [form(piece) for piece in map(str.strip, text.split(",")) if piece]
        return NO_FORM if NO_FORM in forms else tuple(dict.fromkeys(forms))

    return of
