"""Choose the source that the settings name, open it, close it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

from common.errors import ConfigError
from common.settings.publisher import PublisherSettings
from publisher.source.source import Source


@asynccontextmanager
async def open_source(settings: PublisherSettings) -> AsyncIterator[Source]:
    """Yield the folder in ``registry_dir``, or the cluster.

    Raises:
        ConfigError: the kubeconfig is not usable, or the Kubernetes client is not installed.

    """
    if settings.registry_dir is not None:
        from publisher.source.directory import DirectorySource  # noqa: PLC0415 - a cluster needs no watchfiles

        yield DirectorySource(settings.registry_dir, settings.namespace, settings.relist_every_s)
        return
    open_cluster = await asyncio.to_thread(_import_cluster)
    async with open_cluster(settings) as source:
        yield source


def _import_cluster() -> Callable[[PublisherSettings], AbstractAsyncContextManager[Source]]:
    with kubernetes_client():
        from publisher.source.cluster import open_cluster  # noqa: PLC0415 - see there
    return open_cluster


@contextmanager
def kubernetes_client() -> Iterator[None]:
    """Say plainly what to install where the Kubernetes client is imported, and missing: it costs 2 s and 170 MB.

    Raises:
        ConfigError: it is missing.

    """
    try:
        yield
    except ImportError as e:
        raise ConfigError(
            f"the registry is in a cluster, but the Kubernetes client is not installed ({e}):"
            " pip install '.[publisher]' in the checkout, or set publisher.registry_dir"
        ) from e
