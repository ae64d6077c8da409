"""The control plane's side: the registry's source, the publisher, the fleet."""
