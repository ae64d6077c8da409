"""The `routecast` command."""
