"""`routecast route list`."""

from cli.listing import list_command
from cli.show.drawing import routes_table
from cli.show.placing import place_all

list_routes = list_command(
    "route",
    """List the routes, and the VPS on which each host name is placed.""",
    place_all,
    routes_table,
)
