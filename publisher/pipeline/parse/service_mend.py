"""The commands that mend services. One mends all that is wrong with an entry: by halves the editor refuses it."""

from collections.abc import Collection
from typing import Any

from common.models import Scheme
from common.values import middleware
from publisher.pipeline.parse.addresses import readable_address
from publisher.pipeline.parse.entry import WHOLE, Entry, pieces, readable_port
from publisher.pipeline.parse.mend import ADDRESS, PORT, Command, as_text
from publisher.pipeline.parse.subdomains import Subdomains, readable_subdomain
from publisher.pipeline.parse.text import checked

_MIDDLEWARE, _PROVIDER = "NAME", "PROVIDER"


def mend_service(entry: Entry, subdomains: Subdomains) -> Command:
    """Return the command that writes the faulty fields of an entry anew: as they are read, where they can be."""
    fields = {"subdomain", "ip"} if WHOLE in entry.faulty else entry.faulty
    options: list[tuple[str, ...]] = []
    if "subdomain" in fields or _would_claim(entry, fields, subdomains):
        options.append(("--subdomain", subdomains.free(entry.name, entry.given("subdomain"))))
    if "ip" in fields:
        options.append(("--ip", ADDRESS))
    if "port" in fields:
        port = readable_port(entry.given("port"))
        options.append(("--port", PORT if port is None else str(port)))
    texts = (field for field in ("namespace", "service") if field in fields)
    options += [(f"--{field}", as_text(entry.given(field))) for field in texts]
    if "public" in fields:
        public = str(entry.given("public")).strip().lower() == "true"
        if fields == {"public"} and not options:
            return Command(f"service {'publish' if public else 'hide'}", (entry.name,))
        options.append(("--public" if public else "--private",))
    if "scheme" in fields:
        options.append(("--scheme", Scheme.HTTP.value))
    if "middlewares" in fields:
        options += [("--middleware", name) for name in _middlewares(entry.given("middlewares"))]
    return Command("service add", (entry.name,), tuple(options))


def mend_no_address(entry: Entry) -> Command | None:
    """Return the command that looks in the cluster for a service's address; None where that finds none."""
    has_service = all(isinstance(entry.given(field), str) for field in ("namespace", "service"))
    return Command("service discover") if has_service and entry.in_cluster else None


def _would_claim(entry: Entry, fields: Collection[str], subdomains: Subdomains) -> bool:
    """Tell whether only the mended entry would claim a name, one that another service has with another address."""
    at, ip = readable_subdomain(entry.given("subdomain") or ""), readable_address(entry.given("ip"))
    claims = "ip" in fields or (ip is not None and not entry.valid)
    return claims and at is not None and subdomains.is_elsewhere(at, entry.name, ip)


def _middlewares(value: Any) -> list[str]:
    """Return the middlewares as they are written, each with a provider; none is left out: it may keep strangers out."""
    return [_with_provider(name) for name in (pieces(value) if isinstance(value, list | str) else [_MIDDLEWARE])]


def _with_provider(name: str) -> str:
    if _is_middleware(name):
        return name
    return f"{name if _is_middleware(f'{name}@file') else _MIDDLEWARE}@{_PROVIDER}"


def _is_middleware(text: str) -> bool:
    try:
        return bool(checked(middleware, text))
    except ValueError:
        return False
