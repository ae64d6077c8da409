"""`routecast acks`: what nodes did."""
