"""A node's side: its settings, its service, what it writes and who reads that."""
