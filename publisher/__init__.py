"""The control plane: reads the registry, builds signed snapshots, publishes them."""
