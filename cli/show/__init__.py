"""`routecast show`: the registry."""
