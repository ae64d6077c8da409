"""`routecast stream`: what was published."""
