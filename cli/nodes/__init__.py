"""`routecast nodes`: how every node stands."""
