"""`routecast doctor`: what can be wrong as checks, each with the next command."""
