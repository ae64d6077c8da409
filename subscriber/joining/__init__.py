"""Make this machine a node by a join token, and take all of that away again. The service itself knows nothing of it."""
