"""`routecast node list`."""

from cli.listing import list_command
from cli.show.drawing import nodes_table

list_nodes = list_command(
    "node",
    """List the registered machines.

    `routecast nodes` shows how they stand.""",
    lambda registry: registry.nodes,
    nodes_table,
)
