"""Where the tests of joining run: a folder, the fake API server, and the cluster of KUBECONFIG where that is set."""

from tests.publisher.registry.conftest import book
from tests.publisher.source.conftest import api, world

__all__ = ["api", "book", "world"]
