"""`routecast domain list`."""

from cli.listing import list_command
from cli.show.drawing import domains_table

list_domains = list_command(
    "domain",
    """List the public domains.""",
    lambda registry: registry.domains,
    domains_table,
)
