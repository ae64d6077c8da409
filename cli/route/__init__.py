"""`routecast route`."""
