"""`routecast demo`: the whole story on one machine, with real parts, in a folder of its own."""
