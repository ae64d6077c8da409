"""`routecast vps list`."""

from cli.listing import list_command
from cli.show.drawing import vps_table

list_vps_nodes = list_command(
    "vps",
    """List the VPSs.""",
    lambda registry: registry.vps_nodes,
    vps_table,
)
