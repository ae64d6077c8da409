"""What both ends of the bus must agree on: models, wire format, subjects, errors, settings."""
