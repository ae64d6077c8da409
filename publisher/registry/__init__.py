"""The editor: the only code that writes ConfigMaps of the registry."""
