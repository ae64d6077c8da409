"""`routecast trust`: the keys that nodes believe."""
