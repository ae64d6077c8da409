"""`routecast push`: publish again and wait for the nodes."""
