"""Any text in any field."""
