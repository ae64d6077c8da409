"""`routecast service`."""
