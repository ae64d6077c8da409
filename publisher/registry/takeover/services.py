"""Taking over the services: their fields in the current spelling. Pure; what is missing or invalid stays."""

from common import values
from common.models import Scheme
from publisher.pipeline.parse.entry import Entry
from publisher.pipeline.parse.text import checked
from publisher.registry.draft import Entries
from publisher.registry.takeover.findings import Log
from publisher.registry.takeover.written import an_address, items_of, respell


def take_services(services: Entries, log: Log) -> None:
    """Write the fields of all services as they are written now."""
    for name, written in services.items():
        if isinstance(written, dict):
            respell(f"service {name}", written, _FIELDS, log)


def _middlewares(entry: Entry) -> list[str]:
    items = items_of(entry, "middlewares", values.middleware)
    for item in items:
        try:
            checked(values.middleware, item)
        except ValueError as e:
            entry.error("middlewares", str(e))
    return items


_FIELDS = {
    "subdomain": lambda entry: entry.text("subdomain", values.subdomain) or "@",
    "ip": an_address("ip"),
    "port": lambda entry: entry.port("port"),
    "public": lambda entry: entry.flag("public"),
    "scheme": lambda entry: entry.text("scheme", lambda text: Scheme(text.strip().lower()).value),
    "middlewares": _middlewares,
}
