"""`routecast init`."""
