"""`routecast domain`."""
