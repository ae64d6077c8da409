"""NATS: what both sides stand on."""
