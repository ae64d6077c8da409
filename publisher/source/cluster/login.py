"""Log in to the API server: a kubeconfig where there is one, else the service account of the pod."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import client, config
from kubernetes.aio.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION
from yaml import YAMLError

from common import log
from common.errors import ConfigError
from common.settings.publisher import PublisherSettings

_LONGEST_LINE = 8 * 1024 * 1024
"""An event is one line of JSON, in bytes: a ConfigMap of 1 MiB with every character escaped fits."""
_REFRESH_S = 60

_log = log.get(__name__)


@contextlib.asynccontextmanager
async def logged_in(settings: PublisherSettings) -> AsyncIterator[client.ApiClient]:
    """Yield a client; sends nothing yet.

    Raises:
        ConfigError: no kubeconfig, and not in a cluster; or a kubeconfig that is not usable.

    """
    configuration = client.Configuration()
    configuration.client_session_kwargs = {"read_bufsize": _LONGEST_LINE, "timeout": aiohttp.ClientTimeout(total=60)}
    loader = await _configure(settings, configuration)
    refreshing = asyncio.create_task(_refresh(loader, configuration), name="kubernetes token")
    try:
        async with client.ApiClient(configuration) as api:
            yield api
    finally:
        refreshing.cancel()
        await asyncio.gather(refreshing, return_exceptions=True)


async def _configure(settings: PublisherSettings, configuration: client.Configuration) -> Any:
    """Read the files that say where the server is and who we are; return what can renew a login, if anything can."""
    file: Path | str | None = settings.kubeconfig or await asyncio.to_thread(_default_kubeconfig)
    where = "the service account of the pod" if file is None else f"the kubeconfig {file}"
    load_kubeconfig: Any = config.load_kube_config
    try:
        if file is None:
            await asyncio.to_thread(config.load_incluster_config, client_configuration=configuration)
            configuration.refresh_api_key_hook = read_in_thread(configuration.refresh_api_key_hook)
            return None
        loading = load_kubeconfig(str(file), context=settings.context, client_configuration=configuration)
        return await asyncio.to_thread(asyncio.run, loading)  # reads files in a coroutine: not in our loop
    except (config.ConfigException, OSError, ValueError, KeyError, TypeError, YAMLError) as e:
        raise ConfigError(f"{where} is not usable: {e}; set publisher.kubeconfig or publisher.registry_dir") from e


def _default_kubeconfig() -> str | None:
    """Return the files that ``KUBECONFIG`` or, without it, the home directory names; None when there is none."""
    named = os.pathsep.join(
        file for file in KUBE_CONFIG_DEFAULT_LOCATION.split(os.pathsep) if Path(file).expanduser().exists()
    )
    return named or None


def read_in_thread(hook: Any) -> Any:
    """Return a hook that reads the service account's token, which changes every hour, outside the event loop."""

    async def refresh(configuration: Any) -> None:
        await asyncio.to_thread(hook, configuration)
        configuration.refresh_api_key_hook = refresh  # the client's own hook puts itself there each time

    return refresh


async def _refresh(loader: Any, configuration: client.Configuration) -> None:
    """Renew logins that a program gives out for a while, as those of cloud providers, until cancelled."""
    refresh: Any = config.refresh_token
    while loader is not None:
        try:
            await refresh(loader, configuration, interval=_REFRESH_S)
        except (config.ConfigException, OSError, ValueError, KeyError, AttributeError, TypeError) as e:
            _log.warning("the login to the cluster could not be renewed", error=str(e))
        else:
            return
