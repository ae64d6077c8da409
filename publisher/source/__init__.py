"""Where the registry is read: one protocol, two sources (`directory`, `cluster`)."""
