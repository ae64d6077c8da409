"""`routecast vps`."""
