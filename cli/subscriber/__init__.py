"""`routecast subscriber`: a node's side."""
