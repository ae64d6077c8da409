"""Who is who on the bus: key pairs, user claims, credentials, join tokens. What both ends need; no I/O on the bus."""
