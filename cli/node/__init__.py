"""`routecast node`."""
