"""Ports of the loopback that nobody else uses."""

import random
import socket


def free_port() -> int:
    """Return a port below the range that the system gives out by itself, free for TCP and UDP."""
    while True:
        port = random.randint(20_000, 32_000)
        try:
            with (
                socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
            ):
                stream.bind(("127.0.0.1", port))
                datagram.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port
